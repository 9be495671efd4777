package io.llmap.embed;

import java.util.Arrays;

/**
 * Neighbour probabilities of one model, as wide as its perplexity asks for (van der Maaten and
 * Hinton 2008, eq. 1).
 *
 * <pre>p_j = exp(−β·d_j²) / Σ_l exp(−β·d_l²),   −Σ p_j·ln p_j = ln perplexity</pre>
 *
 * <p>β comes from Newton's steps in ln β, kept inside a bracket.
 */
final class PerplexitySearch {
  /** How far the entropy may be from ln perplexity, in nats. */
  static final double TOLERANCE = 1e-10;

  // Seven steps are usual; only where the bracket has to be halved again and again are there more.
  private static final int MAX_STEPS = 300;

  // The exponents have a mean of 1, so that the products with β stay finite. What differs by less
  // than the inverse of this is a tie.
  private static final double LARGEST_BETA = 1e290;

  // Where the entropy is flat Newton's step says little.
  private static final double MAX_LOG_STEP = 5;

  private PerplexitySearch() {}

  /**
   * Replaces the first distances of an array by probabilities. Where more neighbours than the
   * perplexity are equally near, no β reaches it: they share the probability equally.
   *
   * @param perplexity from 1 to the count
   */
  static void toProbabilities(
      double[] distances, int count, Tsne.Metric metric, double perplexity) {
    double[] exponents = distances;
    double mean = toExponents(exponents, count, metric);
    if (mean == 0) {
      Arrays.fill(exponents, 0, count, 1.0 / count);
      return;
    }
    for (int j = 0; j < count; j++) {
      exponents[j] /= mean;
    }
    double beta = beta(exponents, count, Math.log(perplexity));
    double sum = 0;
    for (int j = 0; j < count; j++) {
      exponents[j] = Math.exp(-beta * exponents[j]);
      sum += exponents[j];
    }
    for (int j = 0; j < count; j++) {
      exponents[j] /= sum;
    }
  }

  /**
   * What stands beside β, counted from the nearest: its weight is then 1 for every β, and the sum
   * cannot underflow. Returns their mean.
   */
  private static double toExponents(double[] distances, int count, Tsne.Metric metric) {
    double farthest = 0;
    for (int j = 0; j < count; j++) {
      farthest = Math.max(farthest, distances[j]);
    }
    // A power of two takes no digits, and no power of a distance overflows.
    int scale = -Math.getExponent(farthest);
    double nearest = Double.POSITIVE_INFINITY;
    for (int j = 0; j < count; j++) {
      distances[j] = metric.exponent(Math.scalb(distances[j], scale));
      nearest = Math.min(nearest, distances[j]);
    }
    double mean = 0;
    for (int j = 0; j < count; j++) {
      distances[j] -= nearest;
      mean += distances[j] / count;
    }
    return mean;
  }

  private static double beta(double[] exponents, int count, double target) {
    double low = 0;
    double high = Double.POSITIVE_INFINITY;
    double beta = 1;
    for (int step = 0; step < MAX_STEPS && beta < LARGEST_BETA; step++) {
      double sum = 0;
      double first = 0;
      double second = 0;
      for (int j = 0; j < count; j++) {
        double scaled = beta * exponents[j];
        double weight = Math.exp(-scaled);
        sum += weight;
        first += weight * scaled;
        second += weight * scaled * scaled;
      }
      double energy = first / sum;
      double excess = Math.log(sum) + energy - target;
      if (Math.abs(excess) <= TOLERANCE || (excess > 0 && first == 0)) {
        return beta;
      }
      if (excess > 0) {
        low = beta;
      } else {
        high = beta;
      }
      // The derivative of the entropy by ln β is −Var(β·e).
      double newton = excess / (second / sum - energy * energy);
      beta *= Math.exp(Math.max(-MAX_LOG_STEP, Math.min(newton, MAX_LOG_STEP)));
      if (!(beta > low && beta < high)) {
        beta = low == 0 ? high / 2 : Math.sqrt(low) * Math.sqrt(high);
      }
    }
    return beta;
  }
}
