package io.llmap.score.spi;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.KernelChoice;
import io.llmap.score.Availability;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the {@link LogProbKernel}: the highest-ranked one that can run, or the one that a system
 * property names: {@code llmap.kernel.log-prob}, else {@code llmap.kernel}, which names the kernels
 * of all kinds.
 *
 * <p>A kernel that was named and cannot run is an error; one that was merely preferred is passed
 * over with a warning that says what to do.
 */
public final class LogProbKernels {
  private static final System.Logger LOG = System.getLogger(LogProbKernels.class.getName());

  private static final String KIND = "log-prob";

  private static @Nullable LogProbKernel best;

  private LogProbKernels() {}

  /**
   * All kernels that are on the class path, best first, whether they can run or not.
   *
   * @return the providers, never empty: scalar always runs
   */
  public static List<LogProbKernelProvider> providers() {
    List<LogProbKernelProvider> providers = new ArrayList<>();
    providers.add(
        new Shipped(
            "scalar",
            0,
            Availability.yes("double precision, one element at a time"),
            ScalarLogProbKernel::new));
    KernelChoice.State module = KernelChoice.vectorModule();
    providers.add(
        new Shipped(
            "vector",
            10,
            new Availability(module.available(), module.detail()),
            // A reference would load a class that needs a module which may be absent.
            () -> new VectorLogProbKernel()));
    ServiceLoader.load(LogProbKernelProvider.class).forEach(providers::add);
    providers.sort(Comparator.comparingInt(LogProbKernelProvider::rank).reversed());
    return providers;
  }

  /**
   * The kernel of this process, chosen at the first call.
   *
   * @return a kernel that can run
   * @throws BackendUnavailableException if a property names a kernel that is unknown or cannot run
   */
  public static synchronized LogProbKernel best() {
    if (best == null) {
      best =
          KernelChoice.choose(
              KIND,
              "log-probability",
              providers().stream().map(LogProbKernels::candidate).toList(),
              LOG);
    }
    return best;
  }

  /**
   * Whether a system property names the kernel. A backend then hands over logits, and not
   * log-probabilities that the kernel had no part in.
   *
   * @return whether the choice was made by the user
   */
  public static boolean isNamed() {
    return KernelChoice.isNamed(KIND);
  }

  private static KernelChoice.Candidate<LogProbKernel> candidate(LogProbKernelProvider provider) {
    return new KernelChoice.Candidate<>(
        provider.name(),
        () -> {
          Availability availability = provider.availability();
          return new KernelChoice.State(availability.available(), availability.detail());
        },
        provider::newKernel);
  }

  private record Shipped(
      String name, int rank, Availability availability, Supplier<LogProbKernel> maker)
      implements LogProbKernelProvider {
    @Override
    public LogProbKernel newKernel() {
      return maker.get();
    }
  }
}
