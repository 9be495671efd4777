package io.llmap.distance;

import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * The reference: every product rounded, and added in double precision in the order of the columns,
 * in blocks of {@value #DEPTH} that are added in order.
 *
 * <p>Blocks are packed column by column, so that the innermost loop adds to neighbours, which the
 * compiler turns into vector instructions by itself where it recognises the loop.
 */
final class ScalarGramKernel implements GramKernel {
  /** Rows of a band: a square of the triangle is 128 KiB, in the second-level cache. */
  private static final int BAND = 128;

  private static final int DEPTH = 256;

  /** What these columns hold of a band is 16 KiB, in the first-level cache. */
  private static final int STRIP = 16;

  /** Columns added in one pass over a row. */
  private static final int STEP = 4;

  @Override
  public void add(RowSource a, double[] triangle) {
    PackedTriangle.requireLength(a.rows(), triangle);
    int bands = (a.rows() + BAND - 1) / BAND;
    double[][][] packed = new double[bands][Math.min(DEPTH, ceil(a.columns()))][BAND];
    for (int from = 0; from < a.columns(); from += DEPTH) {
      int first = from;
      int count = Math.min(DEPTH, a.columns() - from);
      Parallel.forEach(bands, band -> pack(a, band * BAND, first, count, packed[band]));
      Parallel.forEach(
          PackedTriangle.length(bands),
          pair -> addSquare(packed, ceil(count), pair, a.rows(), triangle));
    }
  }

  private static int ceil(int columns) {
    return (columns + STEP - 1) / STEP * STEP;
  }

  private static void pack(RowSource a, int firstRow, int from, int count, double[][] band) {
    double[] row = new double[count];
    int rows = Math.min(BAND, a.rows() - firstRow);
    for (int r = 0; r < rows; r++) {
      a.read(firstRow + r, from, from + count, row, 0);
      for (int k = 0; k < count; k++) {
        band[k][r] = row[k];
      }
    }
    for (int k = count; k < ceil(count); k++) {
      Arrays.fill(band[k], 0);
    }
  }

  private static void addSquare(
      double[][][] packed, int count, int pair, int rows, double[] triangle) {
    int left = PackedTriangle.row(pair);
    int right = pair - PackedTriangle.start(left);
    double[][] a = packed[left];
    double[][] b = packed[right];
    double[][] sums = new double[Math.min(BAND, rows - left * BAND)][BAND];
    for (int strip = 0; strip < count; strip += STRIP) {
      for (int r = 0; r < sums.length; r++) {
        for (int k = strip; k < Math.min(count, strip + STRIP); k += STEP) {
          addStep(
              a[k][r],
              b[k],
              a[k + 1][r],
              b[k + 1],
              a[k + 2][r],
              b[k + 2],
              a[k + 3][r],
              b[k + 3],
              sums[r]);
        }
      }
    }
    for (int r = 0; r < sums.length; r++) {
      int i = left * BAND + r;
      int start = PackedTriangle.start(i) + right * BAND;
      int columns = Math.min(BAND, i + 1 - right * BAND);
      for (int c = 0; c < columns; c++) {
        triangle[start + c] += sums[r][c];
      }
    }
  }

  /** Whole arrays and no offsets, because Java 17 vectorises nothing else here. */
  private static void addStep(
      double a0,
      double[] b0,
      double a1,
      double[] b1,
      double a2,
      double[] b2,
      double a3,
      double[] b3,
      double[] sums) {
    for (int c = 0; c < BAND; c++) {
      sums[c] = sums[c] + a0 * b0[c] + a1 * b1[c] + a2 * b2[c] + a3 * b3[c];
    }
  }
}
