package io.llmap.distance;

import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * Segment vectors centred within each text, minus their mean over the models.
 *
 * <p>The mean changes no distance. Without it a segment's own surprise, which all models share,
 * would be most of every row, and the Gram matrix would cancel several digits.
 */
final class SegmentRows implements RowSource {
  private static final int PIECE = 1 << 12;

  private final float[][] values;
  private final int[] starts;
  private final int[] bytes;
  private final double[] mean;

  /** For each model and text the mean per byte of what is left of the text without the mean. */
  private final double[][] perByte;

  /**
   * Rows over shared arrays.
   *
   * @param values K × G
   * @param starts N + 1 columns at which texts begin, and G
   * @param bytes G
   */
  SegmentRows(float[][] values, int[] starts, int[] bytes) {
    this.values = values;
    this.starts = starts;
    this.bytes = bytes;
    mean = new double[bytes.length];
    perByte = new double[values.length][starts.length - 1];
    Parallel.forEach((mean.length + PIECE - 1) / PIECE, this::average);
    Parallel.forEach(values.length, this::averagePerByte);
  }

  private void average(int piece) {
    int from = piece * PIECE;
    int to = Math.min(mean.length, from + PIECE);
    for (float[] row : values) {
      for (int g = from; g < to; g++) {
        mean[g] += row[g];
      }
    }
    for (int g = from; g < to; g++) {
      mean[g] /= values.length;
    }
  }

  private void averagePerByte(int i) {
    for (int n = 0; n < perByte[i].length; n++) {
      double sum = 0;
      long length = 0;
      for (int g = starts[n]; g < starts[n + 1]; g++) {
        sum += values[i][g] - mean[g];
        length += bytes[g];
      }
      perByte[i][n] = sum / length;
    }
  }

  @Override
  public int rows() {
    return values.length;
  }

  @Override
  public int columns() {
    return bytes.length;
  }

  @Override
  public void read(int row, int from, int to, double[] target, int offset) {
    float[] segments = values[row];
    int found = Arrays.binarySearch(starts, from);
    int n = found >= 0 ? found : -found - 2;
    int g = from;
    while (g < to) {
      double rate = perByte[row][n];
      int end = Math.min(to, starts[n + 1]);
      for (; g < end; g++) {
        target[offset + g - from] = segments[g] - mean[g] - bytes[g] * rate;
      }
      n++;
    }
  }
}
