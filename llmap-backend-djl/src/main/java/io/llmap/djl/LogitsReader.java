package io.llmap.djl;

import ai.djl.ndarray.NDArray;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;

/** Takes what is scored out of the logits of a batch. */
interface LogitsReader {
  /**
   * Hands every scored token to the sink.
   *
   * @param logits [B, T, V]
   */
  void read(NDArray logits, TokenBatch batch, LogitsSink sink);
}
