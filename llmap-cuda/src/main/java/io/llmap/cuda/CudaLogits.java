package io.llmap.cuda;

import io.llmap.score.spi.LogitsBlock;
import jcuda.driver.CUdeviceptr;

/**
 * A view of logits in device memory: {@code rows} rows of {@code vocabulary} numbers, [R, V], as
 * {@link LogitsBlock} is one of logits on the host. Nothing is copied; the memory stays its
 * owner's.
 *
 * @param address the first logit of the first row, at a multiple of a logit's size; rows that start
 *     at multiples of 16 bytes are read fastest
 * @param type how one logit is stored
 * @param rows R, at least 1
 * @param vocabulary V, at least 1; what a row holds beyond it, such as the padding of a vocabulary,
 *     is never read
 * @param rowStride logits from the start of one row to the next, at least V
 */
public record CudaLogits(
    CUdeviceptr address, LogitsBlock.Type type, int rows, int vocabulary, long rowStride) {
  /**
   * Checks the shape; whether the memory is that large cannot be checked.
   *
   * @param address the first logit of the first row
   * @param type how one logit is stored
   * @param rows R
   * @param vocabulary V
   * @param rowStride logits from the start of one row to the next
   * @throws IllegalArgumentException if a number is out of its range
   */
  public CudaLogits {
    if (rows < 1 || vocabulary < 1 || rowStride < vocabulary) {
      throw new IllegalArgumentException(
          "bad logits shape: rows %d, vocabulary %d, row stride %d"
              .formatted(rows, vocabulary, rowStride));
    }
  }
}
