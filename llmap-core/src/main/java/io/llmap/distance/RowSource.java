package io.llmap.distance;

/**
 * A K × N matrix that is read in pieces of rows, so that a kernel packs what it needs and nobody
 * holds a second copy of the whole.
 *
 * <p>Implementations are safe for use by many threads and give the same values at every call.
 */
public interface RowSource {
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
