package io.llmap.distance;

import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The way of a model over the map while it is trained: checkpoints, and the KL divergences between
 * them (2505.15353).
 *
 * <p>A KL divergence is a squared distance on the map, so a length along the way is a sum of square
 * roots.
 *
 * <p>Immutable.
 */
public final class Trajectory {
  private final DistanceMatrix divergences;
  private final int[] checkpoints;
  private final long[] steps;

  private Trajectory(DistanceMatrix divergences, int[] checkpoints, long[] steps) {
    this.divergences = divergences;
    this.checkpoints = checkpoints;
    this.steps = steps;
  }

  /**
   * Takes the checkpoints of one training run out of a map.
   *
   * @param divergences KL divergences of K models, in any unit
   * @param checkpoints positions of at least one model, 0 to K − 1, as they were saved
   * @param steps the training step of each, rising
   * @return the trajectory
   * @throws IllegalArgumentException if there is no checkpoint, the lengths differ, or the steps do
   *     not rise
   * @throws IndexOutOfBoundsException if a position is out of range
   */
  public static Trajectory of(DistanceMatrix divergences, int[] checkpoints, long[] steps) {
    if (checkpoints.length == 0 || checkpoints.length != steps.length) {
      throw new IllegalArgumentException(
          checkpoints.length + " checkpoints at " + steps.length + " steps");
    }
    for (int checkpoint : checkpoints) {
      Objects.checkIndex(checkpoint, divergences.size());
    }
    for (int t = 1; t < steps.length; t++) {
      if (steps[t] <= steps[t - 1]) {
        throw new IllegalArgumentException(
            "steps must rise, but %d (\"%s\") follows %d (\"%s\")"
                .formatted(
                    steps[t],
                    divergences.names().get(checkpoints[t]),
                    steps[t - 1],
                    divergences.names().get(checkpoints[t - 1])));
      }
    }
    return new Trajectory(divergences, checkpoints.clone(), steps.clone());
  }

  /**
   * The number of checkpoints.
   *
   * @return at least 1
   */
  public int size() {
    return steps.length;
  }

  /**
   * The training steps.
   *
   * @return one for each checkpoint, rising, a new array
   */
  public long[] steps() {
    return steps.clone();
  }

  /**
   * How far two checkpoints are from each other.
   *
   * @param from a checkpoint from 0
   * @param to a checkpoint from 0
   * @return the KL divergence, in the unit of the map
   */
  public double divergence(int from, int to) {
    return divergences.get(checkpoints[from], checkpoints[to]);
  }

  /**
   * How far each checkpoint is from the one before.
   *
   * @return KL divergences, one fewer than checkpoints, a new array
   */
  public double[] consecutive() {
    return IntStream.range(1, size()).mapToDouble(t -> divergence(t - 1, t)).toArray();
  }

  /**
   * How far each checkpoint is from the first.
   *
   * @return KL divergences, the first of them 0, a new array
   */
  public double[] fromStart() {
    return IntStream.range(0, size()).mapToDouble(t -> divergence(0, t)).toArray();
  }

  /**
   * The length of the way from checkpoint to checkpoint: Σ√KL.
   *
   * @return in the square root of the unit of the map; more checkpoints on the same way make it
   *     longer if the way is not smooth
   */
  public double pathLength() {
    return Arrays.stream(consecutive()).map(Math::sqrt).sum();
  }

  /**
   * The straight distance from the first to the last checkpoint: √KL.
   *
   * @return in the square root of the unit of the map; at most the path length
   */
  public double displacement() {
    return Math.sqrt(divergence(0, size() - 1));
  }

  /**
   * How fast the model moves away from where it was, for one start or for many.
   *
   * @param starts the steps of the checkpoints that were started from
   * @param exponents c of each start
   * @param pooled c of all starts together: one slope, and for each start an intercept of its own
   */
  public record Diffusion(List<Long> starts, List<Double> exponents, double pooled) {
    /**
     * Copies the lists.
     *
     * @param starts the steps of the checkpoints that were started from
     * @param exponents c of each start
     * @param pooled c of all starts together
     */
    public Diffusion {
      starts = List.copyOf(starts);
      exponents = List.copyOf(exponents);
    }

    /**
     * The median of the exponents.
     *
     * @return the middle one, or the mean of the two in the middle
     */
    public double median() {
      double[] sorted = exponents.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
  }

  /**
   * The diffusion exponent c (2505.15353, section on diffusion): from each start, the slope of the
   * least-squares line of log KL over log elapsed steps to the next checkpoints.
   *
   * <pre>KL(p_t0, p_t) ∝ (t − t0)^c</pre>
   *
   * <p>c = 1 is Brownian motion, c = 2 a straight way at constant speed, c near 0 a motion about
   * one place. The unit of the divergences does not matter. The paper starts at step 1000 and later
   * and looks at the next 10 checkpoints.
   *
   * @param firstStep the first step to start from
   * @param targets how many of the next checkpoints, at least 2; a start that has fewer after it is
   *     left out
   * @return an exponent for each start
   * @throws IllegalArgumentException if targets is below 2, no start has so many checkpoints after
   *     it, or a divergence is 0
   */
  public Diffusion diffusion(long firstStep, int targets) {
    if (targets < 2) {
      throw new IllegalArgumentException("a slope needs at least 2 targets, got " + targets);
    }
    List<Long> starts = new ArrayList<>();
    List<Double> exponents = new ArrayList<>();
    double pooledXy = 0;
    double pooledXx = 0;
    for (int start = 0; start + targets < size(); start++) {
      if (steps[start] < firstStep) {
        continue;
      }
      double[] x = new double[targets];
      double[] y = new double[targets];
      for (int p = 0; p < targets; p++) {
        int t = start + 1 + p;
        double divergence = divergence(start, t);
        if (divergence == 0) {
          throw new IllegalArgumentException(
              "the divergence of steps %d and %d is 0 and has no logarithm"
                  .formatted(steps[start], steps[t]));
        }
        x[p] = Math.log(steps[t] - steps[start]);
        y[p] = Math.log(divergence);
      }
      double meanX = Arrays.stream(x).average().orElseThrow();
      double xy = 0;
      double xx = 0;
      for (int p = 0; p < targets; p++) {
        xy += (x[p] - meanX) * y[p];
        xx += (x[p] - meanX) * (x[p] - meanX);
      }
      starts.add(steps[start]);
      exponents.add(xy / xx);
      pooledXy += xy;
      pooledXx += xx;
    }
    if (starts.isEmpty()) {
      throw new IllegalArgumentException(
          "no checkpoint from step %d on has %d after it; the last step is %d"
              .formatted(firstStep, targets, steps[size() - 1]));
    }
    return new Diffusion(starts, exponents, pooledXy / pooledXx);
  }

  /**
   * The texts on which no training run jumps: all but those on which the log-likelihood changes
   * most between two checkpoints that follow each other. The paper drops 3 % of the texts before it
   * measures trajectories, and looks at checkpoints from step 2000 on.
   *
   * @param matrix log-likelihoods of checkpoints, K × N
   * @param clipping applied before changes are measured
   * @param runs for each training run the positions of its checkpoints, as they were saved
   * @param dropped the share of texts to drop, 0 to below 1; dropped · N, rounded, are
   * @return the positions of the other texts, ascending, for {@link
   *     LogLikelihoodMatrix#selectTexts}; of texts that change alike the first are kept
   * @throws IllegalArgumentException if the share is out of range
   * @throws IndexOutOfBoundsException if a position is out of range
   */
  public static int[] steadyTexts(
      LogLikelihoodMatrix matrix, Clipping clipping, List<int[]> runs, double dropped) {
    if (!(dropped >= 0 && dropped < 1)) {
      throw new IllegalArgumentException(
          "the share of texts to drop must be 0 to below 1, got " + dropped);
    }
    int n = matrix.texts();
    double[] largest = new double[n];
    for (int[] run : runs) {
      for (int t = 1; t < run.length; t++) {
        double[] before = clipping.apply(matrix.row(run[t - 1]));
        double[] after = clipping.apply(matrix.row(run[t]));
        for (int s = 0; s < n; s++) {
          largest[s] = Math.max(largest[s], Math.abs(after[s] - before[s]));
        }
      }
    }
    return IntStream.range(0, n)
        .boxed()
        .sorted(Comparator.comparingDouble(s -> largest[s]))
        .limit(n - Math.round(dropped * n))
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }
}
