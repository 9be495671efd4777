package io.llmap.distance;

import io.llmap.matrix.CenteredMatrix;
import java.util.List;

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
    return coordinates.missingCells() > 0
        ? SharedTextDistances.of(coordinates, kernel)
        : of(coordinates.names(), new CenteredRows(coordinates), kernel);
  }

  static DistanceMatrix of(List<String> names, RowSource rows, GramKernel kernel) {
    int k = rows.rows();
    double[] g = new double[k * (k + 1) / 2];
    kernel.add(rows, g);
    double[] triangle = new double[k * (k - 1) / 2];
    double[][] pairRows = new double[2][rows.columns()];
    int pair = 0;
    for (int i = 1; i < k; i++) {
      for (int j = 0; j < i; j++) {
        double norms = g[i * (i + 3) / 2] + g[j * (j + 3) / 2];
        double squared = norms - 2 * g[i * (i + 1) / 2 + j];
        triangle[pair++] = squared < CANCELLATION * norms ? direct(rows, i, j, pairRows) : squared;
      }
    }
    return DistanceMatrix.wrap(names, triangle);
  }

  private static double direct(RowSource rows, int i, int j, double[][] pairRows) {
    int n = rows.columns();
    rows.read(i, 0, n, pairRows[0], 0);
    rows.read(j, 0, n, pairRows[1], 0);
    double sum = 0;
    for (int s = 0; s < n; s++) {
      double difference = pairRows[0][s] - pairRows[1][s];
      sum += difference * difference;
    }
    return sum;
  }
}
