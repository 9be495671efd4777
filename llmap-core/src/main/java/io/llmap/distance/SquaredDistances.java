package io.llmap.distance;

import io.llmap.matrix.CenteredMatrix;

/** ‖q_i − q_j‖² for all pairs, through the Gram matrix where that is accurate. */
final class SquaredDistances {
  /**
   * Where ‖q_i‖² + ‖q_j‖² − 2 q_i·q_j cancels more than three digits the difference is summed
   * directly: near-duplicates, such as a quantised twin, are the pairs that users look at most
   * closely.
   */
  private static final double CANCELLATION = 1e-3;

  private SquaredDistances() {}

  static DistanceMatrix of(CenteredMatrix coordinates, GramKernel kernel) {
    int k = coordinates.models();
    int n = coordinates.texts();
    double[] q = coordinates.toFlatArray();
    double[] g = kernel.lowerTriangle(q, k, n);
    double[] triangle = new double[k * (k - 1) / 2];
    int pair = 0;
    for (int i = 1; i < k; i++) {
      for (int j = 0; j < i; j++) {
        double norms = g[i * k + i] + g[j * k + j];
        double squared = norms - 2 * g[i * k + j];
        triangle[pair++] = squared < CANCELLATION * norms ? direct(q, i * n, j * n, n) : squared;
      }
    }
    return DistanceMatrix.wrap(coordinates.names(), triangle);
  }

  private static double direct(double[] q, int x, int y, int count) {
    double sum = 0;
    for (int s = 0; s < count; s++) {
      double difference = q[x + s] - q[y + s];
      sum += difference * difference;
    }
    return sum;
  }
}
