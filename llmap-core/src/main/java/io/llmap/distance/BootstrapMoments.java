package io.llmap.distance;

import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * What is left of the replicates of every pair: the tails that hold the interval's ends, and the
 * sums of the deviations from the estimate and of their squares.
 */
final class BootstrapMoments {
  private final DistanceMatrix estimate;
  private final int replicates;

  /** Where numpy's linear quantile finds the lower end among the sorted replicates, from 0. */
  private final double position;

  /** The smallest values so far, [rank][pair], ascending; and the largest, descending. */
  private final double[][] lowest;

  private final double[][] highest;
  private final double[] sum;
  private final double[] sumOfSquares;

  BootstrapMoments(DistanceMatrix estimate, int replicates, double level) {
    this.estimate = estimate;
    this.replicates = replicates;
    position = (1 - level) / 2 * (replicates - 1);
    int kept = Math.min((int) position + 2, replicates);
    int k = estimate.size();
    int pairs = Math.toIntExact((long) k * (k - 1) / 2);
    lowest = new double[kept][pairs];
    highest = new double[kept][pairs];
    for (int rank = 0; rank < kept; rank++) {
      Arrays.fill(lowest[rank], Double.POSITIVE_INFINITY);
      Arrays.fill(highest[rank], Double.NEGATIVE_INFINITY);
    }
    sum = new double[pairs];
    sumOfSquares = new double[pairs];
  }

  void add(DistanceMatrix squared) {
    int last = lowest.length - 1;
    Parallel.forEach(
        squared.size(),
        i -> {
          int pair = first(i);
          for (int j = 0; j < i; j++, pair++) {
            double value = squared.get(i, j);
            double deviation = value - estimate.get(i, j);
            sum[pair] += deviation;
            sumOfSquares[pair] += deviation * deviation;
            if (value < lowest[last][pair]) {
              int rank = last;
              for (; rank > 0 && value < lowest[rank - 1][pair]; rank--) {
                lowest[rank][pair] = lowest[rank - 1][pair];
              }
              lowest[rank][pair] = value;
            }
            if (value > highest[last][pair]) {
              int rank = last;
              for (; rank > 0 && value > highest[rank - 1][pair]; rank--) {
                highest[rank][pair] = highest[rank - 1][pair];
              }
              highest[rank][pair] = value;
            }
          }
        });
  }

  private static int first(int i) {
    return (int) ((long) i * (i - 1) / 2);
  }

  DistanceMatrix lower() {
    return end(lowest);
  }

  DistanceMatrix upper() {
    return end(highest);
  }

  private DistanceMatrix end(double[][] ranks) {
    int rank = (int) position;
    double share = position - rank;
    int next = Math.min(rank + 1, ranks.length - 1);
    double[] values = new double[sum.length];
    for (int pair = 0; pair < values.length; pair++) {
      double a = ranks[rank][pair];
      values[pair] = a + share * (ranks[next][pair] - a);
    }
    return DistanceMatrix.wrap(estimate.names(), values);
  }

  DistanceMatrix standardError() {
    double[] values = new double[sum.length];
    for (int pair = 0; pair < values.length; pair++) {
      double variance =
          (sumOfSquares[pair] - sum[pair] * sum[pair] / replicates) / (replicates - 1);
      values[pair] = Math.sqrt(Math.max(0, variance));
    }
    return DistanceMatrix.wrap(estimate.names(), values);
  }
}
