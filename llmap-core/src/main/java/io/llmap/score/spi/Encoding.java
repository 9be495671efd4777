package io.llmap.score.spi;

/**
 * A tokenized text.
 *
 * <p>The arrays are not copied: they belong to this record from its construction on.
 *
 * @param ids token ids
 * @param byteOffsets for each token the UTF-8 byte of the text at which it starts, non-decreasing;
 *     a special token in front has 0, tokens that share one character share its first byte
 */
public record Encoding(int[] ids, int[] byteOffsets) {
  /**
   * Checks that both arrays have one entry a token.
   *
   * @param ids token ids
   * @param byteOffsets for each token the UTF-8 byte of the text at which it starts,
   *     non-decreasing; a special token in front has 0, tokens that share one character share its
   *     first byte
   * @throws IllegalArgumentException if the lengths differ
   */
  public Encoding {
    if (ids.length != byteOffsets.length) {
      throw new IllegalArgumentException(
          ids.length + " token ids but " + byteOffsets.length + " byte offsets");
    }
  }
}
