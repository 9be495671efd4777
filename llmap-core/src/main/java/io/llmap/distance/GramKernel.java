package io.llmap.distance;

/**
 * Computes G = A·Aᵀ for a row-major matrix.
 *
 * <p>Stateless; safe for use by many threads. Same input, same bits.
 */
public interface GramKernel {
  /**
   * Computes the lower triangle of G, diagonal included.
   *
   * @param a rows × columns, row-major
   * @param rows K
   * @param columns N
   * @return K × K, row-major; the part above the diagonal is unspecified
   */
  double[] lowerTriangle(double[] a, int rows, int columns);
}
