package io.llmap.distance;

import java.util.Objects;

/**
 * How sure the divergences and the nearest models are, from the replicates of a {@link Bootstrap}.
 *
 * <p>Intervals are percentile intervals: their ends are quantiles of the replicates, interpolated
 * linearly as numpy does. Immutable.
 */
public final class BootstrapSummary {
  private final KlDistances estimate;
  private final double level;
  private final int replicates;
  private final long seed;
  private final DistanceMatrix lower;
  private final DistanceMatrix upper;
  private final DistanceMatrix standardError;
  private final int[][] nearest;
  private final int[] nearestOfAll;
  private final int k;

  BootstrapSummary(
      KlDistances estimate,
      double level,
      int replicates,
      long seed,
      BootstrapMoments moments,
      int[][] nearest,
      int k) {
    this.estimate = estimate;
    this.level = level;
    this.replicates = replicates;
    this.seed = seed;
    this.lower = moments.lower();
    this.upper = moments.upper();
    this.standardError = moments.standardError();
    this.nearest = nearest;
    this.nearestOfAll = Neighbours.ofAll(estimate.squaredEuclidean(), k);
    this.k = k;
  }

  /**
   * The divergences from all texts.
   *
   * @return the estimate that the intervals belong to; its estimator is theirs
   */
  public KlDistances estimate() {
    return estimate;
  }

  /**
   * The intervals' nominal coverage.
   *
   * @return such as 0.95
   */
  public double level() {
    return level;
  }

  /**
   * The number of replicates, R.
   *
   * @return at least 2
   */
  public int replicates() {
    return replicates;
  }

  /**
   * The seed of the draws.
   *
   * @return as given
   */
  public long seed() {
    return seed;
  }

  /**
   * The lower ends of the intervals.
   *
   * @param unit the unit
   * @return K × K
   */
  public DistanceMatrix lower(KlUnit unit) {
    return in(unit, lower);
  }

  /**
   * The upper ends of the intervals.
   *
   * @param unit the unit
   * @return K × K
   */
  public DistanceMatrix upper(KlUnit unit) {
    return in(unit, upper);
  }

  /**
   * The standard errors: the replicates' standard deviation, with R − 1.
   *
   * @param unit the unit
   * @return K × K
   */
  public DistanceMatrix standardError(KlUnit unit) {
    return in(unit, standardError);
  }

  private DistanceMatrix in(KlUnit unit, DistanceMatrix squared) {
    return estimate.resampled(squared).in(unit);
  }

  /**
   * How many nearest models of a model were followed, k.
   *
   * @return 1 to K − 1
   */
  public int neighbours() {
    return k;
  }

  /**
   * In which share of the replicates one model is the nearest of another.
   *
   * @param i the model that is asked about
   * @param j the other
   * @return 0 to 1
   */
  public double nearestShare(int i, int j) {
    return shareWithin(i, j, 1);
  }

  /**
   * In which share of the replicates one model is among the k nearest of another.
   *
   * @param i the model that is asked about
   * @param j the other
   * @return 0 to 1
   */
  public double neighbourShare(int i, int j) {
    return shareWithin(i, j, k);
  }

  private double shareWithin(int i, int j, int ranks) {
    Objects.checkIndex(i, size());
    Objects.checkIndex(j, size());
    int found = 0;
    for (int[] replicate : nearest) {
      found += contains(replicate, i, j, ranks) ? 1 : 0;
    }
    return (double) found / replicates;
  }

  /**
   * How much of a model's k nearest models stays: the mean over the replicates of the share of
   * those from all texts that are among the k nearest again.
   *
   * @param i 0 to K − 1
   * @return 0 to 1
   */
  public double neighbourOverlap(int i) {
    Objects.checkIndex(i, size());
    int found = 0;
    for (int[] replicate : nearest) {
      for (int rank = 0; rank < k; rank++) {
        found += contains(replicate, i, nearestOfAll[i * k + rank], k) ? 1 : 0;
      }
    }
    return (double) found / ((double) replicates * k);
  }

  private int size() {
    return lower.size();
  }

  private boolean contains(int[] replicate, int i, int j, int ranks) {
    for (int rank = 0; rank < ranks; rank++) {
      if (replicate[i * k + rank] == j) {
        return true;
      }
    }
    return false;
  }
}
