package io.llmap.cluster;

import io.llmap.distance.DistanceMatrix;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * The tree of a hierarchical clustering: K models, joined K − 1 times, lowest first.
 *
 * <p>Immutable.
 */
public final class Dendrogram {
  /**
   * Two clusters that become one.
   *
   * @param left a cluster: model i for i below K, else what merge i − K made
   * @param right another cluster, its number larger than that of the left
   * @param height how far the two were from each other, in the unit of the distances
   * @param size how many models the union has
   */
  public record Merge(int left, int right, double height, int size) {}

  private final List<String> names;
  private final List<Merge> merges;
  private final String method;

  private Dendrogram(List<String> names, List<Merge> merges, String method) {
    this.names = names;
    this.merges = merges;
    this.method = method;
  }

  static Dendrogram of(List<String> names, Joins joins, String method) {
    int k = names.size();
    Merge[] merges = new Merge[k - 1];
    int[] order = joins.byHeight();
    // The cluster that a cluster went into; itself as long as it is in none.
    int[] into = new int[2 * k - 1];
    Arrays.setAll(into, c -> c);
    for (int n = 0; n < k - 1; n++) {
      int a = top(into, joins.first(order[n]));
      int b = top(into, joins.second(order[n]));
      int size = (a < k ? 1 : merges[a - k].size()) + (b < k ? 1 : merges[b - k].size());
      merges[n] = new Merge(Math.min(a, b), Math.max(a, b), joins.height(order[n]), size);
      into[a] = k + n;
      into[b] = k + n;
    }
    return new Dendrogram(names, List.of(merges), method);
  }

  /** Halves the path on the way, so that all calls together take hardly more than linear time. */
  private static int top(int[] into, int cluster) {
    int c = cluster;
    while (into[c] != c) {
      into[c] = into[into[c]];
      c = into[c];
    }
    return c;
  }

  /**
   * The number of models, K.
   *
   * @return at least 1
   */
  public int size() {
    return names.size();
  }

  /**
   * The models' names.
   *
   * @return K different names, in the order of the distances
   */
  public List<String> names() {
    return names;
  }

  /**
   * How the tree was made.
   *
   * @return such as {@code average linkage}
   */
  public String method() {
    return method;
  }

  /**
   * The merges by height, lowest first.
   *
   * @return K − 1 merges; their heights never fall
   */
  public List<Merge> merges() {
    return merges;
  }

  /**
   * The merges as scipy's {@code linkage} writes them.
   *
   * @return (K − 1) × 4: left, right, height, size; a new array
   */
  public double[][] linkageMatrix() {
    return merges.stream()
        .map(m -> new double[] {m.left(), m.right(), m.height(), m.size()})
        .toArray(double[][]::new);
  }

  /**
   * The models in the order in which they stand under the drawn tree: no two branches cross.
   *
   * @return the positions of all K models; of two clusters the one with the smaller number comes
   *     first, as in scipy's {@code leaves_list}
   */
  public int[] leafOrder() {
    int k = size();
    // Where each cluster's models start; a parent is placed before its parts, as it merged later.
    int[] starts = new int[2 * k - 1];
    int[] order = new int[k];
    for (int n = k - 2; n >= 0; n--) {
      Merge merge = merges.get(n);
      starts[merge.left()] = starts[k + n];
      starts[merge.right()] = starts[k + n] + sizeOf(merge.left());
    }
    for (int i = 0; i < k; i++) {
      order[starts[i]] = i;
    }
    return order;
  }

  private int sizeOf(int cluster) {
    return cluster < size() ? 1 : merges.get(cluster - size()).size();
  }

  /**
   * The height at which two models come into one cluster, for all pairs.
   *
   * @return K × K in the unit of the distances; a new matrix in O(K²)
   */
  public DistanceMatrix copheneticDistances() {
    int k = size();
    int[] order = leafOrder();
    int[] starts = new int[2 * k - 1];
    for (int place = 0; place < k; place++) {
      starts[order[place]] = place;
    }
    double[] triangle = new double[Math.toIntExact((long) k * (k - 1) / 2)];
    for (int n = 0; n < k - 1; n++) {
      Merge merge = merges.get(n);
      int start = starts[merge.left()];
      int middle = starts[merge.right()];
      starts[k + n] = start;
      for (int p = start; p < middle; p++) {
        for (int q = middle; q < start + merge.size(); q++) {
          int i = Math.max(order[p], order[q]);
          int j = Math.min(order[p], order[q]);
          triangle[(int) ((long) i * (i - 1) / 2) + j] = merge.height();
        }
      }
    }
    return DistanceMatrix.wrap(names, triangle);
  }

  /**
   * How well the tree keeps the distances: Pearson's correlation of distances and cophenetic
   * distances over all pairs (Sokal and Rohlf 1962).
   *
   * @param distances of the same models in the same order
   * @return −1 to 1; NaN if the distances, or the heights, are all equal
   * @throws IllegalArgumentException if the names differ
   */
  public double copheneticCorrelation(DistanceMatrix distances) {
    if (!names.equals(distances.names())) {
      throw new IllegalArgumentException(
          "the tree is of other models: %s, the distances of %s"
              .formatted(names, distances.names()));
    }
    DistanceMatrix cophenetic = copheneticDistances();
    int k = size();
    double pairs = k * (k - 1) / 2.0;
    double meanX = 0;
    double meanY = 0;
    for (int i = 1; i < k; i++) {
      for (int j = 0; j < i; j++) {
        meanX += distances.get(i, j) / pairs;
        meanY += cophenetic.get(i, j) / pairs;
      }
    }
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (int i = 1; i < k; i++) {
      for (int j = 0; j < i; j++) {
        double x = distances.get(i, j) - meanX;
        double y = cophenetic.get(i, j) - meanY;
        xx += x * x;
        xy += x * y;
        yy += y * y;
      }
    }
    return xy / Math.sqrt(xx * yy);
  }

  /**
   * Cuts the tree into so many clusters, by undoing the highest merges.
   *
   * @param count 1 to K clusters
   * @return the cluster of each model: 0 to count − 1, numbered in the order in which their first
   *     models stand
   * @throws IllegalArgumentException if count is out of range
   */
  public int[] cut(int count) {
    if (count < 1 || count > size()) {
      throw new IllegalArgumentException(
          "cannot cut " + size() + " models into " + count + " clusters");
    }
    return afterMerges(size() - count);
  }

  /**
   * Cuts the tree at a height: two models are in one cluster when their cophenetic distance is at
   * most that height.
   *
   * @param height in the unit of the distances
   * @return the cluster of each model, numbered from 0 in the order in which their first models
   *     stand
   * @throws IllegalArgumentException if the height is NaN
   */
  public int[] cutAt(double height) {
    if (Double.isNaN(height)) {
      throw new IllegalArgumentException("cannot cut a tree at NaN");
    }
    int below = 0;
    while (below < merges.size() && merges.get(below).height() <= height) {
      below++;
    }
    return afterMerges(below);
  }

  private int[] afterMerges(int done) {
    int k = size();
    // From the top down, so that a cluster has its label before its parts ask for it.
    int[] tops = new int[k + done];
    Arrays.setAll(tops, c -> c);
    for (int n = done - 1; n >= 0; n--) {
      tops[merges.get(n).left()] = tops[k + n];
      tops[merges.get(n).right()] = tops[k + n];
    }
    int[] labels = new int[k + done];
    Arrays.fill(labels, -1);
    int next = 0;
    int[] clusters = new int[k];
    for (int i = 0; i < k; i++) {
      int top = tops[i];
      if (labels[top] < 0) {
        labels[top] = next++;
      }
      clusters[i] = labels[top];
    }
    return clusters;
  }

  /**
   * The tree in Newick form, for programs that draw trees. A branch is half the difference of two
   * heights long, so that the path between two models is their cophenetic distance and all models
   * are equally far from the root.
   *
   * @return one line that ends in a semicolon; every name in single quotes, a quote inside doubled
   */
  public String newick() {
    StringBuilder out = new StringBuilder();
    Deque<Pending> stack = new ArrayDeque<>();
    stack.push(new Pending("", 2 * size() - 2, -1));
    while (!stack.isEmpty()) {
      Pending next = stack.pop();
      out.append(next.before());
      if (next.cluster() >= size()) {
        Merge merge = merges.get(next.cluster() - size());
        stack.push(new Pending(")", -1, next.length()));
        stack.push(new Pending(",", merge.right(), branch(merge, merge.right())));
        stack.push(new Pending("(", merge.left(), branch(merge, merge.left())));
        continue;
      }
      if (next.cluster() >= 0) {
        out.append('\'').append(names.get(next.cluster()).replace("'", "''")).append('\'');
      }
      if (next.length() >= 0) {
        out.append(':').append(next.length());
      }
    }
    return out.append(';').toString();
  }

  /** What is still to be written: some text, then a cluster if not −1, then a length if not −1. */
  private record Pending(String before, int cluster, double length) {}

  private double branch(Merge merge, int part) {
    double from = part < size() ? 0 : merges.get(part - size()).height();
    return (merge.height() - from) / 2;
  }
}
