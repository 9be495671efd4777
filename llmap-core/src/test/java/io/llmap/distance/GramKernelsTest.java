package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class GramKernelsTest {
  @Test
  void theKernelThatTheBuildForcesIsTheOneThatRuns() {
    Map<String, Class<? extends GramKernel>> classes =
        Map.of("scalar", ScalarGramKernel.class, "vector", VectorGramKernel.class);

    assertThat(GramKernels.best()).isInstanceOf(classes.get(System.getProperty("llmap.kernel")));
  }

  @Test
  void theVectorKernelIsPreferredAndRunsUnderTheBuildsFlags() {
    assertThat(GramKernels.providers())
        .extracting(GramKernelProvider::name)
        .containsExactly("vector", "scalar");
    assertThat(GramKernels.providers()).allMatch(p -> p.availability().available());
    assertThat(GramKernels.providers().get(0).newKernel()).isInstanceOf(VectorGramKernel.class);
  }
}
