package io.llmap.distance;

/**
 * The reference: every product and sum in double precision, columns in blocks that stay in cache,
 * with four accumulators in a fixed order.
 */
final class ScalarGramKernel implements GramKernel {
  /** Two rows of a block are 32 KiB: the first-level cache of common processors. */
  private static final int BLOCK = 2048;

  @Override
  public void add(RowSource a, double[] triangle) {
    int rows = a.rows();
    double[] block = new double[Math.multiplyExact(rows, BLOCK)];
    for (int from = 0; from < a.columns(); from += BLOCK) {
      int count = Math.min(BLOCK, a.columns() - from);
      for (int i = 0; i < rows; i++) {
        a.read(i, from, from + count, block, i * BLOCK);
      }
      int pair = 0;
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j <= i; j++) {
          triangle[pair++] += dot(block, i * BLOCK, j * BLOCK, count);
        }
      }
    }
  }

  private static double dot(double[] a, int x, int y, int count) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int s = 0;
    for (; s + 4 <= count; s += 4) {
      s0 += a[x + s] * a[y + s];
      s1 += a[x + s + 1] * a[y + s + 1];
      s2 += a[x + s + 2] * a[y + s + 2];
      s3 += a[x + s + 3] * a[y + s + 3];
    }
    for (; s < count; s++) {
      s0 += a[x + s] * a[y + s];
    }
    return (s0 + s1) + (s2 + s3);
  }
}
