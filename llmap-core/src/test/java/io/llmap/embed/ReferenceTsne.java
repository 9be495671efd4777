package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;

/** t-SNE's objective as the paper writes it: full matrices, one formula a loop, nothing shared. */
final class ReferenceTsne {
  private ReferenceTsne() {}

  /** Σ p·ln(exaggeration·p/q) with the exaggeration of p, for points [K, 2]. */
  static double objective(double[][] p, double[][] points, double exaggeration) {
    int k = points.length;
    double total = 0;
    double[][] w = new double[k][k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        if (i != j) {
          double distance = Math.hypot(points[i][0] - points[j][0], points[i][1] - points[j][1]);
          w[i][j] = 1 / (1 + distance * distance);
          total += w[i][j];
        }
      }
    }
    double divergence = 0;
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        if (p[i][j] > 0) {
          divergence +=
              exaggeration * p[i][j] * Math.log(exaggeration * p[i][j] / (w[i][j] / total));
        }
      }
    }
    return divergence;
  }

  /** Symmetric affinities, the width σ of every Gaussian found by bisection on its logarithm. */
  static double[][] affinities(DistanceMatrix distances, double perplexity) {
    int k = distances.size();
    double[][] conditional = new double[k][];
    for (int i = 0; i < k; i++) {
      double low = -30;
      double high = 30;
      for (int step = 0; step < 200; step++) {
        double middle = (low + high) / 2;
        conditional[i] = gaussian(distances, i, Math.exp(middle));
        if (perplexity(conditional[i]) > perplexity) {
          high = middle;
        } else {
          low = middle;
        }
      }
    }
    double[][] p = new double[k][k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        p[i][j] = (conditional[i][j] + conditional[j][i]) / (2 * k);
      }
    }
    return p;
  }

  private static double[] gaussian(DistanceMatrix distances, int i, double sigma) {
    int k = distances.size();
    double nearest = Double.POSITIVE_INFINITY;
    for (int j = 0; j < k; j++) {
      nearest = j == i ? nearest : Math.min(nearest, distances.get(i, j));
    }
    double[] row = new double[k];
    double sum = 0;
    for (int j = 0; j < k; j++) {
      double d = distances.get(i, j);
      row[j] = j == i ? 0 : Math.exp((nearest * nearest - d * d) / (2 * sigma * sigma));
      sum += row[j];
    }
    for (int j = 0; j < k; j++) {
      row[j] /= sum;
    }
    return row;
  }

  /** exp of the entropy. */
  static double perplexity(double[] row) {
    double entropy = 0;
    for (double p : row) {
      entropy -= p > 0 ? p * Math.log(p) : 0;
    }
    return Math.exp(entropy);
  }
}
