package io.llmap.cuda;

import org.jspecify.annotations.Nullable;

/** The context that kernels which are chosen by name share; open until the process ends. */
final class FirstDevice {
  static final int ORDINAL = 0;

  private static @Nullable CudaContext context;

  private FirstDevice() {}

  static synchronized CudaContext context() {
    if (context == null) {
      context = CudaContext.open(ORDINAL);
    }
    return context;
  }
}
