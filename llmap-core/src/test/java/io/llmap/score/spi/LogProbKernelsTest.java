package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LogProbKernelsTest {
  @Test
  void theKernelThatTheBuildForcesIsTheOneThatRuns() {
    assertThat(LogProbKernels.best().name()).isEqualTo(System.getProperty("llmap.kernel"));
  }

  @Test
  void theVectorKernelIsPreferredAndRunsUnderTheBuildsFlags() {
    assertThat(LogProbKernels.providers())
        .extracting(LogProbKernelProvider::name)
        .containsExactly("vector", "scalar");
    assertThat(LogProbKernels.providers()).allMatch(p -> p.availability().available());
    assertThat(LogProbKernels.providers().get(0).newKernel().name()).isEqualTo("vector");
  }
}
