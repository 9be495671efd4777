package io.llmap.score.spi;

/**
 * Takes what a forward pass gives, one sequence at a time, in any order.
 *
 * <p>A backend hands over every scored token of every sequence exactly once, by either method.
 * Position t of a sequence predicts the token at t + 1, so the tokens from {@link
 * TokenBatch#firstTarget} on need the positions from one before it to the last but one; no other
 * position's logits are needed.
 */
public interface LogitsSink {
  /**
   * Takes logits of a sequence. The block is read before the method returns; a sequence may come in
   * several blocks.
   *
   * @param sequence the position in the batch
   * @param firstTarget the position of the token that the block's first row predicts
   * @param logits row r holds the logits over the token at position {@code firstTarget + r}
   */
  void logits(int sequence, int firstTarget, LogitsBlock logits);

  /**
   * Takes ready log-probabilities, from a backend whose output head ran where the logits are. Read
   * before the method returns. Not where {@link io.llmap.score.ScorerOptions#sketches()} is set: a
   * sketch needs all logits.
   *
   * @param sequence the position in the batch
   * @param firstTarget the position of the token that the first element belongs to
   * @param logProbs element r is log p(token at {@code firstTarget + r} | the tokens before it)
   */
  void tokenLogProbs(int sequence, int firstTarget, double[] logProbs);
}
