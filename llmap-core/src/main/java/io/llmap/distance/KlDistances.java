package io.llmap.distance;

import io.llmap.matrix.CenteredMatrix;

/**
 * Estimated KL divergences between models, symmetric by construction: half the squared distance of
 * the model coordinates (2502.16173, section 3; method section 1), or of the segment vectors
 * (method section 11), for each text. From {@linkplain SketchMatrix sketches} it is a squared
 * Hellinger distance times a ratio that differs from pair to pair.
 *
 * <pre>KL(p_i, p_j) ≈ ‖q_i − q_j‖² / (2N)    nats per text</pre>
 *
 * <p>KL(p_i, p_j), KL(p_j, p_i) and their mean agree to the order of this estimate (method 2.1), so
 * one number stands for all three; the sum of both directions is the {@linkplain #jeffreys Jeffreys
 * divergence}.
 *
 * <p>For some of the texts only, such as one category, centre those alone: {@code
 * CenteredMatrix.of(matrix.selectTexts(indices), clipping)} with the clipping of the whole matrix.
 *
 * <p>Immutable. Read {@link KlEstimator} before trusting a size rather than an order.
 */
public final class KlDistances {
  private final KlEstimator estimator;
  private final DistanceMatrix squared;
  private final int texts;
  private final double meanBytes;
  private final String description;

  KlDistances(
      KlEstimator estimator,
      String description,
      DistanceMatrix squared,
      int texts,
      double meanBytes) {
    this.estimator = estimator;
    this.description = description;
    this.squared = squared;
    this.texts = texts;
    this.meanBytes = meanBytes;
  }

  /**
   * Computes all pairs with the paper's estimator. Where models lack texts, a pair's distance is N
   * times the variance over the texts that both have; the mean length stays that of all texts.
   *
   * @param coordinates Q, K × N
   * @return the divergences; O(K²·N) time, O(K²) memory
   */
  public static KlDistances of(CenteredMatrix coordinates) {
    return of(coordinates, GramKernels.best());
  }

  /**
   * Computes all pairs with the paper's estimator and a Gram kernel of the caller's choice.
   *
   * @param coordinates Q, K × N
   * @param kernel multiplies Q by its transpose
   * @return the divergences; O(K²·N) time, O(K²) memory
   */
  public static KlDistances of(CenteredMatrix coordinates, GramKernel kernel) {
    return new KlDistances(
        KlEstimator.TEXT_VARIANCE,
        KlEstimator.TEXT_VARIANCE.toString(),
        SquaredDistances.of(coordinates, kernel),
        coordinates.texts(),
        coordinates.meanBytes());
  }

  /**
   * Computes all pairs from segment vectors.
   *
   * @param segments K models
   * @return the divergences of the covered bytes of a text; O(K²·G) time for G segments, O(K·N + K²
   *     + G) memory
   */
  public static KlDistances of(SegmentMatrix segments) {
    return of(segments, GramKernels.best());
  }

  /**
   * Computes all pairs from segment vectors, with a Gram kernel of the caller's choice.
   *
   * @param segments K models
   * @param kernel multiplies the vectors with each other
   * @return the divergences of the covered bytes of a text; O(K²·G) time for G segments, O(K·N + K²
   *     + G) memory
   */
  public static KlDistances of(SegmentMatrix segments, GramKernel kernel) {
    return new KlDistances(
        KlEstimator.SEGMENTS,
        segments.description(),
        SquaredDistances.of(segments.names(), segments.coordinates(), kernel),
        segments.texts(),
        segments.meanCoveredBytes());
  }

  /**
   * Computes all pairs from sketches.
   *
   * @param sketches K models of one tokenizer
   * @return the divergences; O(K²·(G + S)) time for G sketches and S sampled tokens a model, O(K²)
   *     memory
   */
  public static KlDistances of(SketchMatrix sketches) {
    return of(sketches, GramKernels.best());
  }

  /**
   * Computes all pairs from sketches, with a Gram kernel of the caller's choice.
   *
   * @param sketches K models of one tokenizer
   * @param kernel multiplies the sketches with each other
   * @return the divergences; O(K²·(G + S)) time for G sketches and S sampled tokens a model, O(K²)
   *     memory
   */
  public static KlDistances of(SketchMatrix sketches, GramKernel kernel) {
    return of(sketches, sketches.ratios(), kernel);
  }

  static KlDistances of(SketchMatrix sketches, DistanceMatrix ratios, GramKernel kernel) {
    return new KlDistances(
        KlEstimator.SKETCH,
        sketches.description(),
        SquaredDistances.of(sketches.names(), sketches.coordinates(), kernel).times(ratios),
        sketches.texts(),
        sketches.meanCoveredBytes());
  }

  /**
   * The same estimator on the same text set, with squared distances from a resample of the texts.
   */
  KlDistances resampled(DistanceMatrix resampledSquared) {
    return new KlDistances(estimator, description, resampledSquared, texts, meanBytes);
  }

  /**
   * How the divergences were estimated.
   *
   * @return the estimator
   */
  public KlEstimator estimator() {
    return estimator;
  }

  /**
   * The estimator with its settings, to stand beside every number.
   *
   * @return such as {@code text-variance}, {@code segments (16 tokens)} or {@code sketch (every
   *     token)}
   */
  public String description() {
    return description;
  }

  /**
   * The divergences in a unit.
   *
   * @param unit the unit
   * @return K × K, symmetric, never negative
   */
  public DistanceMatrix in(KlUnit unit) {
    double scale = scale(unit);
    return squared.map(d -> d * scale);
  }

  /**
   * The Jeffreys divergences J(p_i, p_j) = KL(p_i, p_j) + KL(p_j, p_i): twice the divergences.
   *
   * @param unit the unit
   * @return K × K, symmetric, never negative: ‖q_i − q_j‖² / N in nats per text
   */
  public DistanceMatrix jeffreys(KlUnit unit) {
    double scale = 2 * scale(unit);
    return squared.map(d -> d * scale);
  }

  /**
   * The squared Euclidean distances between model coordinates, or segment vectors. Of {@link
   * KlEstimator#SKETCH} it is 2N times the divergences, which no points have exactly; those of
   * {@link SketchMatrix#coordinates()} are the nearest, without the ratio.
   *
   * @return ‖q_i − q_j‖², in nats² summed over texts
   */
  public DistanceMatrix squaredEuclidean() {
    return squared;
  }

  /**
   * The Euclidean distances between model coordinates, or segment vectors: the input of an
   * embedding. The roots of {@link #squaredEuclidean()}.
   *
   * @return ‖q_i − q_j‖
   */
  public DistanceMatrix euclidean() {
    return squared.map(Math::sqrt);
  }

  private double scale(KlUnit unit) {
    return switch (unit) {
      case NATS_PER_TEXT -> 1 / (2.0 * texts);
      case BITS_PER_TEXT -> 1 / (2.0 * texts * Math.log(2));
      case BITS_PER_BYTE -> 1 / (2.0 * texts * meanBytes * Math.log(2));
    };
  }
}
