package io.llmap.score.spi;

import java.util.Objects;

/**
 * The reference: every operation in double precision, the maximum first, then the sum. Every faster
 * kernel is tested against this one, and it runs where none of them can.
 */
final class ScalarLogProbKernel implements LogProbKernel {
  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public void logProbs(
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      double[] out,
      int outOffset) {
    Objects.checkFromIndexSize(firstRow, rows, logits.rows());
    float[] row = new float[logits.vocabulary()];
    for (int r = 0; r < rows; r++) {
      logits.read(firstRow + r, 0, row.length, row);
      out[outOffset + r] = row[targets[targetsOffset + r]] - logSumExp(row);
    }
  }

  /** NaN when the row has a NaN, a +∞ or only −∞: then ∞ − ∞ reaches the sum. */
  private static double logSumExp(float[] row) {
    float max = Float.NEGATIVE_INFINITY;
    for (float logit : row) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : row) {
      sum += Math.exp((double) logit - max);
    }
    return max + Math.log(sum);
  }
}
