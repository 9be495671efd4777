package io.llmap.distance;

import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * The reference: every sum in double precision, product by product, over the columns in order.
 *
 * <p>Blocks of columns are packed column by column, so that the innermost loop adds to neighbours
 * in the triangle, which the compiler turns into vector instructions by itself.
 */
final class ScalarGramKernel implements GramKernel {
  /** Rows of a band: a square of the triangle is 128 KiB, in the second-level cache. */
  private static final int BAND = 128;

  private static final int DEPTH = 256;

  /** Columns added in one pass: what they hold of a band is 8 KiB, in the first-level cache. */
  private static final int STEP = 8;

  @Override
  public void add(RowSource a, double[] triangle) {
    PackedTriangle.requireLength(a.rows(), triangle);
    int bands = (a.rows() + BAND - 1) / BAND;
    int depth = Math.min(DEPTH, (a.columns() + STEP - 1) / STEP * STEP);
    double[][] packed = new double[bands][BAND * depth];
    for (int from = 0; from < a.columns(); from += DEPTH) {
      int first = from;
      int count = Math.min(DEPTH, a.columns() - from);
      Parallel.forEach(bands, band -> pack(a, band * BAND, first, count, packed[band]));
      Parallel.forEach(
          PackedTriangle.length(bands),
          pair -> {
            int left = PackedTriangle.row(pair);
            int right = pair - PackedTriangle.start(left);
            int rows = Math.min(BAND, a.rows() - left * BAND);
            for (int k = 0; k < count; k += STEP) {
              for (int r = 0; r < rows; r++) {
                int i = left * BAND + r;
                int columns = Math.min(BAND, i + 1 - right * BAND);
                int at = PackedTriangle.start(i) + right * BAND;
                addStep(packed[left], k * BAND + r, packed[right], k * BAND, columns, triangle, at);
              }
            }
          });
    }
  }

  private static void pack(RowSource a, int firstRow, int from, int count, double[] band) {
    double[] row = new double[count];
    int rows = Math.min(BAND, a.rows() - firstRow);
    // The last step may be longer than what is left.
    Arrays.fill(band, count * BAND, Math.min(band.length, (count + STEP) * BAND), 0);
    for (int r = 0; r < rows; r++) {
      a.read(firstRow + r, from, from + count, row, 0);
      for (int k = 0; k < count; k++) {
        band[k * BAND + r] = row[k];
      }
    }
  }

  private static void addStep(
      double[] left, int r, double[] right, int c, int count, double[] sums, int at) {
    double a0 = left[r];
    double a1 = left[r + BAND];
    double a2 = left[r + 2 * BAND];
    double a3 = left[r + 3 * BAND];
    double a4 = left[r + 4 * BAND];
    double a5 = left[r + 5 * BAND];
    double a6 = left[r + 6 * BAND];
    double a7 = left[r + 7 * BAND];
    for (int j = 0; j < count; j++) {
      sums[at + j] =
          sums[at + j]
              + a0 * right[c + j]
              + a1 * right[c + j + BAND]
              + a2 * right[c + j + 2 * BAND]
              + a3 * right[c + j + 3 * BAND]
              + a4 * right[c + j + 4 * BAND]
              + a5 * right[c + j + 5 * BAND]
              + a6 * right[c + j + 6 * BAND]
              + a7 * right[c + j + 7 * BAND];
    }
  }
}
