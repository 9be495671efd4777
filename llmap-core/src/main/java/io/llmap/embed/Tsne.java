package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import io.llmap.internal.Parallel;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * t-SNE on the plane (van der Maaten and Hinton 2008): neighbours stay neighbours; distances
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
 * <p>The gradient is exact up to 2000 models, and Barnes and Hut's (van der Maaten 2014) for more:
 * see {@link Gradient}. The objective that {@link Embedding#method()} ends with is computed over
 * all pairs in both cases.
 *
 * <p>One model is at the origin. Two models have no gradient and stay where they start.
 *
 * <p>Immutable and thread-safe. Runs on the threads of the {@link
 * java.util.concurrent.ForkJoinPool} it is called in, else of the common pool; same settings and
 * distances, same bits on any number of threads.
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

    /** What stands beside β. */
    double exponent(double distance) {
      double square = distance * distance;
      return this == EUCLIDEAN ? square : square * square;
    }
  }

  /** How the gradient is computed. */
  public enum Gradient {
    /**
     * {@link #EXACT} up to 2000 models, {@link #BARNES_HUT} for more. The exact gradient leaves
     * nothing out; measured, it takes two to three times as long for 1000 models, five times for
     * 2000, where a map is still a matter of seconds, and six times for 4000.
     */
    AUTOMATIC,
    /** Over all pairs: O(K²) time per iteration, 8·K² bytes. */
    EXACT,
    /**
     * Attraction between near models only, three for each of the perplexity, and repulsion from far
     * points in groups: O(K·log K) time per iteration, O(K) bytes beside the distances.
     */
    BARNES_HUT
  }

  /** What {@link Gradient#AUTOMATIC} says. */
  static final int EXACT_UP_TO = 2000;

  private static final double START_DEVIATION = 1e-4;

  private final Metric metric;
  private final double perplexity;
  private final TsneSchedule schedule;
  private final Gradient gradient;
  private final double theta;
  private final OptionalLong randomStart;

  private Tsne(
      Metric metric,
      double perplexity,
      TsneSchedule schedule,
      Gradient gradient,
      double theta,
      OptionalLong randomStart) {
    this.metric = metric;
    this.perplexity = perplexity;
    this.schedule = schedule;
    this.gradient = gradient;
    this.theta = theta;
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
        Metric.EUCLIDEAN,
        30,
        new TsneSchedule(1000, 12, 250, OptionalDouble.empty()),
        Gradient.AUTOMATIC,
        0.5,
        OptionalLong.empty());
  }

  /**
   * The map of 2502.16173 as its authors drew it: perplexity 30, 10000 iterations, start from PCA,
   * and squared distances, which scikit-learn squares again, so that the affinities see ‖q_i −
   * q_j‖⁴ (method 2.5); learning rate 50, scikit-learn's for up to 2400 models. scikit-learn also
   * ends after 300 iterations without progress. For anything but that picture, {@link #defaults()}
   * is the sensible choice.
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
    return new Tsne(metric, perplexity, schedule, gradient, theta, randomStart);
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
    return new Tsne(metric, perplexity, schedule, gradient, theta, randomStart);
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
    return with(
        new TsneSchedule(
            iterations,
            schedule.earlyExaggeration(),
            schedule.earlyIterations(),
            schedule.learningRate()));
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
    return with(
        new TsneSchedule(schedule.iterations(), factor, iterations, schedule.learningRate()));
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
    return with(
        new TsneSchedule(
            schedule.iterations(),
            schedule.earlyExaggeration(),
            schedule.earlyIterations(),
            OptionalDouble.of(learningRate)));
  }

  private Tsne with(TsneSchedule newSchedule) {
    return new Tsne(metric, perplexity, newSchedule, gradient, theta, randomStart);
  }

  /**
   * Chooses how the gradient is computed.
   *
   * @param gradient exact, Barnes and Hut's, or whichever is faster
   * @return new settings
   */
  public Tsne withGradient(Gradient gradient) {
    return new Tsne(metric, perplexity, schedule, gradient, theta, randomStart);
  }

  /**
   * Changes how coarse {@link Gradient#BARNES_HUT} is; an exact gradient has no use for it. At the
   * usual 0.5 the repulsion is off by 0.7 % (in norm, 10,000 points of a normal distribution);
   * scikit-learn's, at its 0.5, by 2 %.
   *
   * @param theta from 0, which sums over all points, to 1: points whose box has a diagonal of at
   *     most theta times its distance act as one
   * @return new settings
   * @throws IllegalArgumentException if it is not from 0 to 1
   */
  public Tsne withTheta(double theta) {
    if (!(theta >= 0 && theta <= 1)) {
      throw new IllegalArgumentException("theta must be from 0 to 1, got " + theta);
    }
    return new Tsne(metric, perplexity, schedule, gradient, theta, randomStart);
  }

  /**
   * Starts from normal deviates with a standard deviation of 1e-4 in place of classical MDS, to see
   * what of a map depends on its start.
   *
   * @param seed for {@link Random}, whose sequence is part of its specification
   * @return new settings
   */
  public Tsne withRandomStart(long seed) {
    return new Tsne(metric, perplexity, schedule, gradient, theta, OptionalLong.of(seed));
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
    boolean exact = gradient == Gradient.AUTOMATIC ? k <= EXACT_UP_TO : gradient == Gradient.EXACT;
    TsneGradient used;
    String approximation = "";
    if (exact) {
      used = new ExactGradient(Affinities.of(distances, metric, usedPerplexity));
    } else {
      NeighborAffinities affinities = NeighborAffinities.of(distances, metric, usedPerplexity);
      used = new BarnesHutGradient(affinities, theta);
      approximation =
          ", Barnes-Hut with theta %s over %d neighbours"
              .formatted(plain(theta), affinities.neighbors());
    }
    double[][] start = start(distances);
    double[] x = start[0];
    double[] y = start[1];
    int done = schedule.descend(used, x, y);
    double[][] points = new double[k][];
    for (int i = 0; i < k; i++) {
      points[i] = new double[] {x[i], y[i]};
    }
    String outcome =
        String.format(
            Locale.ROOT, ", %d iterations done, objective %.6f", done, used.objective(x, y));
    return Embedding.of(
        distances.names(),
        points,
        describe(
                reached(usedPerplexity),
                plain(schedule.rate(k, schedule.earlyExaggeration()))
                    + (schedule.learningRate().isPresent()
                        ? ""
                        : " then " + plain(schedule.rate(k, 1))))
            + approximation
            + outcome);
  }

  private String reached(double usedPerplexity) {
    return plain(usedPerplexity)
        + (usedPerplexity < perplexity ? " (capped from " + plain(perplexity) + ")" : "");
  }

  /**
   * Finds places for more models on a finished map, whose points stay where they are: each new
   * model goes to the local minimum of the objective over its own point, from the median of the
   * map's points weighted by its neighbour probabilities. New models do not see each other:
   * together they are where they would be one by one. As in openTSNE (Poličar and others 2019), but
   * with the normalisation of the whole map, so that a model of the map is placed about where it
   * is, and by at most 100 steps of Newton's method.
   *
   * <p>Uses metric and perplexity of these settings; the perplexity at most a third of the models
   * of the map. O(K²) time for the map and some ten times O(K) for a new model.
   *
   * @param map K models on the plane, made by t-SNE from distances in the same unit
   * @param newNames M names that are not on the map
   * @param distances M × K Euclidean distances, from each new model to those of the map, in its
   *     order
   * @return M points, in the map's coordinates
   * @throws IllegalArgumentException if the map is empty or not on a plane, a name is repeated or
   *     on the map, the shape is wrong, or a distance is negative, infinite or NaN
   */
  public Embedding place(Embedding map, List<String> newNames, double[][] distances) {
    check(map, newNames, distances);
    double usedPerplexity = perplexityFor(map.size() + 1);
    double totalWeight = TsneGradient.totalWeight(column(map, 0), column(map, 1));
    double[][] points = new double[newNames.size()][];
    Parallel.forEach(
        points.length,
        n -> {
          double[] row = distances[n].clone();
          PerplexitySearch.toProbabilities(row, row.length, metric, usedPerplexity);
          points[n] = new TsnePlacement(map, totalWeight, row).find();
        });
    return Embedding.of(
        newNames,
        points,
        "t-SNE on %s, perplexity %s, placed on a map of %d models (%s)"
            .formatted(metric.label, reached(usedPerplexity), map.size(), map.method()));
  }

  private static double[] column(Embedding map, int axis) {
    return IntStream.range(0, map.size()).mapToDouble(j -> map.get(j, axis)).toArray();
  }

  private static void check(Embedding map, List<String> newNames, double[][] distances) {
    if (map.dimensions() != 2) {
      throw new IllegalArgumentException(
          "models are placed on a plane, but the map has "
              + map.size()
              + " models in "
              + map.dimensions()
              + " dimensions");
    }
    if (newNames.size() != distances.length) {
      throw new IllegalArgumentException(
          newNames.size() + " names but distances of " + distances.length + " models");
    }
    Set<String> taken = new HashSet<>(map.names());
    for (int n = 0; n < distances.length; n++) {
      String name = newNames.get(n);
      if (!taken.add(name)) {
        throw new IllegalArgumentException(
            "\""
                + name
                + "\" is "
                + (map.names().contains(name) ? "on the map already" : "named twice"));
      }
      if (distances[n].length != map.size()) {
        throw new IllegalArgumentException(
            "\"%s\" has %d distances, but the map has %d models"
                .formatted(name, distances[n].length, map.size()));
      }
      for (int j = 0; j < map.size(); j++) {
        double d = distances[n][j];
        if (!(d >= 0 && d < Double.POSITIVE_INFINITY)) {
          throw new IllegalArgumentException(
              "the distance of \"" + name + "\" and \"" + map.names().get(j) + "\" is " + d);
        }
      }
    }
  }

  @Override
  public String description() {
    return describe(
            plain(perplexity),
            schedule.learningRate().isPresent()
                ? plain(schedule.learningRate().getAsDouble())
                : "auto")
        + switch (gradient) {
          case AUTOMATIC -> "";
          case EXACT -> ", exact gradient";
          case BARNES_HUT -> ", Barnes-Hut with theta " + plain(theta);
        };
  }

  private String describe(String perplexityText, String learningRateText) {
    return "t-SNE on %s, perplexity %s, %d iterations, early exaggeration %s for %d, learning rate %s, start from %s"
        .formatted(
            metric.label,
            perplexityText,
            schedule.iterations(),
            plain(schedule.earlyExaggeration()),
            Math.min(schedule.earlyIterations(), schedule.iterations()),
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
