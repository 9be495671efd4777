package io.llmap.distance;

import io.llmap.internal.Parallel;

/**
 * Twice the sketches, minus their mean over the models. What all models expect is most of every
 * sketch; without the mean a Gram matrix would cancel it.
 */
final class SketchRows implements RowSource {
  private static final int PIECE = 1 << 12;

  private final float[][] sketches;
  private final double[] mean;

  SketchRows(float[][] sketches) {
    this.sketches = sketches;
    mean = new double[sketches[0].length];
    Parallel.forEach((mean.length + PIECE - 1) / PIECE, this::average);
  }

  private void average(int piece) {
    int from = piece * PIECE;
    int to = Math.min(mean.length, from + PIECE);
    for (float[] row : sketches) {
      for (int g = from; g < to; g++) {
        mean[g] += row[g];
      }
    }
    for (int g = from; g < to; g++) {
      mean[g] /= sketches.length;
    }
  }

  @Override
  public int rows() {
    return sketches.length;
  }

  @Override
  public int columns() {
    return mean.length;
  }

  @Override
  public void read(int row, int from, int to, double[] target, int offset) {
    float[] values = sketches[row];
    for (int g = from; g < to; g++) {
      target[offset + g - from] = 2 * (values[g] - mean[g]);
    }
  }
}
