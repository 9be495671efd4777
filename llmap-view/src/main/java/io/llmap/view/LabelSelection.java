package io.llmap.view;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The order in which the points of a large map are offered a label: the medoid of each group, the
 * largest group first, then always the point that is farthest from every point offered before.
 */
final class LabelSelection {
  private LabelSelection() {}

  /**
   * Orders points.
   *
   * @param x the points
   * @param y as x
   * @param group the group of each point, from 0
   * @param groups how many groups there are
   * @param count how many points to offer
   * @return indices of points, each at most once
   */
  static int[] order(double[] x, double[] y, List<Integer> group, int groups, int count) {
    double[] nearest = new double[x.length];
    Arrays.fill(nearest, Double.POSITIVE_INFINITY);
    int[] order = new int[Math.min(count, x.length)];
    int size = 0;
    for (int medoid : medoids(x, y, group, groups)) {
      if (size < order.length) {
        order[size++] = medoid;
        approach(nearest, x, y, medoid);
      }
    }
    while (size < order.length) {
      int farthest = 0;
      for (int i = 1; i < x.length; i++) {
        if (nearest[i] > nearest[farthest]) {
          farthest = i;
        }
      }
      order[size++] = farthest;
      approach(nearest, x, y, farthest);
    }
    return order;
  }

  private static void approach(double[] nearest, double[] x, double[] y, int chosen) {
    for (int i = 0; i < nearest.length; i++) {
      double dx = x[i] - x[chosen];
      double dy = y[i] - y[chosen];
      nearest[i] = Math.min(nearest[i], dx * dx + dy * dy);
    }
    nearest[chosen] = -1;
  }

  private static List<Integer> medoids(double[] x, double[] y, List<Integer> group, int groups) {
    List<List<Integer>> members = new ArrayList<>();
    for (int g = 0; g < groups; g++) {
      members.add(new ArrayList<>());
    }
    for (int i = 0; i < x.length; i++) {
      members.get(group.get(i)).add(i);
    }
    return members.stream()
        .filter(m -> !m.isEmpty())
        .sorted(Comparator.comparingInt((List<Integer> m) -> m.size()).reversed())
        .map(m -> medoid(x, y, m))
        .toList();
  }

  private static int medoid(double[] x, double[] y, List<Integer> members) {
    int best = members.get(0);
    double bestSum = Double.POSITIVE_INFINITY;
    for (int i : members) {
      double sum = 0;
      for (int j : members) {
        double dx = x[i] - x[j];
        double dy = y[i] - y[j];
        sum += Math.sqrt(dx * dx + dy * dy);
      }
      if (sum < bestSum) {
        best = i;
        bestSum = sum;
      }
    }
    return best;
  }
}
