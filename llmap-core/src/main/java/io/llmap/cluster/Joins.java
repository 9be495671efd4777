package io.llmap.cluster;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The K − 1 edges of a tree over K models, each with the height at which it joins the cluster of
 * one model and that of the other, in any order in which a cluster is joined after its parts.
 */
final class Joins {
  private final int[] first;
  private final int[] second;
  private final double[] heights;
  private int count;

  Joins(int models) {
    first = new int[models - 1];
    second = new int[models - 1];
    heights = new double[models - 1];
  }

  void add(int a, int b, double height) {
    first[count] = a;
    second[count] = b;
    heights[count++] = height;
  }

  int first(int join) {
    return first[join];
  }

  int second(int join) {
    return second[join];
  }

  double height(int join) {
    return heights[join];
  }

  /** The numbers of the joins, lowest first; equal heights in the order they were added. */
  int[] byHeight() {
    return IntStream.range(0, count)
        .boxed()
        .sorted(Comparator.comparingDouble(this::height))
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
