package io.llmap.cluster;

import io.llmap.distance.DistanceMatrix;

/**
 * Joins the two nearest clusters again and again until one is left.
 *
 * <p>The result is that of scipy's {@code linkage}: for average, complete and Ward linkage by the
 * nearest-neighbour chain (Murtagh 1983; Müllner 2011, algorithm 3), for single linkage by SLINK
 * (Sibson 1973). Which of several equally near pairs is joined first depends on the order of the
 * models and on nothing else; without ties the tree does not depend on that order either.
 *
 * <p>O(K²) time. Average, complete and Ward linkage work on a copy of the K·(K − 1)/2 distances,
 * single linkage on the distances themselves with O(K) beside them. Immutable; safe for use by many
 * threads.
 *
 * @param linkage how far two clusters are from each other
 */
public record HierarchicalClustering(Linkage linkage) {
  /**
   * Clusters models.
   *
   * @param distances K × K, at least one model: KL divergences for average, complete and single
   *     linkage, Euclidean distances for {@link Linkage#WARD}
   * @return the tree, its heights in the unit of the distances
   * @throws IllegalArgumentException if there is no model, or a distance is too large to be squared
   *     for {@link Linkage#WARD}, above 1e149
   */
  public Dendrogram cluster(DistanceMatrix distances) {
    if (distances.size() == 0) {
      throw new IllegalArgumentException("there is no model to cluster");
    }
    Joins joins =
        linkage == Linkage.SINGLE
            ? SingleLinkage.joins(distances)
            : NearestNeighbourChain.joins(distances, linkage);
    return Dendrogram.of(distances.names(), joins, linkage.toString());
  }
}
