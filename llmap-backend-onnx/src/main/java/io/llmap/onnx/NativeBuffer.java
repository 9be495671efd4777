package io.llmap.onnx;

import io.llmap.LlmapException.ScoringException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Memory outside the Java heap that grows to the largest use and is reused. */
final class NativeBuffer {
  /** ONNX Runtime's Java binding takes no larger buffer. */
  static final long LARGEST = Integer.MAX_VALUE - 8L;

  private ByteBuffer memory = bytes(0);

  /**
   * The memory, made larger where it must be.
   *
   * @param size bytes, up to {@link #LARGEST}
   * @return the same buffer each time until it must grow; position 0, limit {@code size}
   * @throws ScoringException if there is not so much memory
   */
  ByteBuffer reserve(long size) {
    int bytes = Math.toIntExact(size);
    try {
      if (memory.capacity() < bytes) {
        // The collector must be able to free the old buffer when the new one is asked for.
        memory = bytes(0);
        memory = bytes(bytes);
      }
    } catch (OutOfMemoryError e) {
      throw new ScoringException(
          ("%d bytes of direct memory for a batch cannot be had: %s; lower the token budget or raise"
                  + " -XX:MaxDirectMemorySize")
              .formatted(size, e.getMessage()),
          e);
    }
    return memory.clear().limit(bytes);
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }
}
