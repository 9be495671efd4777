package io.llmap.embed;

/**
 * Points on the plane in a tree of boxes, for Barnes and Hut's summation.
 *
 * <p>Every split is at the median of the wider axis, so the shape of the tree follows from the
 * number of points alone: the nodes are numbered once, parents before children, and moving points
 * change only who is where. A tree of quarters would be a new one at every step, with leaves half
 * empty; here all groups are full but the last.
 *
 * <p>The points of a group are next to each other, and the tree goes on below a group to leaves of
 * a few points, because what acts on a group from nearby has to be summed in smaller pieces than
 * the group.
 */
final class PointTree {
  private static final int LEAF = 4;

  // Points move little in a step. Boxes are computed at every step: an old order costs some time,
  // and no accuracy.
  private static final int STEPS_PER_ORDER = 10;

  private final int[] order;
  private final double[] x;
  private final double[] y;
  private final int[] from;
  private final int[] to;
  private final int[] next;
  private final double[] meanX;
  private final double[] meanY;
  private final double[] minX;
  private final double[] minY;
  private final double[] maxX;
  private final double[] maxY;
  private int steps;

  PointTree(int size) {
    order = new int[size];
    for (int k = 0; k < size; k++) {
      order[k] = k;
    }
    x = new double[size];
    y = new double[size];
    int nodes = nodes(size);
    from = new int[nodes];
    to = new int[nodes];
    next = new int[nodes];
    meanX = new double[nodes];
    meanY = new double[nodes];
    minX = new double[nodes];
    minY = new double[nodes];
    maxX = new double[nodes];
    maxY = new double[nodes];
    number(0, 0, size);
  }

  private static int nodes(int points) {
    return points <= LEAF ? 1 : 1 + nodes(left(points)) + nodes(points - left(points));
  }

  /** Half of the groups, or of the leaves of one group. */
  private static int left(int points) {
    int unit = points > ForceLanes.LANES ? ForceLanes.LANES : LEAF;
    return ((points + unit - 1) / unit + 1) / 2 * unit;
  }

  private int number(int node, int first, int end) {
    from[node] = first;
    to[node] = end;
    next[node] = node + 1;
    if (end - first > LEAF) {
      int middle = first + left(end - first);
      next[node] = number(number(node + 1, first, middle), middle, end);
    }
    return next[node];
  }

  /** Takes new positions. */
  void move(double[] newX, double[] newY) {
    boolean sort = steps++ % STEPS_PER_ORDER == 0;
    if (sort) {
      for (int node = 0; node < from.length; node++) {
        if (!leaf(node)) {
          split(node, newX, newY);
        }
      }
    }
    for (int k = 0; k < order.length; k++) {
      x[k] = newX[order[k]];
      y[k] = newY[order[k]];
    }
    for (int node = from.length - 1; node >= 0; node--) {
      if (leaf(node)) {
        enclosePoints(node);
      } else {
        encloseChildren(node, node + 1, next[node + 1]);
      }
    }
  }

  private void split(int node, double[] newX, double[] newY) {
    double lowX = Double.POSITIVE_INFINITY;
    double lowY = Double.POSITIVE_INFINITY;
    double highX = Double.NEGATIVE_INFINITY;
    double highY = Double.NEGATIVE_INFINITY;
    for (int k = from[node]; k < to[node]; k++) {
      lowX = Math.min(lowX, newX[order[k]]);
      highX = Math.max(highX, newX[order[k]]);
      lowY = Math.min(lowY, newY[order[k]]);
      highY = Math.max(highY, newY[order[k]]);
    }
    select(highX - lowX >= highY - lowY ? newX : newY, from[node], to[node], to[node + 1]);
  }

  /** Hoare's: none before the middle has a larger coordinate than one from there on. */
  private void select(double[] coordinate, int first, int end, int middle) {
    int low = first;
    int high = end - 1;
    while (low < high) {
      double pivot = coordinate[order[(low + high) >>> 1]];
      int i = low;
      int j = high;
      while (i <= j) {
        while (coordinate[order[i]] < pivot) {
          i++;
        }
        while (coordinate[order[j]] > pivot) {
          j--;
        }
        if (i <= j) {
          int swapped = order[i];
          order[i++] = order[j];
          order[j--] = swapped;
        }
      }
      if (middle <= j) {
        high = j;
      } else if (middle >= i) {
        low = i;
      } else {
        return;
      }
    }
  }

  private void enclosePoints(int node) {
    double sumX = 0;
    double sumY = 0;
    double lowX = Double.POSITIVE_INFINITY;
    double lowY = Double.POSITIVE_INFINITY;
    double highX = Double.NEGATIVE_INFINITY;
    double highY = Double.NEGATIVE_INFINITY;
    for (int k = from[node]; k < to[node]; k++) {
      sumX += x[k];
      sumY += y[k];
      lowX = Math.min(lowX, x[k]);
      highX = Math.max(highX, x[k]);
      lowY = Math.min(lowY, y[k]);
      highY = Math.max(highY, y[k]);
    }
    meanX[node] = sumX / points(node);
    meanY[node] = sumY / points(node);
    minX[node] = lowX;
    minY[node] = lowY;
    maxX[node] = highX;
    maxY[node] = highY;
  }

  private void encloseChildren(int node, int left, int right) {
    double share = points(left) / (double) points(node);
    meanX[node] = share * meanX[left] + (1 - share) * meanX[right];
    meanY[node] = share * meanY[left] + (1 - share) * meanY[right];
    minX[node] = Math.min(minX[left], minX[right]);
    minY[node] = Math.min(minY[left], minY[right]);
    maxX[node] = Math.max(maxX[left], maxX[right]);
    maxY[node] = Math.max(maxY[left], maxY[right]);
  }

  private boolean leaf(int node) {
    return next[node] == node + 1;
  }

  private int points(int node) {
    return to[node] - from[node];
  }

  /** The number of groups. */
  int groups() {
    return (order.length + ForceLanes.LANES - 1) / ForceLanes.LANES;
  }

  /** The points of a group: {@link #ForceLanes.LANES}, and in the last one as many as are left. */
  int width(int group) {
    return Math.min(ForceLanes.LANES, order.length - group * ForceLanes.LANES);
  }

  /** Which point is at a place of a group. */
  int point(int group, int lane) {
    return order[group * ForceLanes.LANES + lane];
  }

  /**
   * Sets the forces to the repulsion that acts on a group. The points of a node stand in its mean
   * where its box, seen from the nearest place of the group's box, is small: its diagonal at most
   * theta times the distance.
   */
  void repel(int group, double theta, ForceLanes forces) {
    int first = group * ForceLanes.LANES;
    int end = first + width(group);
    forces.load(x, y, first, end - first);
    int own = 0;
    while (from[own] != first || to[own] != end) {
      own = first < to[own + 1] ? own + 1 : next[own + 1];
    }
    double limit = theta * theta;
    for (int node = 0; node < from.length; ) {
      boolean overlaps = from[node] < end && to[node] > first;
      if (!overlaps && diagonal(node) <= limit * distance(own, node)) {
        forces.repel(meanX[node], meanY[node], points(node));
        node = next[node];
      } else {
        if (leaf(node)) {
          addPoints(node, overlaps ? first : -1, forces);
        }
        node++;
      }
    }
  }

  private void addPoints(int node, int ownFirst, ForceLanes forces) {
    for (int k = from[node]; k < to[node]; k++) {
      double weight = ownFirst >= 0 ? forces.weight(k - ownFirst) : 0;
      forces.repel(x[k], y[k], 1);
      if (ownFirst >= 0) {
        forces.setWeight(k - ownFirst, weight);
      }
    }
  }

  /** Squared, of the box. */
  private double diagonal(int node) {
    double width = maxX[node] - minX[node];
    double height = maxY[node] - minY[node];
    return width * width + height * height;
  }

  /** Squared, from a box to the mean of a node. */
  private double distance(int box, int node) {
    double dx = Math.max(0, Math.max(minX[box] - meanX[node], meanX[node] - maxX[box]));
    double dy = Math.max(0, Math.max(minY[box] - meanY[node], meanY[node] - maxY[box]));
    return dx * dx + dy * dy;
  }
}
