package io.llmap.distance;

/**
 * Computes A·Aᵀ, the work behind all distances of a matrix.
 *
 * <p>Stateless; safe for use by many threads. Same input, same bits, on any number of threads.
 */
public interface GramKernel {
  /**
   * Adds A·Aᵀ to a packed lower triangle: O(K²·N) time, and O(K²) memory traffic a call, so that a
   * matrix which comes in pieces is best added some hundred columns at a time. Holds a block of K
   * rows by some hundred columns beside the arguments.
   *
   * @param a K × N
   * @param triangle K·(K + 1)/2 numbers, the lower triangle by rows with the diagonal: element (i,
   *     j), j ≤ i, stands at i·(i + 1)/2 + j
   * @throws IllegalArgumentException if the triangle has another length
   */
  void add(RowSource a, double[] triangle);
}
