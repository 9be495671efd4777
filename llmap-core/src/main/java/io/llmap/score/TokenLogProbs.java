package io.llmap.score;

import java.util.Optional;

/**
 * The log-probability of each scored token of a text, and where the token stands in it.
 *
 * <p>The arrays are not copied: they belong to this record from its construction on.
 *
 * @param logProbs natural logarithms, each at most 0, in text order
 * @param byteOffsets the UTF-8 byte at which each token starts, non-decreasing; tokens that are
 *     parts of one character share its first byte
 * @param sketches for each token the sketch h of the whole distribution that it was predicted with,
 *     when {@link ScorerOptions#sketches()} asks for it; see {@link io.llmap.distance.SketchMatrix}
 */
public record TokenLogProbs(double[] logProbs, int[] byteOffsets, Optional<float[]> sketches) {

  /**
   * Checks that all arrays have one entry a token.
   *
   * @param logProbs natural logarithms, each at most 0, in text order
   * @param byteOffsets the UTF-8 byte at which each token starts, non-decreasing; tokens that are
   *     parts of one character share its first byte
   * @param sketches for each token the sketch h of the whole distribution that it was predicted
   *     with, if they were asked for
   * @throws IllegalArgumentException if the lengths differ
   */
  public TokenLogProbs {
    if (logProbs.length != byteOffsets.length) {
      throw new IllegalArgumentException(
          logProbs.length + " log-probabilities but " + byteOffsets.length + " byte offsets");
    }
    if (sketches.isPresent() && sketches.get().length != logProbs.length) {
      throw new IllegalArgumentException(
          logProbs.length + " log-probabilities but " + sketches.get().length + " sketches");
    }
  }

  /**
   * Log-probabilities without sketches.
   *
   * @param logProbs natural logarithms, each at most 0, in text order
   * @param byteOffsets the UTF-8 byte at which each token starts, non-decreasing
   * @throws IllegalArgumentException if the lengths differ
   */
  public TokenLogProbs(double[] logProbs, int[] byteOffsets) {
    this(logProbs, byteOffsets, Optional.empty());
  }
}
