package io.llmap.cuda;

import io.llmap.score.Availability;
import io.llmap.score.spi.LogProbKernel;
import io.llmap.score.spi.LogProbKernelProvider;

/**
 * Offers {@link CudaLogProbKernel} on device 0 as {@code cuda}.
 *
 * <p>It stands below the scalar kernel, which always runs, and so is used only where it is named,
 * by {@code -Dllmap.kernel.log-prob=cuda} or {@code -Dllmap.kernel=cuda}: a kernel is handed logits
 * on the host, and uploading them rarely pays.
 */
public final class CudaLogProbKernelProvider implements LogProbKernelProvider {
  static final String NAME = "cuda";
  static final int RANK = -10;

  /** For {@link java.util.ServiceLoader}. */
  public CudaLogProbKernelProvider() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int rank() {
    return RANK;
  }

  @Override
  public Availability availability() {
    return CudaContext.availability(FirstDevice.ORDINAL);
  }

  /** A kernel for as long as the process runs. */
  @Override
  public LogProbKernel newKernel() {
    return CudaLogProbKernel.open(FirstDevice.context());
  }
}
