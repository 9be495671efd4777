package io.llmap.distance;

import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * The drawn columns of a matrix, each times the square root of its importance; where asked, each
 * row's weighted mean is taken off first (2505.15428; method 3.1):
 *
 * <pre>q̃[i,t] = (x[i,s_t] − Σ_s w_s² x[i,s] / Σ_s w_s²) · w_{s_t}</pre>
 *
 * <p>The squared distances of these rows are the resampled squared distances. Columns nobody drew
 * are left out, and the others stay in their order, so that a row is read as a stream.
 */
final class ResampledRows implements RowSource {
  /** Enough of a row at a time to hide the call, little enough for the first-level cache. */
  private static final int PIECE = 2048;

  private final RowSource source;
  private final int[] columns;
  private final double[] weights;
  private final double[] means;

  private ResampledRows(RowSource source, int[] columns, double[] weights, double[] means) {
    this.source = source;
    this.columns = columns;
    this.weights = weights;
    this.means = means;
  }

  /**
   * Weighs the columns of a matrix.
   *
   * @param importance w² of each column of the source, at least one of them not 0
   * @param recentre whether the rows' weighted means are taken off
   */
  static ResampledRows of(RowSource source, double[] importance, boolean recentre) {
    int[] columns = new int[importance.length];
    double[] weights = new double[importance.length];
    int count = 0;
    double total = 0;
    for (int s = 0; s < importance.length; s++) {
      if (importance[s] > 0) {
        columns[count] = s;
        weights[count++] = Math.sqrt(importance[s]);
        total += importance[s];
      }
    }
    double[] means = new double[source.rows()];
    if (recentre) {
      double sum = total;
      Parallel.forEach(means.length, i -> means[i] = weightedSum(source, i, importance) / sum);
    }
    return new ResampledRows(source, Arrays.copyOf(columns, count), weights, means);
  }

  private static double weightedSum(RowSource source, int row, double[] importance) {
    double[] piece = new double[Math.min(PIECE, importance.length)];
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    for (int from = 0; from < importance.length; from += PIECE) {
      int to = Math.min(from + PIECE, importance.length);
      source.read(row, from, to, piece, 0);
      int s = from;
      for (; s + 4 <= to; s += 4) {
        int at = s - from;
        s0 += importance[s] * piece[at];
        s1 += importance[s + 1] * piece[at + 1];
        s2 += importance[s + 2] * piece[at + 2];
        s3 += importance[s + 3] * piece[at + 3];
      }
      for (; s < to; s++) {
        s0 += importance[s] * piece[s - from];
      }
    }
    return (s0 + s1) + (s2 + s3);
  }

  @Override
  public int rows() {
    return source.rows();
  }

  @Override
  public int columns() {
    return columns.length;
  }

  @Override
  public void read(int row, int from, int to, double[] target, int offset) {
    if (from == to) {
      return;
    }
    int first = columns[from];
    int end = columns[to - 1] + 1;
    double[] piece = new double[end - first];
    source.read(row, first, end, piece, 0);
    double mean = means[row];
    for (int t = from; t < to; t++) {
      target[offset + t - from] = (piece[columns[t] - first] - mean) * weights[t];
    }
  }
}
