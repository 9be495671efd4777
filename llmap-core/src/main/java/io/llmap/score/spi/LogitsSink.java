package io.llmap.score.spi;

/**
 * Takes what a forward pass gives, one sequence at a time, in any order.
 *
 * <p>A backend calls exactly one of the two methods for every sequence of the batch. Position t of
 * a sequence predicts the token at t + 1, so of a sequence of n tokens the positions 0 to n − 2
 * matter.
 */
public interface LogitsSink {
  /**
   * Takes the logits of a sequence. The block is read before the method returns.
   *
   * @param sequence the position in the batch
   * @param logits row t holds the logits over the token at position t + 1; at least n − 1 rows
   */
  void logits(int sequence, LogitsBlock logits);

  /**
   * Takes ready log-probabilities, from a backend whose output head ran where the logits are.
   *
   * @param sequence the position in the batch
   * @param logProbs element t is log p(token at t + 1 | tokens 0 to t); at least n − 1 elements,
   *     read before the method returns
   */
  void tokenLogProbs(int sequence, double[] logProbs);
}
