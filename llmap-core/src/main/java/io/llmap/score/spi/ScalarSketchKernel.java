package io.llmap.score.spi;

import java.util.Objects;

/** The reference, in double precision throughout; a sketch is rounded once, at the end. */
final class ScalarSketchKernel implements SketchKernel {
  @Override
  public String name() {
    return "scalar";
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
    float[] row = new float[logits.vocabulary()];
    for (int r = 0; r < rows; r++) {
      logits.read(firstRow + r, 0, row.length, row);
      float max = Float.NEGATIVE_INFINITY;
      for (float logit : row) {
        max = Math.max(max, logit);
      }
      int signs = RandomSigns.row(key, position + r);
      double sum = 0;
      double signed = 0;
      for (int v = 0; v < row.length; v++) {
        double e = Math.exp(((double) row[v] - max) / 2);
        sum += e * e;
        signed += RandomSigns.isNegative(signs, v) ? -e : e;
      }
      logProbs[position + r] = row[targets[targetsOffset + r]] - (max + Math.log(sum));
      sketches[position + r] = (float) (signed / Math.sqrt(sum));
    }
  }
}
