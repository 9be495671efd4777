package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.Availability;
import java.util.List;
import org.junit.jupiter.api.Test;

class LogProbKernelsTest {
  private record Fake(String name, int rank, Availability availability)
      implements LogProbKernelProvider {
    @Override
    public LogProbKernel newKernel() {
      if (!availability.available()) {
        throw new AssertionError("a kernel that cannot run was made");
      }
      return new ScalarLogProbKernel();
    }
  }

  private static final Fake BROKEN =
      new Fake("cuda", 20, Availability.no("no driver; install one"));
  private static final Fake FAST = new Fake("vector", 10, Availability.yes("256 bits"));

  @Test
  void theKernelThatTheBuildForcesIsTheOneThatRuns() {
    assertThat(LogProbKernels.best().name()).isEqualTo(System.getProperty("llmap.kernel"));
  }

  @Test
  void theVectorKernelIsPreferredAndRunsUnderTheBuildsFlags() {
    assertThat(LogProbKernels.choose(LogProbKernels.providers(), "").name()).isEqualTo("vector");
    assertThat(LogProbKernels.providers())
        .extracting(LogProbKernelProvider::name)
        .containsExactly("vector", "scalar");
  }

  @Test
  void aPreferredKernelThatCannotRunIsPassedOver() {
    assertThat(LogProbKernels.choose(List.of(BROKEN, FAST), "")).isNotNull();
  }

  @Test
  void aForcedKernelThatCannotRunIsAnErrorWithTheReason() {
    assertThatThrownBy(() -> LogProbKernels.choose(List.of(BROKEN, FAST), "cuda"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("llmap.kernel=cuda")
        .hasMessageContaining("no driver; install one");
  }

  @Test
  void anUnknownKernelIsAnErrorThatListsTheKnownOnes() {
    assertThatThrownBy(() -> LogProbKernels.choose(List.of(BROKEN, FAST), "simd"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("simd")
        .hasMessageContaining("[cuda, vector]");
  }
}
