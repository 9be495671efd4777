package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KernelChoiceTest {
  private static final KernelChoice.Candidate<String> BROKEN =
      new KernelChoice.Candidate<>(
          "cuda",
          () -> new KernelChoice.State(false, "no driver; install one"),
          () -> {
            throw new AssertionError("a kernel that cannot run was made");
          });
  private static final KernelChoice.Candidate<String> FAST =
      new KernelChoice.Candidate<>(
          "vector", () -> new KernelChoice.State(true, "256 bits"), () -> "the vector kernel");
  private static final KernelChoice.Candidate<String> NEVER_ASKED =
      new KernelChoice.Candidate<>(
          "scalar",
          () -> {
            throw new AssertionError("a slower kernel was asked");
          },
          () -> "the scalar kernel");

  private final List<String> logged = new ArrayList<>();

  private String choose(String forced) {
    return KernelChoice.choose(
        "llmap.kernel", forced, "Gram", List.of(BROKEN, FAST, NEVER_ASKED), new Log());
  }

  @Test
  void theFirstThatCanRunIsChosenAndTheBetterOneIsWarnedOf() {
    assertThat(choose("")).isEqualTo("the vector kernel");
    assertThat(logged)
        .containsExactly(
            "WARNING the faster Gram kernel \"cuda\" is not used: no driver; install one",
            "INFO Gram kernel: vector (256 bits)");
  }

  @Test
  void aForcedKernelRunsWithoutAWarningOfABetterOne() {
    assertThat(choose("vector")).isEqualTo("the vector kernel");
    assertThat(logged).containsExactly("INFO Gram kernel: vector (256 bits)");
  }

  @Test
  void aForcedKernelThatCannotRunIsAnErrorWithTheReason() {
    assertThatThrownBy(() -> choose("cuda"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("-Dllmap.kernel=cuda cannot be met: no driver; install one");
  }

  @Test
  void anUnknownKernelIsAnErrorThatListsTheKnownOnes() {
    assertThatThrownBy(() -> choose("simd"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("-Dllmap.kernel=simd names no Gram kernel; there are [cuda, vector, scalar]");
  }

  @Test
  void thePropertyOfOneKindWinsOverThatOfAll() {
    // The build sets llmap.kernel to a kernel that this list lacks.
    System.setProperty("llmap.kernel.test", "fast");
    try {
      assertThat(
              KernelChoice.choose(
                  "test",
                  "test",
                  List.of(
                      new KernelChoice.Candidate<>(
                          "fast", () -> new KernelChoice.State(true, ""), () -> 1)),
                  new Log()))
          .isEqualTo(1);
    } finally {
      System.clearProperty("llmap.kernel.test");
    }
    assertThatThrownBy(() -> KernelChoice.choose("test", "test", List.of(BROKEN), new Log()))
        .hasMessage(
            "-Dllmap.kernel="
                + System.getProperty("llmap.kernel")
                + " names no test kernel; there are [cuda]");
  }

  private final class Log implements System.Logger {
    @Override
    public String getName() {
      return "test";
    }

    @Override
    public boolean isLoggable(Level level) {
      return true;
    }

    @Override
    public void log(
        Level level, @Nullable ResourceBundle bundle, String message, @Nullable Throwable thrown) {
      logged.add(level + " " + message);
    }

    @Override
    public void log(
        Level level, @Nullable ResourceBundle bundle, String format, Object... parameters) {
      logged.add(level + " " + java.text.MessageFormat.format(format, parameters));
    }
  }
}
