package io.llmap.distance;

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
 * Chooses the {@link GramKernel}: the highest-ranked one that can run, or the one that a system
 * property names: {@code llmap.kernel.gram}, else {@code llmap.kernel}, which names the kernels of
 * all kinds. A kernel that exists only here, as {@code nd4j} does, is named by the former.
 *
 * <p>A kernel that was named and cannot run is an error; one that was merely preferred is passed
 * over with a warning that says what to do.
 */
public final class GramKernels {
  private static final System.Logger LOG = System.getLogger(GramKernels.class.getName());

  private static @Nullable GramKernel best;

  private GramKernels() {}

  /**
   * All kernels that are on the class path, best first, whether they can run or not.
   *
   * @return the providers, never empty: scalar always runs
   */
  public static List<GramKernelProvider> providers() {
    List<GramKernelProvider> providers = new ArrayList<>();
    providers.add(new Shipped("scalar", 0, scalar(), ScalarGramKernel::new));
    // A lambda, because a reference would load a class that needs a module which may be absent.
    providers.add(new Shipped("vector", 10, vector(), () -> new VectorGramKernel()));
    ServiceLoader.load(GramKernelProvider.class).forEach(providers::add);
    providers.sort(Comparator.comparingInt(GramKernelProvider::rank).reversed());
    return providers;
  }

  private static Availability scalar() {
    return Availability.yes("double precision, without the Vector API");
  }

  private static Availability vector() {
    KernelChoice.State state = KernelChoice.vectorModule();
    return state.available() && !VectorGramKernel.fused()
        ? Availability.no("this processor has no AVX2, without which the scalar kernel is faster")
        : new Availability(state.available(), state.detail());
  }

  /**
   * The kernel of this process, chosen at the first call.
   *
   * @return a kernel that can run
   * @throws BackendUnavailableException if a property names a kernel that is unknown or cannot run
   */
  public static synchronized GramKernel best() {
    if (best == null) {
      best =
          KernelChoice.choose(
              "gram", "Gram", providers().stream().map(GramKernels::candidate).toList(), LOG);
    }
    return best;
  }

  private static KernelChoice.Candidate<GramKernel> candidate(GramKernelProvider provider) {
    return new KernelChoice.Candidate<>(
        provider.name(),
        () -> {
          Availability availability = provider.availability();
          return new KernelChoice.State(availability.available(), availability.detail());
        },
        provider::newKernel);
  }

  private record Shipped(
      String name, int rank, Availability availability, Supplier<GramKernel> maker)
      implements GramKernelProvider {
    @Override
    public GramKernel newKernel() {
      return maker.get();
    }
  }
}
