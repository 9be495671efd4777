package io.llmap.score.spi;

import io.llmap.internal.KernelChoice;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the {@link SketchKernel} as {@link LogProbKernels} does, by {@code llmap.kernel.sketch}
 * or {@code llmap.kernel}.
 */
final class SketchKernels {
  private static final System.Logger LOG = System.getLogger(SketchKernels.class.getName());

  private static @Nullable SketchKernel best;

  private SketchKernels() {}

  static synchronized SketchKernel best() {
    if (best == null) {
      best =
          KernelChoice.choose(
              "sketch",
              "sketch",
              List.of(
                  new KernelChoice.Candidate<>(
                      // A reference would load a class that needs a module which may be absent.
                      "vector", KernelChoice::vectorModule, () -> new VectorSketchKernel()),
                  new KernelChoice.Candidate<>(
                      "scalar",
                      () -> new KernelChoice.State(true, "double precision"),
                      ScalarSketchKernel::new)),
              LOG);
    }
    return best;
  }
}
