package io.llmap.internal;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads the lines of a stream as bytes, and knows where each stands.
 *
 * <p>The bytes of a line are a part of the reader's buffer, valid until the next call of {@link
 * #next()}.
 */
public final class LineReader implements Closeable {
  private static final int QUOTED = 60;

  private final InputStream in;
  private byte[] buffer = new byte[1 << 16];
  private int start;
  private int length;
  private int next;
  private int filled;
  private long offset;
  private long number;
  private boolean terminated = true;

  /**
   * Reads from a stream.
   *
   * @param in need not be buffered; closed with the reader
   */
  public LineReader(InputStream in) {
    this.in = in;
  }

  /**
   * Goes to the next line.
   *
   * @return false at the end of the stream; a stream that ends with a newline has no empty line
   *     behind it
   * @throws IOException if the stream does
   */
  public boolean next() throws IOException {
    offset += next - start;
    start = next;
    int scanned = start;
    while (true) {
      for (int i = scanned; i < filled; i++) {
        if (buffer[i] == '\n') {
          return line(i - start, i + 1, true);
        }
      }
      scanned = filled - start;
      if (start > 0) {
        System.arraycopy(buffer, start, buffer, 0, scanned);
        start = 0;
        filled = scanned;
      }
      if (filled == buffer.length) {
        buffer = Arrays.copyOf(buffer, Math.multiplyExact(buffer.length, 2));
      }
      int read = in.read(buffer, filled, buffer.length - filled);
      if (read < 0) {
        return filled > 0 && line(filled, filled, false);
      }
      filled += read;
    }
  }

  private boolean line(int lineLength, int behind, boolean ended) {
    length = lineLength;
    next = behind;
    terminated = ended;
    number++;
    return true;
  }

  /**
   * The bytes that hold the line.
   *
   * @return the reader's own buffer
   */
  public byte[] buffer() {
    return buffer;
  }

  /**
   * Where the line starts in {@link #buffer()}.
   *
   * @return an index
   */
  public int start() {
    return start;
  }

  /**
   * The length of the line without its newline.
   *
   * @return bytes
   */
  public int length() {
    return length;
  }

  /**
   * Where the line starts in the stream.
   *
   * @return bytes before it
   */
  public long offset() {
    return offset;
  }

  /**
   * The line's number for a person.
   *
   * @return 1 for the first line
   */
  public long number() {
    return number;
  }

  /**
   * Whether a newline ends the line; only the last line of a stream can lack one.
   *
   * @return true if so
   */
  public boolean terminated() {
    return terminated;
  }

  /**
   * Decodes the line.
   *
   * @return its characters
   * @throws CharacterCodingException if it is not valid UTF-8
   */
  public String text() throws CharacterCodingException {
    return StandardCharsets.UTF_8
        .newDecoder()
        .decode(ByteBuffer.wrap(buffer, start, length))
        .toString();
  }

  /**
   * The start of the line, to be quoted in an error; what is not UTF-8 shows as U+FFFD.
   *
   * @return at most 60 characters
   */
  public String quote() {
    return quote(
        new String(buffer, start, Math.min(length, 4 * QUOTED), StandardCharsets.UTF_8)
            .stripTrailing());
  }

  /**
   * Shortens a text to what an error can quote.
   *
   * @param text any text
   * @return at most 60 characters, an ellipsis behind them if there are more; control characters
   *     replaced
   */
  public static String quote(String text) {
    String line = text.replaceAll("\\p{Cntrl}", "\uFFFD");
    return line.length() <= QUOTED ? line : line.substring(0, QUOTED) + "…";
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
