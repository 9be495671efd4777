package io.llmap.score.spi;

import java.util.Objects;

/** The same in single precision with the Vector API. */
final class VectorSketchKernel implements SketchKernel {
  @Override
  public String name() {
    return "vector";
  }

  @Override
  public void sketches(
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      long key,
      double[] logProbs,
      float[] sketches,
      int position) {
    Objects.checkFromIndexSize(firstRow, rows, logits.rows());
    VectorLogSumExp logSumExp = new VectorLogSumExp(logits);
    for (int r = 0; r < rows; r++) {
      int row = firstRow + r;
      logProbs[position + r] =
          logits.logit(row, targets[targetsOffset + r])
              - logSumExp.ofRowWithSketch(row, RandomSigns.row(key, position + r));
      sketches[position + r] = (float) logSumExp.sketch();
    }
  }
}
