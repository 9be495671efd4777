package io.llmap.score.spi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Objects;

/**
 * A view of logits in native memory: {@code rows} rows of {@code vocabulary} numbers, [R, V].
 *
 * <p>Nothing is copied. The memory belongs to the backend and is valid only inside the {@link
 * LogitsSink} call that hands it over.
 */
public final class LogitsBlock {
  /** How one logit is stored. */
  public enum Type {
    /** IEEE 754 binary32. */
    F32(4),
    /** IEEE 754 binary16. */
    F16(2),
    /** The upper half of a binary32. */
    BF16(2);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /**
     * The size of one logit.
     *
     * @return bytes
     */
    public int bytes() {
      return bytes;
    }
  }

  private final ByteBuffer memory;
  private final FloatBuffer floats;
  private final ShortBuffer shorts;
  private final Type type;
  private final long offset;
  private final int rows;
  private final int vocabulary;
  private final int rowStride;

  private LogitsBlock(
      ByteBuffer memory, Type type, long offset, int rows, int vocabulary, int rowStride) {
    this.memory = memory;
    this.floats = memory.asFloatBuffer();
    this.shorts = memory.asShortBuffer();
    this.type = type;
    this.offset = offset;
    this.rows = rows;
    this.vocabulary = vocabulary;
    this.rowStride = rowStride;
  }

  /**
   * Describes logits in a direct buffer.
   *
   * @param memory a direct buffer; its position and limit do not matter, its bytes are read in
   *     native order
   * @param type how one logit is stored
   * @param offset the first logit of the first row, counted in logits from the buffer's byte 0
   * @param rows R, at least 1
   * @param vocabulary V, at least 1
   * @param rowStride logits from the start of one row to the next, at least V
   * @return a view
   * @throws IllegalArgumentException if the buffer is not direct, or too small, or a number is out
   *     of its range
   */
  public static LogitsBlock of(
      ByteBuffer memory, Type type, long offset, int rows, int vocabulary, int rowStride) {
    if (!memory.isDirect()) {
      throw new IllegalArgumentException("logits must lie in a direct buffer");
    }
    if (rows < 1 || vocabulary < 1 || rowStride < vocabulary || offset < 0) {
      throw new IllegalArgumentException(
          "bad logits shape: rows %d, vocabulary %d, row stride %d, offset %d"
              .formatted(rows, vocabulary, rowStride, offset));
    }
    long capacity = memory.capacity() / type.bytes();
    long span = (rows - 1L) * rowStride + vocabulary;
    if (span > capacity - offset) {
      throw new IllegalArgumentException(
          "%d logits from logit %d on do not fit into a buffer of %d logits"
              .formatted(span, offset, capacity));
    }
    return new LogitsBlock(
        memory.duplicate().clear().order(ByteOrder.nativeOrder()),
        type,
        offset,
        rows,
        vocabulary,
        rowStride);
  }

  /**
   * The memory that the logits lie in.
   *
   * @return the whole direct buffer, in native byte order
   */
  public ByteBuffer memory() {
    return memory;
  }

  /**
   * How one logit is stored.
   *
   * @return the type
   */
  public Type type() {
    return type;
  }

  /**
   * The number of rows, R.
   *
   * @return at least 1
   */
  public int rows() {
    return rows;
  }

  /**
   * The number of logits in a row, V.
   *
   * @return at least 1
   */
  public int vocabulary() {
    return vocabulary;
  }

  /**
   * The byte of {@link #memory()} at which a row starts.
   *
   * @param row 0 to R − 1
   * @return a byte offset
   */
  public int byteOffset(int row) {
    return Math.toIntExact(
        (offset + (long) Objects.checkIndex(row, rows) * rowStride) * type.bytes());
  }

  /**
   * Copies a run of logits of one row, widened to float.
   *
   * @param row 0 to R − 1
   * @param from the first token, 0 to V − 1
   * @param count how many, up to V − from
   * @param into receives the logits in its first {@code count} elements
   */
  public void read(int row, int from, int count, float[] into) {
    int start =
        byteOffset(row) / type.bytes() + Objects.checkFromIndexSize(from, count, vocabulary);
    switch (type) {
      case F32 -> floats.get(start, into, 0, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          into[i] = HalfFloats.fromFloat16(shorts.get(start + i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          into[i] = HalfFloats.fromBfloat16(shorts.get(start + i));
        }
      }
    }
  }

  /** Copies a run of 16-bit logits of one row as they are stored; the rest as {@link #read}. */
  void readHalves(int row, int from, int count, short[] into) {
    int start = byteOffset(row) / Short.BYTES + Objects.checkFromIndexSize(from, count, vocabulary);
    shorts.get(start, into, 0, count);
  }

  /**
   * One logit, widened to float.
   *
   * @param row 0 to R − 1
   * @param token 0 to V − 1
   * @return the logit
   */
  public float logit(int row, int token) {
    int at = byteOffset(row) / type.bytes() + Objects.checkIndex(token, vocabulary);
    return switch (type) {
      case F32 -> floats.get(at);
      case F16 -> HalfFloats.fromFloat16(shorts.get(at));
      case BF16 -> HalfFloats.fromBfloat16(shorts.get(at));
    };
  }
}
