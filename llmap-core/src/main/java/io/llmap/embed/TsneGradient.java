package io.llmap.embed;

import io.llmap.internal.Parallel;

/**
 * The objective of t-SNE on the plane and its gradient, for points (x[i], y[i]).
 *
 * <pre>
 * C = Σ_{i≠j} p_ij·ln(p_ij / q_ij),   q_ij = w_ij / Σ_{k≠l} w_kl,   w_ij = 1 / (1 + ‖y_i − y_j‖²)
 * </pre>
 *
 * <p>Holds scratch arrays: one call at a time. A call runs on several threads; the same calls in
 * the same order give the same bits on any number of them.
 */
interface TsneGradient {
  /**
   * Overwrites gx and gy with the gradient at (x, y), every p_ij multiplied by the exaggeration
   * (van der Maaten and Hinton 2008, eq. 5).
   */
  void at(double[] x, double[] y, double exaggeration, double[] gx, double[] gy);

  /** C at (x, y), without exaggeration, in nats, over all pairs: O(K²). */
  double objective(double[] x, double[] y);

  /** Σ_{k≠l} w_kl. */
  static double totalWeight(double[] x, double[] y) {
    int rowsPerPiece = 64;
    double[] sums = new double[(x.length + rowsPerPiece - 1) / rowsPerPiece];
    Parallel.forEach(
        sums.length,
        piece -> {
          double sum = 0;
          int first = piece * rowsPerPiece;
          for (int i = first; i < Math.min(x.length, first + rowsPerPiece); i++) {
            for (int j = 0; j < i; j++) {
              double dx = x[i] - x[j];
              double dy = y[i] - y[j];
              sum += 1 / (1 + dx * dx + dy * dy);
            }
          }
          sums[piece] = sum;
        });
    double total = 0;
    for (double sum : sums) {
      total += sum;
    }
    return 2 * total;
  }
}
