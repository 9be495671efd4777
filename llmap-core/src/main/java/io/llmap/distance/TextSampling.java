package io.llmap.distance;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * With which probability each text is drawn when only some are to be scored (2505.15428, method
 * 3.1).
 *
 * <p>Texts on which the existing models differ say more about distances than others; drawn more
 * often and weighted down by {@link TextSample}, fewer of them give the same error: about half as
 * many on the paper's 1018 models. The probabilities come from existing models only, so that later
 * ones need no other texts.
 *
 * <p>Immutable; N doubles.
 */
public final class TextSampling {
  private final List<String> textIds;
  private final double meanBytes;
  private final Clipping clipping;
  private final double[] probabilities;

  private TextSampling(
      List<String> textIds, double meanBytes, Clipping clipping, double[] probabilities) {
    this.textIds = textIds;
    this.meanBytes = meanBytes;
    this.clipping = clipping;
    this.probabilities = probabilities;
  }

  /**
   * Every text with the probability 1/N.
   *
   * @param existing log-likelihoods of the existing models, K × N
   * @param clipping the threshold that goes with them; kept for models added later
   * @return the probabilities
   */
  public static TextSampling uniform(LogLikelihoodMatrix existing, Clipping clipping) {
    double[] equal = new double[existing.texts()];
    Arrays.fill(equal, 1);
    return of(existing, clipping, equal);
  }

  /**
   * Length-squared (LS): in proportion to the squared length of a text's column of coordinates, the
   * variance of the models on it.
   *
   * <pre>π_s ∝ Σ_i q[i,s]²</pre>
   *
   * @param existing log-likelihoods of the existing models, K × N
   * @param clipping the threshold that goes with them; kept for models added later
   * @return the probabilities; O(K·N)
   * @throws IllegalArgumentException if no text tells the models apart, as with one model, or a
   *     cell is missing
   */
  public static TextSampling lengthSquared(LogLikelihoodMatrix existing, Clipping clipping) {
    return of(existing, clipping, powerSums(existing, clipping)[2]);
  }

  /**
   * KL: in proportion to the root of the summed fourth powers of the models' differences on a text,
   * which makes the summed variance of all squared distances the smallest.
   *
   * <pre>π_s ∝ √a_s,  a_s = Σ_ij (q[i,s] − q[j,s])⁴ = 2K·S₄ + 6·S₂² − 8·S₁·S₃,  S_r = Σ_i q[i,s]^r
   * </pre>
   *
   * @param existing log-likelihoods of the existing models, K × N
   * @param clipping the threshold that goes with them; kept for models added later
   * @return the probabilities; O(K·N)
   * @throws IllegalArgumentException if no text tells the models apart, as with one model, or a
   *     cell is missing
   */
  public static TextSampling kl(LogLikelihoodMatrix existing, Clipping clipping) {
    double[][] sums = powerSums(existing, clipping);
    double[] roots = new double[existing.texts()];
    for (int s = 0; s < roots.length; s++) {
      double a =
          2.0 * existing.models() * sums[4][s]
              + 6 * sums[2][s] * sums[2][s]
              - 8 * sums[1][s] * sums[3][s];
      roots[s] = Math.sqrt(Math.max(0, a));
    }
    return of(existing, clipping, roots);
  }

  /** S_r of every text, [r][s], r from 1 to 4. */
  private static double[][] powerSums(LogLikelihoodMatrix existing, Clipping clipping) {
    CenteredMatrix coordinates = CenteredMatrix.of(existing, clipping);
    coordinates.requireComplete("sampling texts by the models' differences");
    int n = coordinates.texts();
    double[][] sums = new double[5][n];
    double[] row = new double[n];
    for (int i = 0; i < coordinates.models(); i++) {
      coordinates.copyRow(i, 0, n, row, 0);
      for (int s = 0; s < n; s++) {
        double square = row[s] * row[s];
        sums[1][s] += row[s];
        sums[2][s] += square;
        sums[3][s] += square * row[s];
        sums[4][s] += square * square;
      }
    }
    return sums;
  }

  private static TextSampling of(
      LogLikelihoodMatrix existing, Clipping clipping, double[] proportions) {
    double sum = Arrays.stream(proportions).sum();
    if (!(sum > 0)) {
      throw new IllegalArgumentException(
          "%d model(s) do not differ on any of the %d texts: no text is better than another"
              .formatted(existing.models(), existing.texts()));
    }
    double[] probabilities = Arrays.stream(proportions).map(p -> p / sum).toArray();
    return new TextSampling(existing.textIds(), existing.meanBytes(), clipping, probabilities);
  }

  /**
   * Mixes in uniform sampling: π′ = (1 − share)·π + share/N.
   *
   * <p>A text on which all existing models agree has the probability 0 and would never be drawn,
   * although a new model may differ there; and a text with a tiny probability would get a huge
   * weight. The floor bounds the importance weight of a draw by N / (n · share) (method 9.7).
   *
   * @param share 0 to 1, such as 0.05
   * @return the mixed probabilities
   * @throws IllegalArgumentException if the share is not in [0, 1]
   */
  public TextSampling withUniformFloor(double share) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException("the uniform share must be in [0, 1], got " + share);
    }
    double floor = share / texts();
    double[] mixed = Arrays.stream(probabilities).map(p -> (1 - share) * p + floor).toArray();
    return new TextSampling(textIds, meanBytes, clipping, mixed);
  }

  /**
   * The number of texts, N.
   *
   * @return at least 1
   */
  public int texts() {
    return probabilities.length;
  }

  /**
   * The probability of a text.
   *
   * @param n 0 to N − 1
   * @return 0 to 1; over all texts they sum to 1
   */
  public double probability(int n) {
    return probabilities[n];
  }

  /**
   * Draws texts with replacement: each draw is the first text whose cumulative probability exceeds
   * the next {@link SplittableRandom#nextDouble()}.
   *
   * @param draws n, at least 1
   * @param seed the same seed gives the same texts
   * @return the drawn texts; O(N + n·log N)
   * @throws IllegalArgumentException if nothing is to be drawn
   */
  public TextSample draw(int draws, long seed) {
    if (draws < 1) {
      throw new IllegalArgumentException("a sample needs at least one draw, got " + draws);
    }
    double[] cumulative = new double[texts()];
    double total = 0;
    for (int s = 0; s < cumulative.length; s++) {
      total += probabilities[s];
      cumulative[s] = total;
    }
    SplittableRandom random = new SplittableRandom(seed);
    int[] drawn = new int[draws];
    for (int t = 0; t < drawn.length; t++) {
      drawn[t] = firstAbove(cumulative, random.nextDouble() * total);
    }
    return sample(drawn);
  }

  private static int firstAbove(double[] ascending, double value) {
    int low = 0;
    int high = ascending.length - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ascending[middle] > value) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /**
   * Takes texts that were drawn elsewhere with these probabilities.
   *
   * @param drawn the n positions drawn, with repetitions, in any order
   * @return the drawn texts
   * @throws IllegalArgumentException if nothing was drawn, or a text whose probability is 0
   * @throws IndexOutOfBoundsException if there is no such text
   */
  public TextSample sample(int[] drawn) {
    if (drawn.length == 0) {
      throw new IllegalArgumentException("a sample needs at least one draw, got 0");
    }
    int[] counts = new int[texts()];
    for (int s : drawn) {
      counts[s]++;
    }
    int[] indices = Arrays.stream(drawn).sorted().distinct().toArray();
    String[] ids = new String[indices.length];
    double[] importance = new double[indices.length];
    for (int t = 0; t < indices.length; t++) {
      int s = indices[t];
      ids[t] = textIds.get(s);
      if (probabilities[s] == 0) {
        throw new IllegalArgumentException(
            "text \"" + ids[t] + "\" was drawn, but its probability is 0");
      }
      importance[t] = counts[s] / (drawn.length * probabilities[s]);
    }
    return new TextSample(
        List.of(ids),
        indices,
        Arrays.stream(indices).map(s -> counts[s]).toArray(),
        importance,
        drawn.length,
        texts(),
        meanBytes,
        clipping);
  }
}
