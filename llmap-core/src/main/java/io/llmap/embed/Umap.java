package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.Random;

/**
 * UMAP on the plane (McInnes, Healy and Melville 2018): a map whose graph of near neighbours is
 * like that of the distances; distances between far groups, axes and scale mean little.
 *
 * <pre>
 * minimise Σ w_ij·ln(w_ij / φ_ij) + (1 − w_ij)·ln((1 − w_ij) / (1 − φ_ij)),
 * φ_ij = 1 / (1 + a·‖y_i − y_j‖^(2b))
 * </pre>
 *
 * <p>The steps and defaults are umap-learn 0.5's: memberships w from the n nearest neighbours, n
 * counting the model itself; a and b fitted to the minimum distance and the spread; a spectral
 * start; descent along edges drawn by weight, with pushes from models drawn at random, for 500
 * epochs up to 10,000 models and 200 beyond. Neighbours are exact here, and numbers double
 * precision, so that the maps are alike and not the same. Where the graph falls into parts they are
 * put apart by classical MDS of the mean distances between them; {@link Embedding#method()} has
 * their number. n is used as asked up to K − 1, with two models 2.
 *
 * <p>One model is at the origin.
 *
 * <p>Immutable and thread-safe; same settings and distances, same bits, on any number of threads.
 * O(K²) time for the neighbours, on several threads, and O(epochs · K · n) for the descent, on one;
 * O(K · n) doubles beside the distances.
 */
public final class Umap implements EmbeddingMethod {
  private static final int FEW_MODELS = 10_000;
  private static final int EPOCHS_OF_FEW = 500;
  private static final int EPOCHS_OF_MANY = 200;

  /** umap-learn's size of a start. */
  private static final double EXTENT = 10;

  /** Keeps models with the same start from staying together. */
  private static final double NOISE = 1e-4;

  private final int neighbours;
  private final double minDist;
  private final double spread;
  private final OptionalInt epochs;
  private final int negativeSamples;
  private final long seed;

  private Umap(
      int neighbours,
      double minDist,
      double spread,
      OptionalInt epochs,
      int negativeSamples,
      long seed) {
    this.neighbours = neighbours;
    this.minDist = minDist;
    this.spread = spread;
    this.epochs = epochs;
    this.negativeSamples = negativeSamples;
    this.seed = seed;
  }

  /**
   * umap-learn's settings: 15 neighbours, minimum distance 0.1, spread 1, epochs by the number of
   * models, 5 negative samples; seed 42.
   *
   * @return the settings
   */
  public static Umap defaults() {
    return new Umap(15, 0.1, 1, OptionalInt.empty(), 5, 42);
  }

  /**
   * Changes the size of a neighbourhood: small for detail, large for the whole.
   *
   * @param neighbours n, at least 2, the model itself counted
   * @return new settings
   * @throws IllegalArgumentException if it is below 2
   */
  public Umap withNeighbours(int neighbours) {
    if (neighbours < 2) {
      throw new IllegalArgumentException(
          "neighbours must be at least 2, the model itself and another, got " + neighbours);
    }
    return new Umap(neighbours, minDist, spread, epochs, negativeSamples, seed);
  }

  /**
   * Changes how near to each other neighbours may come on the map.
   *
   * @param minDist from 0 to the spread
   * @return new settings
   * @throws IllegalArgumentException if it is not from 0 to the spread
   */
  public Umap withMinDist(double minDist) {
    return new Umap(neighbours, minDist, spread, epochs, negativeSamples, seed).checkScale();
  }

  /**
   * Changes the distance on the map over which membership falls off.
   *
   * @param spread positive, at least the minimum distance
   * @return new settings
   * @throws IllegalArgumentException if it is not positive and finite, or below the minimum
   *     distance
   */
  public Umap withSpread(double spread) {
    return new Umap(neighbours, minDist, spread, epochs, negativeSamples, seed).checkScale();
  }

  private Umap checkScale() {
    if (!(spread > 0 && spread < Double.POSITIVE_INFINITY && minDist >= 0 && minDist <= spread)) {
      throw new IllegalArgumentException(
          "the spread must be positive and the minimum distance from 0 to it, got spread "
              + spread
              + " and minimum distance "
              + minDist);
    }
    return this;
  }

  /**
   * Fixes the length of the descent, which otherwise follows the number of models.
   *
   * @param epochs at least 1
   * @return new settings
   * @throws IllegalArgumentException if it is below 1
   */
  public Umap withEpochs(int epochs) {
    if (epochs < 1) {
      throw new IllegalArgumentException("epochs must be at least 1, got " + epochs);
    }
    return new Umap(neighbours, minDist, spread, OptionalInt.of(epochs), negativeSamples, seed);
  }

  /**
   * Changes how many models push each time an edge pulls.
   *
   * @param negativeSamples at least 1
   * @return new settings
   * @throws IllegalArgumentException if it is below 1
   */
  public Umap withNegativeSamples(int negativeSamples) {
    if (negativeSamples < 1) {
      throw new IllegalArgumentException(
          "negative samples must be at least 1, got " + negativeSamples);
    }
    return new Umap(neighbours, minDist, spread, epochs, negativeSamples, seed);
  }

  /**
   * Changes the random numbers, to see what of a map depends on them.
   *
   * @param seed of the noise on the start and of the models that push
   * @return new settings
   */
  public Umap withSeed(long seed) {
    return new Umap(neighbours, minDist, spread, epochs, negativeSamples, seed);
  }

  /**
   * {@inheritDoc}
   *
   * @return K points on the plane
   */
  @Override
  public Embedding embed(DistanceMatrix distances) {
    int k = distances.size();
    if (k < 2) {
      return Embedding.of(distances.names(), new double[k][2], description());
    }
    int usedNeighbours = Math.max(2, Math.min(neighbours, k - 1));
    int usedEpochs = epochsFor(k);
    FuzzySet all = FuzzySet.of(NeighborGraph.of(distances, usedNeighbours - 1));
    // An edge lighter than this would not be drawn once. With so few epochs that this would take
    // most edges, umap-learn counts as if there were the usual number.
    FuzzySet graph = all.prune(1.0 / (usedEpochs > 10 ? usedEpochs : Umap.defaults().epochsFor(k)));
    Random random = new Random(seed);
    double[] xy = start(SpectralLayout.of(graph, distances, random), random);
    new UmapDescent(graph, UmapCurve.fit(minDist, spread), negativeSamples, random.nextLong(), xy)
        .run(usedEpochs);
    double[][] points = new double[k][];
    for (int i = 0; i < k; i++) {
      points[i] = new double[] {xy[2 * i], xy[2 * i + 1]};
    }
    int parts = Arrays.stream(graph.components()).max().orElse(0) + 1;
    return Embedding.of(
        distances.names(),
        points,
        describe(
                usedNeighbours
                    + " neighbours"
                    + (usedNeighbours == neighbours ? "" : " (asked for " + neighbours + ")"),
                usedEpochs + " epochs")
            + (parts == 1 ? "" : ", " + parts + " separate parts"));
  }

  @Override
  public String description() {
    return describe(
        neighbours + " neighbours",
        epochs.isPresent() ? epochs.getAsInt() + " epochs" : "epochs auto");
  }

  private String describe(String neighboursText, String epochsText) {
    return "UMAP, %s, minimum distance %s, spread %s, %s, %d negative samples, seed %d"
        .formatted(
            neighboursText, plain(minDist), plain(spread), epochsText, negativeSamples, seed);
  }

  private static String plain(double value) {
    return BigDecimal.valueOf(value).round(new MathContext(4)).stripTrailingZeros().toPlainString();
  }

  private int epochsFor(int k) {
    return epochs.orElse(k <= FEW_MODELS ? EPOCHS_OF_FEW : EPOCHS_OF_MANY);
  }

  /**
   * Scaled and shaken, then each axis stretched to the same extent, as umap-learn does; x₀, y₀, x₁
   * …
   */
  private static double[] start(double[][] layout, Random random) {
    double largest = 0;
    for (double[] point : layout) {
      largest = Math.max(largest, Math.max(Math.abs(point[0]), Math.abs(point[1])));
    }
    double[] xy = new double[2 * layout.length];
    for (int c = 0; c < xy.length; c++) {
      xy[c] = layout[c / 2][c % 2] * (EXTENT / largest) + NOISE * random.nextGaussian();
    }
    for (int axis = 0; axis < 2; axis++) {
      double min = Double.POSITIVE_INFINITY;
      double max = Double.NEGATIVE_INFINITY;
      for (int c = axis; c < xy.length; c += 2) {
        min = Math.min(min, xy[c]);
        max = Math.max(max, xy[c]);
      }
      for (int c = axis; c < xy.length; c += 2) {
        xy[c] = EXTENT * (xy[c] - min) / (max - min);
      }
    }
    return xy;
  }
}
