package io.llmap.cluster;

import io.llmap.distance.DistanceMatrix;
import java.util.Arrays;

/**
 * The nearest-neighbour chain (Murtagh 1983; Müllner 2011, algorithm 3): from a cluster to its
 * nearest, and on, until two are each other's nearest; these are joined, and the chain goes on from
 * what is left of it. At most 3K rows are searched in all.
 *
 * <p>It needs a linkage that never brings the union of two nearest clusters closer to a third than
 * the nearer of the two was. That holds for average, complete and Ward linkage; so that rounding
 * keeps it too, no new distance is taken below that bound. Heights are then monotone to the last
 * bit, and the chain cannot run in a circle.
 */
final class NearestNeighbourChain {
  /** The largest distance whose square, times any number of models, is finite. */
  private static final double LARGEST_FOR_WARD = 1e149;

  private final Linkage linkage;

  /**
   * Distances between clusters, of Ward linkage their squares; a cluster stands where its last
   * model does. The strict lower triangle: element (i, j), j &lt; i, is at rowStarts[i] + j.
   */
  private final double[] triangle;

  private final int[] rowStarts;
  private final int[] sizes;

  /** The clusters there are, ascending, so that a search does not meet those that are gone. */
  private final int[] clusters;

  private int count;

  private NearestNeighbourChain(DistanceMatrix distances, Linkage linkage) {
    this.linkage = linkage;
    int k = distances.size();
    triangle = new double[Math.toIntExact((long) k * (k - 1) / 2)];
    rowStarts = new int[k];
    sizes = new int[k];
    clusters = new int[k];
    count = k;
    int pair = 0;
    for (int i = 0; i < k; i++) {
      rowStarts[i] = pair;
      sizes[i] = 1;
      clusters[i] = i;
      for (int j = 0; j < i; j++) {
        double d = distances.get(i, j);
        if (linkage == Linkage.WARD && d > LARGEST_FOR_WARD) {
          throw new IllegalArgumentException(
              "the distance of \"%s\" and \"%s\" is %s, too large for Ward linkage"
                  .formatted(distances.names().get(i), distances.names().get(j), d));
        }
        triangle[pair++] = linkage == Linkage.WARD ? d * d : d;
      }
    }
  }

  static Joins joins(DistanceMatrix distances, Linkage linkage) {
    return new NearestNeighbourChain(distances, linkage).joins();
  }

  private Joins joins() {
    Joins joins = new Joins(sizes.length);
    int[] chain = new int[sizes.length];
    int length = 0;
    while (count > 1) {
      if (length == 0) {
        chain[length++] = clusters[0];
      }
      int x = chain[length - 1];
      int before = length > 1 ? chain[length - 2] : -1;
      int y = nearest(x, before);
      if (y != before) {
        chain[length++] = y;
      } else {
        length -= 2;
        double d = triangle[place(x, y)];
        joins.add(Math.min(x, y), Math.max(x, y), linkage == Linkage.WARD ? Math.sqrt(d) : d);
        unite(Math.min(x, y), Math.max(x, y));
      }
    }
    return joins;
  }

  private int place(int i, int j) {
    return i > j ? rowStarts[i] + j : rowStarts[j] + i;
  }

  /** Of equally near clusters the one before in the chain, else the first. */
  private int nearest(int x, int before) {
    int best = before;
    double smallest = before < 0 ? Double.POSITIVE_INFINITY : triangle[place(x, before)];
    int start = rowStarts[x];
    int c = 0;
    for (; clusters[c] < x; c++) {
      double d = triangle[start + clusters[c]];
      if (d < smallest) {
        smallest = d;
        best = clusters[c];
      }
    }
    for (c++; c < count; c++) {
      double d = triangle[rowStarts[clusters[c]] + x];
      if (d < smallest) {
        smallest = d;
        best = clusters[c];
      }
    }
    return best;
  }

  /** Puts the union of two clusters, x before y, in the place of y. */
  private void unite(int x, int y) {
    double between = triangle[place(x, y)];
    int gone = Arrays.binarySearch(clusters, 0, count, x);
    System.arraycopy(clusters, gone + 1, clusters, gone, --count - gone);
    for (int c = 0; c < count; c++) {
      int i = clusters[c];
      if (i != y) {
        double toX = triangle[place(i, x)];
        double toY = triangle[place(i, y)];
        double united =
            switch (linkage) {
              case AVERAGE -> average(toX, toY, sizes[x], sizes[y]);
              case WARD -> ward(toX, toY, between, sizes[x], sizes[y], sizes[i]);
              default -> Math.max(toX, toY);
            };
        triangle[place(i, y)] = Math.max(united, Math.min(toX, toY));
      }
    }
    sizes[y] += sizes[x];
  }

  private static double average(double toX, double toY, double sizeX, double sizeY) {
    return (sizeX * toX + sizeY * toY) / (sizeX + sizeY);
  }

  private static double ward(
      double toX, double toY, double between, double sizeX, double sizeY, double size) {
    return ((size + sizeX) * toX + (size + sizeY) * toY - size * between) / (size + sizeX + sizeY);
  }
}
