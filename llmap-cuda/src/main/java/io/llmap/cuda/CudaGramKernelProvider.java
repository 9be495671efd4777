package io.llmap.cuda;

import io.llmap.distance.GramKernel;
import io.llmap.distance.GramKernelProvider;
import io.llmap.score.Availability;

/**
 * Offers {@link CudaGramKernel} on device 0 as {@code cuda}.
 *
 * <p>It stands below the scalar kernel, which always runs, and so is used only where it is named,
 * by {@code -Dllmap.kernel.gram=cuda} or {@code -Dllmap.kernel=cuda}: whether it is faster depends
 * on the device, since most compute in double precision at a 32nd or 64th of their single rate.
 */
public final class CudaGramKernelProvider implements GramKernelProvider {
  /** For {@link java.util.ServiceLoader}. */
  public CudaGramKernelProvider() {}

  @Override
  public String name() {
    return CudaLogProbKernelProvider.NAME;
  }

  @Override
  public int rank() {
    return CudaLogProbKernelProvider.RANK;
  }

  @Override
  public Availability availability() {
    return CudaContext.availability(FirstDevice.ORDINAL);
  }

  /** A kernel for as long as the process runs. */
  @Override
  public GramKernel newKernel() {
    return CudaGramKernel.open(FirstDevice.context());
  }
}
