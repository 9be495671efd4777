package io.llmap.predict;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** How two lists of numbers go together. */
public final class Correlation {
  private Correlation() {}

  /**
   * Pearson's correlation: how nearly one is a linear function of the other.
   *
   * @param x finite numbers
   * @param y as many finite numbers
   * @return −1 to 1; NaN if all of x or all of y are equal, or there are none
   * @throws IllegalArgumentException if the lengths differ
   */
  public static double pearson(double[] x, double[] y) {
    if (x.length != y.length) {
      throw new IllegalArgumentException(
          "cannot correlate " + x.length + " numbers with " + y.length);
    }
    return x.length == 0 ? Double.NaN : Math.max(-1, Math.min(1, dot(direction(x), direction(y))));
  }

  /**
   * Spearman's correlation: how nearly one rises with the other; Pearson's correlation of the
   * ranks, where equal numbers share the mean of their ranks.
   *
   * @param x finite numbers
   * @param y as many finite numbers
   * @return −1 to 1; NaN if all of x or all of y are equal, or there are none
   * @throws IllegalArgumentException if the lengths differ
   */
  public static double spearman(double[] x, double[] y) {
    return pearson(ranks(x), ranks(y));
  }

  /** Moved to mean 0 and scaled to length 1; NaN if all are equal. */
  private static double[] direction(double[] values) {
    double mean = Arrays.stream(values).average().orElseThrow();
    double lowest = Arrays.stream(values).min().orElseThrow();
    double highest = Arrays.stream(values).max().orElseThrow();
    // First to a size whose square is neither 0 nor infinite. Equal numbers may be a last bit away
    // from their mean: the division by 0 makes that no direction.
    double[] scaled = Arrays.stream(values).map(v -> (v - mean) / (highest - lowest)).toArray();
    double length = Math.sqrt(dot(scaled, scaled));
    return Arrays.stream(scaled).map(v -> v / length).toArray();
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[] ranks(double[] values) {
    Integer[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .toArray(Integer[]::new);
    double[] ranks = new double[values.length];
    for (int from = 0, to; from < order.length; from = to) {
      for (to = from + 1; to < order.length && values[order[to]] == values[order[from]]; ) {
        to++;
      }
      for (int p = from; p < to; p++) {
        ranks[order[p]] = (from + to - 1) / 2.0;
      }
    }
    return ranks;
  }
}
