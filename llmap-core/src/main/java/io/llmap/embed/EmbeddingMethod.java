package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;

/**
 * Turns distances between models into points.
 *
 * <p>Implementations are immutable and thread-safe; the same distances give the same bits.
 */
public interface EmbeddingMethod {
  /**
   * Places K models.
   *
   * @param distances K × K Euclidean distances, not their squares: pass D² or KL through {@code
   *     map(Math::sqrt)} first, which changes the scale of the points at most
   * @return K points under the same names; its {@link Embedding#method()} has the settings that
   *     were really used
   * @throws IllegalArgumentException if the method cannot place these models; the message says why
   */
  Embedding embed(DistanceMatrix distances);

  /**
   * The method with the settings that were asked for, in one line.
   *
   * @return such as {@code classical MDS, 2 dimensions}
   */
  String description();
}
