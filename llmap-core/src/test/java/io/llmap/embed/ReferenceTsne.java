package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import java.util.Comparator;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

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

  /** ln Σ w over all pairs. */
  static double logTotalWeight(double[][] points) {
    double total = 0;
    for (double[] a : points) {
      for (double[] b : points) {
        double distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
        total += a == b ? 0 : 1 / (1 + distance * distance);
      }
    }
    return Math.log(total);
  }

  /** Symmetric affinities of all pairs. */
  static double[][] affinities(DistanceMatrix distances, double perplexity) {
    int k = distances.size();
    double[][] full = distances.toArray();
    double[][] conditional = new double[k][];
    for (int i = 0; i < k; i++) {
      int model = i;
      conditional[i] = conditional(j -> j != model, full[i], perplexity);
    }
    double[][] p = new double[k][k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        p[i][j] = (conditional[i][j] + conditional[j][i]) / (2 * k);
      }
    }
    return p;
  }

  /**
   * p(j|i) among some of the models; the width σ of the Gaussian is found by bisection on its
   * logarithm.
   */
  static double[] conditional(IntPredicate among, double[] distances, double perplexity) {
    double[] row = {};
    double low = -30;
    double high = 30;
    for (int step = 0; step < 200; step++) {
      double middle = (low + high) / 2;
      row = gaussian(among, distances, Math.exp(middle));
      if (perplexity(row) > perplexity) {
        high = middle;
      } else {
        low = middle;
      }
    }
    return row;
  }

  private static double[] gaussian(IntPredicate among, double[] distances, double sigma) {
    double nearest = Double.POSITIVE_INFINITY;
    for (int j = 0; j < distances.length; j++) {
      nearest = among.test(j) ? Math.min(nearest, distances[j]) : nearest;
    }
    double[] row = new double[distances.length];
    double sum = 0;
    for (int j = 0; j < row.length; j++) {
      double d = distances[j];
      row[j] = among.test(j) ? Math.exp((nearest * nearest - d * d) / (2 * sigma * sigma)) : 0;
      sum += row[j];
    }
    for (int j = 0; j < row.length; j++) {
      row[j] /= sum;
    }
    return row;
  }

  /** Trustworthiness (Venna and Kaski 2001): 1 if every neighbour on the map is one in the data. */
  static double trustworthiness(DistanceMatrix distances, DistanceMatrix onMap, int neighbors) {
    int k = distances.size();
    double penalty = 0;
    for (int i = 0; i < k; i++) {
      int[] truth = nearest(distances, i);
      int[] seen = nearest(onMap, i);
      for (int n = 0; n < neighbors; n++) {
        for (int rank = neighbors; rank < k - 1; rank++) {
          penalty += truth[rank] == seen[n] ? rank + 1 - neighbors : 0;
        }
      }
    }
    return 1 - 2.0 / (k * neighbors * (2.0 * k - 3 * neighbors - 1)) * penalty;
  }

  private static int[] nearest(DistanceMatrix distances, int i) {
    return IntStream.range(0, distances.size())
        .filter(j -> j != i)
        .boxed()
        .sorted(Comparator.comparingDouble(j -> distances.get(i, j)))
        .mapToInt(Integer::intValue)
        .toArray();
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
