package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;

/**
 * Exact t-SNE on the plane (van der Maaten and Hinton 2008): neighbours stay neighbours; distances
 * between far groups, axes and scale mean nothing.
 *
 * <pre>minimise Σ p_ij·ln(p_ij / q_ij),   q_ij ∝ 1 / (1 + ‖y_i − y_j‖²)</pre>
 *
 * <p>The perplexity is about the number of neighbours a model has. It is used as asked up to a
 * third of the other models, (K − 1)/3; with fewer than seven models, where a third of them is
 * below two neighbours, up to the smaller of 2 and K/2. {@link Embedding#method()} has what was
 * used.
 *
 * <p>The descent is scikit-learn's: momentum 0.5 in the early phase and 0.8 after it, a gain per
 * coordinate; a phase ends early once the gradient has vanished, or once the map has shrunk to a
 * millionth, which exaggeration does to models without groups. The learning rate is K / (4·e), e
 * the exaggeration of the phase (Belkina and others 2019; openTSNE). scikit-learn has max(K /
 * (4·12), 50) in both phases; for K below some hundreds that overshoots in the early phase, which
 * forgets the start and ends at a higher objective.
 *
 * <p>One model is at the origin. Two models have no gradient and stay where they start.
 *
 * <p>Immutable and thread-safe; one thread per call, same settings and distances, same bits. O(K²)
 * time per iteration, O(K²) doubles.
 */
public final class Tsne implements EmbeddingMethod {
  /** What the affinities see in place of a distance d. */
  public enum Metric {
    /** d itself, in exp(−β·d²). */
    EUCLIDEAN("distances"),
    /**
     * d², in exp(−β·d⁴): what scikit-learn does for {@code metric="sqeuclidean"}, since it squares
     * whatever the metric gave it.
     */
    SQUARED_EUCLIDEAN("squared distances");

    private final String label;

    Metric(String label) {
      this.label = label;
    }
  }

  private static final double START_DEVIATION = 1e-4;

  private final Metric metric;
  private final double perplexity;
  private final int iterations;
  private final double earlyExaggeration;
  private final int earlyIterations;
  private final OptionalDouble learningRate;
  private final OptionalLong randomStart;

  private Tsne(
      Metric metric,
      double perplexity,
      int iterations,
      double earlyExaggeration,
      int earlyIterations,
      OptionalDouble learningRate,
      OptionalLong randomStart) {
    this.metric = metric;
    this.perplexity = perplexity;
    this.iterations = iterations;
    this.earlyExaggeration = earlyExaggeration;
    this.earlyIterations = earlyIterations;
    this.learningRate = learningRate;
    this.randomStart = randomStart;
  }

  /**
   * The usual settings: Euclidean distances, perplexity 30, 1000 iterations, the first 250 of them
   * with exaggeration 12, start from classical MDS with a standard deviation of 1e-4 on its first
   * axis (Kobak and Berens 2019).
   *
   * @return the settings
   */
  public static Tsne defaults() {
    return new Tsne(
        Metric.EUCLIDEAN, 30, 1000, 12, 250, OptionalDouble.empty(), OptionalLong.empty());
  }

  /**
   * The map of 2502.16173 as its authors drew it: perplexity 30, 10000 iterations, start from PCA,
   * and squared distances, which scikit-learn squares again, so that the affinities see ‖q_i −
   * q_j‖⁴ (method 2.5); learning rate 50, scikit-learn's for up to 2400 models. For anything but
   * that picture, {@link #defaults()} is the sensible choice.
   *
   * @return the settings
   */
  public static Tsne modelMapPaper() {
    return defaults()
        .withMetric(Metric.SQUARED_EUCLIDEAN)
        .withIterations(10_000)
        .withLearningRate(50);
  }

  /**
   * Changes what the affinities see. The start is from the distances themselves in any case.
   *
   * @param metric the power of the distances
   * @return new settings
   */
  public Tsne withMetric(Metric metric) {
    return new Tsne(
        metric,
        perplexity,
        iterations,
        earlyExaggeration,
        earlyIterations,
        learningRate,
        randomStart);
  }

  /**
   * Changes the perplexity.
   *
   * @param perplexity about the number of neighbours, at least 1
   * @return new settings
   * @throws IllegalArgumentException if it is below 1 or not finite
   */
  public Tsne withPerplexity(double perplexity) {
    if (!(perplexity >= 1 && perplexity < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the perplexity must be finite and at least 1, got " + perplexity);
    }
    return new Tsne(
        metric,
        perplexity,
        iterations,
        earlyExaggeration,
        earlyIterations,
        learningRate,
        randomStart);
  }

  /**
   * Changes how long the descent may take.
   *
   * @param iterations at least 1, the early ones included; early exaggeration ends with them if
   *     they are fewer
   * @return new settings
   * @throws IllegalArgumentException if it is below 1
   */
  public Tsne withIterations(int iterations) {
    if (iterations < 1) {
      throw new IllegalArgumentException("iterations must be at least 1, got " + iterations);
    }
    return new Tsne(
        metric,
        perplexity,
        iterations,
        earlyExaggeration,
        earlyIterations,
        learningRate,
        randomStart);
  }

  /**
   * Changes the first phase, in which the affinities are multiplied so that groups form.
   *
   * @param factor at least 1
   * @param iterations 0 or more
   * @return new settings
   * @throws IllegalArgumentException if the factor is below 1 or not finite, or iterations is
   *     negative
   */
  public Tsne withEarlyExaggeration(double factor, int iterations) {
    if (!(factor >= 1 && factor < Double.POSITIVE_INFINITY) || iterations < 0) {
      throw new IllegalArgumentException(
          "early exaggeration needs a factor of at least 1 and no negative iterations, got "
              + factor
              + " for "
              + iterations);
    }
    return new Tsne(
        metric, perplexity, this.iterations, factor, iterations, learningRate, randomStart);
  }

  /**
   * Fixes the learning rate, which otherwise follows the number of models and the exaggeration.
   *
   * @param learningRate positive, the same in both phases
   * @return new settings
   * @throws IllegalArgumentException if it is not positive and finite
   */
  public Tsne withLearningRate(double learningRate) {
    if (!(learningRate > 0 && learningRate < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the learning rate must be positive and finite, got " + learningRate);
    }
    return new Tsne(
        metric,
        perplexity,
        iterations,
        earlyExaggeration,
        earlyIterations,
        OptionalDouble.of(learningRate),
        randomStart);
  }

  /**
   * Starts from normal deviates with a standard deviation of 1e-4 in place of classical MDS, to see
   * what of a map depends on its start.
   *
   * @param seed for {@link Random}, whose sequence is part of its specification
   * @return new settings
   */
  public Tsne withRandomStart(long seed) {
    return new Tsne(
        metric,
        perplexity,
        iterations,
        earlyExaggeration,
        earlyIterations,
        learningRate,
        OptionalLong.of(seed));
  }

  /**
   * {@inheritDoc}
   *
   * @return K points on the plane
   * @throws IllegalArgumentException if the points do not stay finite: the learning rate is too
   *     large
   */
  @Override
  public Embedding embed(DistanceMatrix distances) {
    int k = distances.size();
    if (k < 2) {
      return Embedding.of(distances.names(), new double[k][2], description());
    }
    double usedPerplexity = perplexityFor(k);
    DistanceMatrix squares = distances.map(d -> d * d);
    DistanceMatrix exponents = metric == Metric.EUCLIDEAN ? squares : squares.map(d -> d * d);
    TsneGradient gradient = new ExactGradient(Affinities.of(exponents, usedPerplexity));
    double[][] start = start(distances);
    double[] x = start[0];
    double[] y = start[1];
    int done = descend(gradient, x, y);
    double[][] points = new double[k][];
    for (int i = 0; i < k; i++) {
      points[i] = new double[] {x[i], y[i]};
    }
    String outcome =
        String.format(
            Locale.ROOT, ", %d iterations done, objective %.6f", done, gradient.objective(x, y));
    return Embedding.of(
        distances.names(),
        points,
        describe(
                plain(usedPerplexity)
                    + (usedPerplexity < perplexity
                        ? " (capped from " + plain(perplexity) + ")"
                        : ""),
                plain(rate(k, earlyExaggeration))
                    + (learningRate.isPresent() ? "" : " then " + plain(rate(k, 1))))
            + outcome);
  }

  @Override
  public String description() {
    return describe(
        plain(perplexity), learningRate.isPresent() ? plain(learningRate.getAsDouble()) : "auto");
  }

  private String describe(String perplexityText, String learningRateText) {
    return "t-SNE on %s, perplexity %s, %d iterations, early exaggeration %s for %d, learning rate %s, start from %s"
        .formatted(
            metric.label,
            perplexityText,
            iterations,
            plain(earlyExaggeration),
            Math.min(earlyIterations, iterations),
            learningRateText,
            randomStart.isPresent() ? "seed " + randomStart.getAsLong() : "classical MDS");
  }

  private static String plain(double value) {
    return BigDecimal.valueOf(value).round(new MathContext(4)).stripTrailingZeros().toPlainString();
  }

  /** The perplexity that K ≥ 2 models can have: see the class comment. */
  double perplexityFor(int k) {
    return Math.min(perplexity, Math.max((k - 1) / 3.0, Math.min(2, k / 2.0)));
  }

  private double rate(int k, double exaggeration) {
    return learningRate.orElse(k / (4 * exaggeration));
  }

  /** Both phases, from (x, y), in place; returns the iterations done. */
  int descend(TsneGradient gradient, double[] x, double[] y) {
    int k = x.length;
    int early = Math.min(earlyIterations, iterations);
    GradientDescent first =
        new GradientDescent(earlyExaggeration, rate(k, earlyExaggeration), 0.5, early);
    GradientDescent second = new GradientDescent(1, rate(k, 1), 0.8, iterations - early);
    return first.run(gradient, x, y) + second.run(gradient, x, y);
  }

  private double[][] start(DistanceMatrix distances) {
    double[][] start = new double[2][distances.size()];
    if (randomStart.isPresent()) {
      Random random = new Random(randomStart.getAsLong());
      for (int i = 0; i < distances.size(); i++) {
        start[0][i] = START_DEVIATION * random.nextGaussian();
        start[1][i] = START_DEVIATION * random.nextGaussian();
      }
      return start;
    }
    double[][] axes = ClassicalMds.axes(distances, 2);
    if (axes.length == 0) {
      return start;
    }
    double squares = 0;
    for (double c : axes[0]) {
      squares += c * c;
    }
    double scale = START_DEVIATION / Math.sqrt(squares / distances.size());
    for (int i = 0; i < distances.size(); i++) {
      start[0][i] = scale * axes[0][i];
      // Points on a line would never leave it, since the gradient across is 0. Bent into a shallow
      // parabola they can.
      double u = start[0][i] / START_DEVIATION;
      start[1][i] = axes.length == 2 ? scale * axes[1][i] : 0.1 * START_DEVIATION * (u * u - 1);
    }
    return start;
  }
}
