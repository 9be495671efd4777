package io.llmap.matrix;

/**
 * Lower clipping of log-likelihoods at one global threshold, before centring (method 2.4).
 *
 * <p>Distances are second moments: without it, one model that gives one text −20,000 nats moves
 * every distance. The threshold depends on the set of models, so it is kept, and reused for models
 * added later.
 *
 * @param quantile the fraction of cells that the threshold was placed at, or 0 for no clipping
 * @param threshold in nats per text; negative infinity for no clipping
 */
public record Clipping(double quantile, double threshold) {
  /** The paper's fraction: 2 % of all cells. */
  public static final double DEFAULT_QUANTILE = 0.02;

  /** No clipping. */
  public static final Clipping NONE = new Clipping(0, Double.NEGATIVE_INFINITY);

  /**
   * Checks the numbers.
   *
   * @param quantile the fraction of cells that the threshold was placed at, or 0 for no clipping
   * @param threshold in nats per text; negative infinity for no clipping
   * @throws IllegalArgumentException if the quantile is not in [0, 1), or the threshold is NaN or
   *     positive infinity
   */
  public Clipping {
    requireQuantile(quantile);
    if (!(threshold < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("the clipping threshold is " + threshold);
    }
  }

  private static void requireQuantile(double quantile) {
    if (!(quantile >= 0 && quantile < 1)) {
      throw new IllegalArgumentException(
          "the clipping quantile must be in [0, 1), got " + quantile);
    }
  }

  /**
   * Places the threshold at a lower quantile of all values that are not missing, as numpy's {@code
   * quantile} does with its default, linear interpolation.
   *
   * @param matrix raw log-likelihoods
   * @param quantile 0 (no clipping) up to, not including, 1
   * @return the clipping; O(K·N) expected
   * @throws IllegalArgumentException if the quantile is out of range
   */
  public static Clipping atQuantile(LogLikelihoodMatrix matrix, double quantile) {
    requireQuantile(quantile);
    if (quantile == 0) {
      return NONE;
    }
    return new Clipping(quantile, Quantiles.linear(matrix.sharedRows(), quantile));
  }

  /**
   * Raises what is below the threshold to it, and leaves NaN alone.
   *
   * @param row log-likelihoods
   * @return a new array
   */
  public double[] apply(double[] row) {
    double[] clipped = row.clone();
    for (int s = 0; s < clipped.length; s++) {
      clipped[s] = Math.max(clipped[s], threshold);
    }
    return clipped;
  }
}
