package io.llmap.onnx;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.TokenBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Path;

/** Native memory for the inputs and the logits of one batch; grows to the largest and is reused. */
final class OnnxBuffers {
  /** ONNX Runtime's Java binding takes no larger buffer. */
  private static final long LARGEST_BUFFER = Integer.MAX_VALUE - 8L;

  private final Path path;
  private final int vocabularySize;
  private final LogitsBlock.Type type;
  private LongBuffer ids = longs(0);
  private LongBuffer mask = longs(0);
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

  /** [B, T], from position to limit. */
  LongBuffer ids() {
    return ids;
  }

  /** As the ids: 1 for a token, 0 for padding. */
  LongBuffer mask() {
    return mask;
  }

  /** Room for B·T·V logits, from position to limit. */
  ByteBuffer logits() {
    return logits;
  }

  /** Makes the buffers as large as the batch, and limits them to it. */
  private void reserve(TokenBatch batch) {
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
      if (ids.capacity() < positions) {
        ids = longs((int) positions);
        mask = longs((int) positions);
      }
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
    logits.clear().limit((int) logitsBytes);
  }

  /** Takes a batch's ids and mask and makes room for its logits. */
  void fill(TokenBatch batch) {
    reserve(batch);
    ids.clear();
    mask.clear();
    for (int b = 0; b < batch.sequences(); b++) {
      for (int t = 0; t < batch.length(); t++) {
        int id = batch.id(b, t);
        if (id < 0 || id >= vocabularySize) {
          throw new ScoringException(
              ("token id %d at position %d of sequence %d is outside the vocabulary of %s, 0 to %d;"
                      + " does the tokenizer belong to the model?")
                  .formatted(id, t, b, path, vocabularySize - 1));
        }
        ids.put(id);
        mask.put(t < batch.length(b) ? 1 : 0);
      }
    }
    ids.flip();
    mask.flip();
  }

  private static LongBuffer longs(int size) {
    return bytes(Math.multiplyExact(size, Long.BYTES)).asLongBuffer();
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }
}
