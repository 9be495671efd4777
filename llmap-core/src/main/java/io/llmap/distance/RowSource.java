package io.llmap.distance;

import io.llmap.matrix.CenteredMatrix;

/**
 * A K × N matrix that is read in pieces of rows, so that a kernel packs what it needs and nobody
 * holds a second copy of the whole.
 *
 * <p>Implementations are safe for use by many threads and give the same values at every call.
 */
public interface RowSource {
  /**
   * Reads the rows of Q.
   *
   * @param coordinates K × N
   * @return a view
   */
  static RowSource of(CenteredMatrix coordinates) {
    return new CenteredRows(coordinates);
  }

  /**
   * Reads points that are in memory.
   *
   * @param points K rows of equal length; not copied
   * @return a view
   * @throws IllegalArgumentException if a row has another length than the first
   */
  static RowSource wrap(double[][] points) {
    return new PointRows(points);
  }

  /**
   * The number of rows, K.
   *
   * @return at least 0
   */
  int rows();

  /**
   * The number of columns, N.
   *
   * @return at least 0
   */
  int columns();

  /**
   * Copies a piece of a row.
   *
   * @param row 0 to K − 1
   * @param from the first column
   * @param to the column after the last, at most N
   * @param target receives to − from values
   * @param offset where in the target they start
   */
  void read(int row, int from, int to, double[] target, int offset);
}
