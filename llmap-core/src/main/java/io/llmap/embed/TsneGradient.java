package io.llmap.embed;

/**
 * The objective of t-SNE on the plane and its gradient, for points (x[i], y[i]).
 *
 * <pre>
 * C = Σ_{i≠j} p_ij·ln(p_ij / q_ij),   q_ij = w_ij / Σ_{k≠l} w_kl,   w_ij = 1 / (1 + ‖y_i − y_j‖²)
 * </pre>
 *
 * <p>Holds scratch arrays: one thread at a time.
 */
interface TsneGradient {
  /**
   * Overwrites gx and gy with the gradient at (x, y), every p_ij multiplied by the exaggeration
   * (van der Maaten and Hinton 2008, eq. 5).
   */
  void at(double[] x, double[] y, double exaggeration, double[] gx, double[] gy);

  /** C at (x, y), without exaggeration, in nats. */
  double objective(double[] x, double[] y);
}
