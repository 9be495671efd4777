package io.llmap.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Cuts documents into texts of nearly equal length: the rule of the model-map paper (2502.16173;
 * shimo-lab/modelmap, make-texts-10k-pile.ipynb).
 *
 * <p>A document's UTF-8 bytes are cut greedily every {@code maxBytes}, each cut moved back to the
 * start of a character; there is no overlap and no regard for words. The tail is a chunk of its
 * own. Chunks of {@code minBytes} or fewer are dropped, because unequal lengths distort distances
 * (method 8.8).
 *
 * @param maxBytes the longest chunk, in UTF-8 bytes; at least 4, so that every character fits
 * @param minBytes a chunk is kept if it is strictly longer than this many UTF-8 bytes; at least 0,
 *     less than {@code maxBytes}
 */
public record TextChunker(int maxBytes, int minBytes) {

  /**
   * Checks the numbers.
   *
   * @param maxBytes the longest chunk, in UTF-8 bytes; at least 4, so that every character fits
   * @param minBytes a chunk is kept if it is strictly longer than this many UTF-8 bytes; at least
   *     0, less than {@code maxBytes}
   * @throws IllegalArgumentException if one is out of range
   */
  public TextChunker {
    if (maxBytes < 4) {
      throw new IllegalArgumentException(
          "maxBytes must be at least 4, the longest character, got " + maxBytes);
    }
    if (minBytes < 0 || minBytes >= maxBytes) {
      throw new IllegalArgumentException(
          "minBytes must be in [0, maxBytes = " + maxBytes + "), got " + minBytes);
    }
  }

  /**
   * The paper's numbers: at most 1024 bytes, more than 256.
   *
   * @return the chunker of the paper
   */
  public static TextChunker modelMapPaper() {
    return new TextChunker(1024, 256);
  }

  /**
   * Cuts a document.
   *
   * @param document any text; may be empty
   * @return the kept chunks, in order; with {@code minBytes} = 0 they join to the document
   * @throws IllegalArgumentException if the document holds a lone surrogate
   */
  public List<String> chunk(String document) {
    ByteBuffer encoded;
    try {
      encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(document));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("the document holds a lone surrogate", e);
    }
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    List<String> chunks = new ArrayList<>();
    int start = 0;
    while (start < bytes.length) {
      int end = start + Math.min(maxBytes, bytes.length - start);
      while (end < bytes.length && (bytes[end] & 0xC0) == 0x80) {
        end--;
      }
      if (end - start > minBytes) {
        chunks.add(new String(bytes, start, end - start, StandardCharsets.UTF_8));
      }
      start = end;
    }
    return chunks;
  }

  /**
   * Draws without replacement: the first {@code count} steps of a Fisher–Yates shuffle in which
   * step i swaps i with {@code i + nextInt(size − i)} of {@code new java.util.Random(seed)}, whose
   * algorithm the Java platform fixes. It is not the draw of Python's {@code random.sample}, which
   * the paper used.
   *
   * @param <T> what is drawn
   * @param from the population; not changed
   * @param count how many, 0 to the size of the population
   * @param seed the same seed draws the same elements, in the same order, on every platform
   * @return a new list, in the order of the draw
   * @throws IllegalArgumentException if the count is out of range
   */
  public static <T> List<T> sample(List<T> from, int count, long seed) {
    if (count < 0 || count > from.size()) {
      throw new IllegalArgumentException(
          "cannot draw " + count + " of " + from.size() + " without replacement");
    }
    Random random = new Random(seed);
    List<T> pool = new ArrayList<>(from);
    for (int i = 0; i < count; i++) {
      int j = i + random.nextInt(pool.size() - i);
      T drawn = pool.get(j);
      pool.set(j, pool.get(i));
      pool.set(i, drawn);
    }
    return new ArrayList<>(pool.subList(0, count));
  }
}
