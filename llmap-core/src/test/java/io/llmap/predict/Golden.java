package io.llmap.predict;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.GoldenFiles;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** The coordinates of the reference numbers, and coordinates made from plain numbers. */
final class Golden {
  private Golden() {}

  static CenteredMatrix coordinates() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    return CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02));
  }

  static DistanceMatrix squared() {
    return KlDistances.of(coordinates()).squaredEuclidean();
  }

  /** Seven groups of four to eleven models, as in make_ridge_golden.py. */
  static List<String> groups() {
    return IntStream.range(0, 60).mapToObj(i -> "g" + i * i % 13).toList();
  }

  static double[][] normal(int k, int n, long seed) {
    Random random = new Random(seed);
    double[][] values = new double[k][n];
    for (double[] row : values) {
      Arrays.setAll(row, s -> 10 * random.nextGaussian() - 100);
    }
    return values;
  }

  static CenteredMatrix unclipped(double[][] values) {
    int n = values[0].length;
    int[] bytes = new int[n];
    Arrays.fill(bytes, 1000);
    return CenteredMatrix.of(
        LogLikelihoodMatrix.of(names("m", values.length), names("t", n), bytes, values),
        Clipping.NONE);
  }

  static List<String> names(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }

  /**
   * Ridge regression by its normal equations, N × N, with Gauss-Jordan elimination: coordinates of
   * rows that are trained on, centred by the given means.
   *
   * @return N coefficients, then the intercept
   */
  static double[] normalEquations(double[][] x, double[] y, double[] means, double alpha) {
    int n = means.length;
    double targetMean = Arrays.stream(y).average().orElseThrow();
    double[][] a = new double[n][n + 1];
    for (int s = 0; s < n; s++) {
      a[s][s] = alpha;
      for (int i = 0; i < x.length; i++) {
        for (int t = 0; t < n; t++) {
          a[s][t] += (x[i][s] - means[s]) * (x[i][t] - means[t]);
        }
        a[s][n] += (x[i][s] - means[s]) * (y[i] - targetMean);
      }
    }
    for (int s = 0; s < n; s++) {
      for (int t = 0; t < n; t++) {
        double factor = t == s ? 0 : a[t][s] / a[s][s];
        for (int c = s; c <= n; c++) {
          a[t][c] -= factor * a[s][c];
        }
      }
    }
    double[] result = new double[n + 1];
    result[n] = targetMean;
    for (int s = 0; s < n; s++) {
      result[s] = a[s][n] / a[s][s];
      result[n] -= result[s] * means[s];
    }
    return result;
  }

  static double[] columnMeans(double[][] x) {
    double[] means = new double[x[0].length];
    for (double[] row : x) {
      for (int s = 0; s < row.length; s++) {
        means[s] += row[s] / x.length;
      }
    }
    return means;
  }

  static double predict(double[] coefficients, double[] row) {
    double sum = coefficients[row.length];
    for (int s = 0; s < row.length; s++) {
      sum += coefficients[s] * row[s];
    }
    return sum;
  }
}
