package io.llmap.cuda;

import io.llmap.LlmapException;

/** A call of the CUDA driver that failed. */
final class CudaCallException extends LlmapException {
  private static final long serialVersionUID = 1L;

  private final String error;

  /**
   * @param call the driver's function, with what it was asked for
   * @param error the name of the result, such as {@code CUDA_ERROR_OUT_OF_MEMORY}
   */
  CudaCallException(String call, String error) {
    super(call + " failed: " + error);
    this.error = error;
  }

  String error() {
    return error;
  }
}
