package io.llmap.distance;

import io.llmap.matrix.LogLikelihoodMatrix;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/** Matrices of made-up log-likelihoods, every text of 1000 bytes. */
final class Simulated {
  private Simulated() {}

  static LogLikelihoodMatrix matrix(double[][] values) {
    int n = values[0].length;
    int[] bytes = new int[n];
    Arrays.fill(bytes, 1000);
    return LogLikelihoodMatrix.of(
        IntStream.range(0, values.length).mapToObj(i -> "m" + i).toList(),
        IntStream.range(0, n).mapToObj(s -> "t" + s).toList(),
        bytes,
        values);
  }

  /** Texts that are easy or hard for all, models that are good or bad, and noise of each cell. */
  static double[][] values(Random random, int k, int n) {
    double[] text = random.doubles(n, -900, -300).toArray();
    double[][] values = new double[k][n];
    for (double[] row : values) {
      double quality = 50 * random.nextGaussian();
      for (int s = 0; s < n; s++) {
        row[s] = text[s] + quality + 10 * random.nextGaussian();
      }
    }
    return values;
  }
}
