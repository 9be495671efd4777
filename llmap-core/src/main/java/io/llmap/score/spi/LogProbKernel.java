package io.llmap.score.spi;

/**
 * Log-softmax and gather in one pass over logits, without writing the softmax anywhere:
 *
 * <pre>out[r] = logits[r, targets[r]] − log Σ_v exp(logits[r, v])</pre>
 *
 * <p>Stateless; safe for use by many threads. The result depends on the row alone, so splitting
 * rows among threads changes no bit.
 */
public interface LogProbKernel {
  /**
   * The kernel's name, as in the system property {@code llmap.kernel}.
   *
   * @return such as {@code scalar} or {@code vector}
   */
  String name();

  /**
   * Computes the log-probability of one token in each of a range of rows. A row with a NaN, a +∞,
   * or nothing but −∞ gives NaN; a target whose logit is −∞ gives −∞.
   *
   * @param logits [R, V]
   * @param firstRow the first row to read
   * @param rows how many rows to read
   * @param targets {@code targets[targetsOffset + r]} is the token of row {@code firstRow + r}, 0
   *     to V − 1
   * @param targetsOffset where the targets start
   * @param out {@code out[outOffset + r]} becomes the natural log-probability
   * @param outOffset where the results start
   * @throws IndexOutOfBoundsException if a range does not fit its array, or a target is not in the
   *     vocabulary
   */
  void logProbs(
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      double[] out,
      int outOffset);
}
