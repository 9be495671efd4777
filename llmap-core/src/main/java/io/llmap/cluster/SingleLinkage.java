package io.llmap.cluster;

import io.llmap.distance.DistanceMatrix;

/**
 * SLINK (Sibson 1973): models are added one by one, each with its distances to those before it, so
 * the triangle is read once, in the order in which it lies in memory.
 *
 * <p>The pointer representation: model j is the last of its cluster until, at heights[j], that
 * cluster joins one whose last model is parents[j]. With each height goes the pair of models that
 * have this distance; of equal distances the pair that comes first in the triangle counts as
 * nearer. The pairs are then a shortest spanning tree, and of equal heights none joins two clusters
 * that are not that near.
 */
final class SingleLinkage {
  private final int[] parents;
  private final double[] heights;
  private final int[] firsts;
  private final int[] seconds;

  /** The nearest that the newest model is known to be to the cluster of each, and the pair. */
  private final double[] nearest;

  private final int[] nearestFirsts;
  private final int[] nearestSeconds;

  private SingleLinkage(int models) {
    parents = new int[models];
    heights = new double[models];
    firsts = new int[models];
    seconds = new int[models];
    nearest = new double[models];
    nearestFirsts = new int[models];
    nearestSeconds = new int[models];
  }

  static Joins joins(DistanceMatrix distances) {
    int k = distances.size();
    SingleLinkage slink = new SingleLinkage(k);
    for (int i = 0; i < k; i++) {
      slink.add(distances, i);
    }
    Joins joins = new Joins(k);
    for (int j = 0; j < k - 1; j++) {
      joins.add(slink.firsts[j], slink.seconds[j], slink.heights[j]);
    }
    return joins;
  }

  private void add(DistanceMatrix distances, int i) {
    parents[i] = i;
    heights[i] = Double.POSITIVE_INFINITY;
    for (int j = 0; j < i; j++) {
      nearest[j] = distances.get(i, j);
      nearestFirsts[j] = j;
      nearestSeconds[j] = i;
    }
    for (int j = 0; j < i; j++) {
      // The cluster of j joins that of i or what it joined before, whichever is nearer; the other
      // is then a distance between i and the cluster of its parent.
      double d = nearest[j];
      double h = heights[j];
      int first = nearestFirsts[j];
      int second = nearestSeconds[j];
      int parent = parents[j];
      if (isBefore(d, first, second, h, firsts[j], seconds[j])) {
        offer(parent, h, firsts[j], seconds[j]);
        parents[j] = i;
        heights[j] = d;
        firsts[j] = first;
        seconds[j] = second;
      } else {
        offer(parent, d, first, second);
      }
    }
    for (int j = 0; j < i; j++) {
      int p = parents[j];
      if (!isBefore(heights[j], firsts[j], seconds[j], heights[p], firsts[p], seconds[p])) {
        parents[j] = i;
      }
    }
  }

  private void offer(int j, double distance, int first, int second) {
    if (isBefore(distance, first, second, nearest[j], nearestFirsts[j], nearestSeconds[j])) {
      nearest[j] = distance;
      nearestFirsts[j] = first;
      nearestSeconds[j] = second;
    }
  }

  private static boolean isBefore(
      double d, int first, int second, double other, int otherFirst, int otherSecond) {
    return d < other
        || (d == other && (second < otherSecond || (second == otherSecond && first < otherFirst)));
  }
}
