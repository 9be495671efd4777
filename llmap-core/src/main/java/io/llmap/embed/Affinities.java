package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import java.util.Arrays;

/**
 * Symmetric neighbour probabilities of t-SNE (van der Maaten and Hinton 2008, eq. 1 and section
 * 3.1).
 *
 * <pre>p(j|i) = exp(−β_i·d_ij²) / Σ_l exp(−β_i·d_il²),   p_ij = (p(j|i) + p(i|j)) / 2K</pre>
 *
 * <p>β_i is such that the entropy of row i is the logarithm of the perplexity. All p_ij, i ≠ j, add
 * up to 1.
 */
final class Affinities {
  /** How far the entropy of a row may be from ln perplexity, in nats. */
  static final double TOLERANCE = 1e-10;

  // Finding a bracket by doubling and then bisecting it to the last bit takes about 110 steps.
  private static final int MAX_STEPS = 200;

  private final int size;
  private final double[] triangle;

  private Affinities(int size, double[] triangle) {
    this.size = size;
    this.triangle = triangle;
  }

  /**
   * From what stands beside β in the exponents: squared distances. Perplexity from 1 to K − 1;
   * O(K²) times about 40 steps of the search.
   */
  static Affinities of(DistanceMatrix exponents, double perplexity) {
    int k = exponents.size();
    double[] triangle = new double[k * (k - 1) / 2];
    double[] row = new double[k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        row[j] = exponents.get(i, j);
      }
      toConditional(row, i, perplexity);
      for (int j = 0; j < k; j++) {
        if (j != i) {
          triangle[index(Math.max(i, j), Math.min(i, j))] += row[j] / (2.0 * k);
        }
      }
    }
    return new Affinities(k, triangle);
  }

  /**
   * Replaces the exponents of model i by p(·|i). Where more neighbours than the perplexity are
   * equally near, no β reaches it: they share the probability equally.
   */
  static void toConditional(double[] row, int i, double perplexity) {
    int others = row.length - 1;
    row[i] = Double.POSITIVE_INFINITY;
    double nearest = Arrays.stream(row).min().orElseThrow();
    double mean = 0;
    for (int j = 0; j < row.length; j++) {
      // Counted from the nearest, its weight is 1 for every β, and the sum cannot underflow.
      row[j] -= nearest;
      mean += j == i ? 0 : row[j] / others;
    }
    row[i] = 0;
    if (mean == 0) {
      Arrays.fill(row, 1.0 / others);
      row[i] = 0;
      return;
    }
    double target = Math.log(perplexity);
    double low = 0;
    double high = Double.POSITIVE_INFINITY;
    double beta = 1;
    double sum = 0;
    for (int step = 0; step < MAX_STEPS; step++) {
      sum = 0;
      double energy = 0;
      for (int j = 0; j < row.length; j++) {
        if (j != i) {
          double scaled = beta * (row[j] / mean);
          double weight = Math.exp(-scaled);
          sum += weight;
          energy += weight * scaled;
        }
      }
      double excess = Math.log(sum) + energy / sum - target;
      if (Math.abs(excess) <= TOLERANCE) {
        break;
      }
      if (excess > 0) {
        low = beta;
      } else {
        high = beta;
      }
      beta = high == Double.POSITIVE_INFINITY ? 2 * beta : (low + high) / 2;
    }
    for (int j = 0; j < row.length; j++) {
      row[j] = j == i ? 0 : Math.exp(-beta * (row[j] / mean)) / sum;
    }
  }

  private static int index(int i, int j) {
    return i * (i - 1) / 2 + j;
  }

  /** K. */
  int size() {
    return size;
  }

  /** p_ij. */
  double get(int i, int j) {
    return i == j ? 0 : triangle[index(Math.max(i, j), Math.min(i, j))];
  }

  /** The strict lower triangle by rows, not a copy: (1,0), (2,0), (2,1), (3,0) … */
  double[] triangle() {
    return triangle;
  }
}
