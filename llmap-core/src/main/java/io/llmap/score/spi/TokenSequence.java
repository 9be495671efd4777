package io.llmap.score.spi;

/**
 * A text as a model reads it: what stands in front of every text, then prompt and content.
 *
 * @param ids all tokens
 * @param prefix how many tokens stand in front of every text
 * @param firstTarget the position of the first token that is scored; at least 1, as nothing
 *     predicts position 0
 * @param byteOffsets for each token the byte of the content at which it starts; 0 before the
 *     content
 */
record TokenSequence(int[] ids, int prefix, int firstTarget, int[] byteOffsets) {
  /** The same tokens in less memory. */
  TokenSequence withoutOffsets() {
    return new TokenSequence(ids, prefix, firstTarget, new int[0]);
  }
}
