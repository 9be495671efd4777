package io.llmap.score.spi;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.Availability;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the {@link LogProbKernel}: the highest-ranked one that can run, or the one that the
 * system property {@code llmap.kernel} names.
 *
 * <p>A kernel that was named and cannot run is an error; one that was merely preferred is passed
 * over with a warning that says what to do.
 */
public final class LogProbKernels {
  /** The system property that forces a kernel by its name. */
  public static final String PROPERTY = "llmap.kernel";

  private static final System.Logger LOG = System.getLogger(LogProbKernels.class.getName());

  private static @Nullable LogProbKernel best;

  private LogProbKernels() {}

  /**
   * All kernels that are on the class path, best first, whether they can run or not.
   *
   * @return the providers, never empty: scalar always runs
   */
  public static List<LogProbKernelProvider> providers() {
    List<LogProbKernelProvider> providers = new ArrayList<>();
    providers.add(new ScalarProvider());
    providers.add(new VectorProvider());
    ServiceLoader.load(LogProbKernelProvider.class).forEach(providers::add);
    providers.sort(Comparator.comparingInt(LogProbKernelProvider::rank).reversed());
    return providers;
  }

  /**
   * The kernel of this process, chosen at the first call.
   *
   * @return a kernel that can run
   * @throws BackendUnavailableException if {@code llmap.kernel} names a kernel that is unknown or
   *     cannot run
   */
  public static synchronized LogProbKernel best() {
    if (best == null) {
      best = choose(providers(), System.getProperty(PROPERTY, ""));
    }
    return best;
  }

  static LogProbKernel choose(List<LogProbKernelProvider> bestFirst, String forced) {
    List<String> refusals = new ArrayList<>();
    for (LogProbKernelProvider provider : bestFirst) {
      if (!forced.isEmpty() && !forced.equals(provider.name())) {
        continue;
      }
      Availability availability = provider.availability();
      if (availability.available()) {
        for (String refusal : refusals) {
          LOG.log(System.Logger.Level.WARNING, "{0}", refusal);
        }
        LOG.log(
            System.Logger.Level.INFO,
            "log-probability kernel: {0} ({1})",
            provider.name(),
            availability.detail());
        return provider.newKernel();
      }
      refusals.add(
          "the faster kernel \"" + provider.name() + "\" is not used: " + availability.detail());
    }
    if (forced.isEmpty()) {
      throw new IllegalStateException("no kernel among " + bestFirst);
    }
    List<String> known = bestFirst.stream().map(LogProbKernelProvider::name).toList();
    throw new BackendUnavailableException(
        known.contains(forced)
            ? "-D" + PROPERTY + "=" + forced + " cannot be met: " + refusals.get(0)
            : "-D" + PROPERTY + "=" + forced + " names no kernel; there are " + known);
  }

  private static final class ScalarProvider implements LogProbKernelProvider {
    @Override
    public String name() {
      return "scalar";
    }

    @Override
    public int rank() {
      return 0;
    }

    @Override
    public Availability availability() {
      return Availability.yes("double precision, one element at a time");
    }

    @Override
    public LogProbKernel newKernel() {
      return new ScalarLogProbKernel();
    }
  }

  /** Names no class of the incubator module, which may be absent. */
  private static final class VectorProvider implements LogProbKernelProvider {
    @Override
    public String name() {
      return "vector";
    }

    @Override
    public int rank() {
      return 10;
    }

    @Override
    public Availability availability() {
      return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
          ? Availability.yes("Vector API of Java " + Runtime.version().feature())
          : Availability.no("start java with --add-modules jdk.incubator.vector");
    }

    @Override
    public LogProbKernel newKernel() {
      return new VectorLogProbKernel();
    }
  }
}
