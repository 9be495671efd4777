package io.llmap.score;

/**
 * The log-probability of each scored token of a text, and where the token stands in it.
 *
 * <p>The arrays are not copied: they belong to this record from its construction on.
 *
 * @param logProbs natural logarithms, each at most 0, in text order
 * @param byteOffsets the UTF-8 byte at which each token starts, non-decreasing; tokens that are
 *     parts of one character share its first byte
 */
public record TokenLogProbs(double[] logProbs, int[] byteOffsets) {

  /**
   * Checks that both arrays have one entry a token.
   *
   * @param logProbs natural logarithms, each at most 0, in text order
   * @param byteOffsets the UTF-8 byte at which each token starts, non-decreasing; tokens that are
   *     parts of one character share its first byte
   * @throws IllegalArgumentException if the lengths differ
   */
  public TokenLogProbs {
    if (logProbs.length != byteOffsets.length) {
      throw new IllegalArgumentException(
          logProbs.length + " log-probabilities but " + byteOffsets.length + " byte offsets");
    }
  }
}
