package io.llmap;

import io.llmap.distance.KlDistances;
import io.llmap.embed.Embedding;
import io.llmap.embed.EmbeddingMethod;
import io.llmap.embed.Tsne;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import java.util.List;
import java.util.Optional;

/**
 * A map of models: from log-likelihoods to coordinates, distances and points, with the settings
 * that led there.
 *
 * <p>Immutable; O(K·N + K²) memory for K models and N texts.
 */
public final class ModelMap {
  private final LogLikelihoodMatrix matrix;
  private final CenteredMatrix coordinates;
  private final KlDistances distances;
  private final Embedding embedding;

  private ModelMap(
      LogLikelihoodMatrix matrix,
      CenteredMatrix coordinates,
      KlDistances distances,
      Embedding embedding) {
    this.matrix = matrix;
    this.coordinates = coordinates;
    this.distances = distances;
    this.embedding = embedding;
  }

  /**
   * Draws a map with the default settings: 2 % clipping, t-SNE.
   *
   * @param matrix log-likelihoods of at least two models
   * @return the map
   */
  public static ModelMap of(LogLikelihoodMatrix matrix) {
    return builder(matrix).build();
  }

  /**
   * Starts a map with the default settings.
   *
   * @param matrix log-likelihoods of at least two models
   * @return a builder
   */
  public static Builder builder(LogLikelihoodMatrix matrix) {
    return new Builder(matrix);
  }

  /**
   * The log-likelihoods that the map was made from.
   *
   * @return raw, before clipping
   */
  public LogLikelihoodMatrix matrix() {
    return matrix;
  }

  /**
   * The model coordinates Q.
   *
   * @return clipped and centred
   */
  public CenteredMatrix coordinates() {
    return coordinates;
  }

  /**
   * The estimated KL divergences.
   *
   * @return all pairs
   */
  public KlDistances distances() {
    return distances;
  }

  /**
   * The points.
   *
   * @return one a model, in the matrix's order
   */
  public Embedding embedding() {
    return embedding;
  }

  /** Settings of a map. Not thread-safe. */
  public static final class Builder {
    private final LogLikelihoodMatrix matrix;
    private double clip = Clipping.DEFAULT_QUANTILE;
    private EmbeddingMethod method = Tsne.defaults();
    private Optional<KlDistances> distances = Optional.empty();

    private Builder(LogLikelihoodMatrix matrix) {
      this.matrix = matrix;
    }

    /**
     * Sets the lower quantile at which log-likelihoods are clipped.
     *
     * @param quantile 0 (no clipping) up to, not including, 1
     * @return this
     */
    public Builder clip(double quantile) {
      clip = quantile;
      return this;
    }

    /**
     * Sets how points are placed.
     *
     * @param value the method
     * @return this
     */
    public Builder embedding(EmbeddingMethod value) {
      method = value;
      return this;
    }

    /**
     * Replaces the paper's estimate by another one, such as {@code KlDistances.of(segments)}: the
     * map is then drawn from its square roots.
     *
     * @param value of the matrix's models, in its order
     * @return this
     * @throws IllegalArgumentException if the models are others
     */
    public Builder distances(KlDistances value) {
      List<String> others = value.squaredEuclidean().names();
      if (!others.equals(matrix.names())) {
        throw new IllegalArgumentException(
            "the distances are of the models %s, the matrix of %s"
                .formatted(others, matrix.names()));
      }
      distances = Optional.of(value);
      return this;
    }

    /**
     * Runs the pipeline: clip, centre, distances, points. O(K²·N) and the cost of the method.
     *
     * @return the map
     * @throws IllegalArgumentException if there are fewer than two models or two texts, or a
     *     setting is out of range
     */
    public ModelMap build() {
      if (matrix.models() < 2 || matrix.texts() < 2) {
        throw new IllegalArgumentException(
            "a map needs at least two models and two texts, got %d and %d"
                .formatted(matrix.models(), matrix.texts()));
      }
      CenteredMatrix coordinates = CenteredMatrix.of(matrix, Clipping.atQuantile(matrix, clip));
      KlDistances kl = distances.orElseGet(() -> KlDistances.of(coordinates));
      return new ModelMap(matrix, coordinates, kl, method.embed(kl.euclidean()));
    }
  }
}
