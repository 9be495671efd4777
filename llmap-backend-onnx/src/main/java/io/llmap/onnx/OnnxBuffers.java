package io.llmap.onnx;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.TokenBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** Native memory for the logits of one batch; grows to the largest and is reused. */
final class OnnxBuffers {
  /** ONNX Runtime's Java binding takes no larger buffer. */
  private static final long LARGEST_BUFFER = Integer.MAX_VALUE - 8L;

  private final Path path;
  private final int vocabularySize;
  private final LogitsBlock.Type type;
  private ByteBuffer logits = bytes(0);

  /**
   * Empty buffers.
   *
   * @param path the model, for errors
   */
  OnnxBuffers(Path path, int vocabularySize, LogitsBlock.Type type) {
    this.path = path;
    this.vocabularySize = vocabularySize;
    this.type = type;
  }

  /** Room for the B·T·V logits of a batch, from position to limit. */
  ByteBuffer logits(TokenBatch batch) {
    long positions = (long) batch.sequences() * batch.length();
    long logitsBytes = positions * vocabularySize * type.bytes();
    if (logitsBytes > LARGEST_BUFFER) {
      long fit = LARGEST_BUFFER / ((long) vocabularySize * type.bytes());
      throw new ScoringException(
          ("a batch of %d × %d tokens with a vocabulary of %d needs %d bytes of logits, more than"
                  + " one buffer holds; %s %d tokens")
              .formatted(
                  batch.sequences(),
                  batch.length(),
                  vocabularySize,
                  logitsBytes,
                  batch.sequences() > 1
                      ? "lower the token budget to"
                      : "cut the text into pieces of at most",
                  fit));
    }
    try {
      if (logits.capacity() < logitsBytes) {
        // The collector must be able to free the old buffer when the new one is asked for.
        logits = bytes(0);
        logits = bytes((int) logitsBytes);
      }
    } catch (OutOfMemoryError e) {
      throw new ScoringException(
          ("%d bytes of direct memory for the logits of a batch cannot be had: %s; lower the token"
                  + " budget or raise -XX:MaxDirectMemorySize")
              .formatted(logitsBytes, e.getMessage()),
          e);
    }
    return logits.clear().limit((int) logitsBytes);
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }
}
