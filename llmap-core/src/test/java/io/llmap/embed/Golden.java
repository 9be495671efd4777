package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.GoldenFiles;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** The matrix of the reference numbers, and matrices made from plain numbers. */
final class Golden {
  private Golden() {}

  static CenteredMatrix centered() {
    LogLikelihoodMatrix raw = logLikelihoods(GoldenFiles.matrix("raw.npy"));
    return CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02));
  }

  static DistanceMatrix distances() {
    double[][] d2 = GoldenFiles.matrix("d2.npy");
    return DistanceMatrix.of(names(d2.length), d2).map(Math::sqrt);
  }

  /** Moved down by 100 nats, which centring takes away again, so that no value is above 0. */
  static CenteredMatrix unclipped(double[][] values) {
    double[][] moved = new double[values.length][];
    Arrays.setAll(moved, i -> Arrays.stream(values[i]).map(v -> v - 100).toArray());
    return CenteredMatrix.of(logLikelihoods(moved), Clipping.NONE);
  }

  private static LogLikelihoodMatrix logLikelihoods(double[][] values) {
    int n = values[0].length;
    int[] bytes = new int[n];
    Arrays.fill(bytes, 1000);
    return LogLikelihoodMatrix.of(names(values.length), names(n), bytes, values);
  }

  static List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(i -> "m" + i).toList();
  }

  /** Euclidean distances between points, straight from their differences. */
  static DistanceMatrix between(double[][] points) {
    int k = points.length;
    double[][] d = new double[k][k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        double sum = 0;
        for (int a = 0; a < points[i].length; a++) {
          sum += (points[i][a] - points[j][a]) * (points[i][a] - points[j][a]);
        }
        d[i][j] = d[j][i] = Math.sqrt(sum);
      }
    }
    return DistanceMatrix.of(names(k), d);
  }

  static DistanceMatrix between(CenteredMatrix q) {
    return between(IntStream.range(0, q.models()).mapToObj(q::row).toArray(double[][]::new));
  }

  /** Seeded normal deviates, K × D. */
  static double[][] normal(int k, int dimensions, long seed) {
    Random random = new Random(seed);
    double[][] values = new double[k][dimensions];
    for (double[] row : values) {
      Arrays.setAll(row, a -> random.nextGaussian());
    }
    return values;
  }
}
