package io.llmap.score.spi;

import java.util.Objects;

/**
 * The same in single precision with the Vector API, on the fastest unit that the processor has.
 *
 * <p>The same bits come out on every JDK.
 */
final class VectorLogProbKernel implements LogProbKernel {
  @Override
  public String name() {
    return "vector";
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
    VectorLogSumExp logSumExp = new VectorLogSumExp(logits);
    for (int r = 0; r < rows; r++) {
      int row = firstRow + r;
      out[outOffset + r] = logits.logit(row, targets[targetsOffset + r]) - logSumExp.ofRow(row);
    }
  }
}
