package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * The nearest models of every model, exactly: nearest first, equal distances in the order of the
 * matrix, no model its own neighbour.
 */
final class NeighborGraph {
  private static final int ROWS_PER_PIECE = 64;

  private final int size;
  private final int count;
  private final int[] models;
  private final double[] distances;

  private NeighborGraph(int size, int count) {
    this.size = size;
    this.count = count;
    this.models = new int[Math.multiplyExact(size, count)];
    this.distances = new double[models.length];
  }

  /** Finds count neighbours, 1 to K − 1, of each; O(K²) comparisons, on several threads. */
  static NeighborGraph of(DistanceMatrix matrix, int count) {
    NeighborGraph graph = new NeighborGraph(matrix.size(), count);
    Arrays.fill(graph.distances, Double.POSITIVE_INFINITY);
    int pieces = (graph.size + ROWS_PER_PIECE - 1) / ROWS_PER_PIECE;
    Parallel.forEach(pieces, piece -> graph.search(matrix, piece * ROWS_PER_PIECE));
    return graph;
  }

  /**
   * The matrix holds a triangle by rows. What lies right of the diagonal is read from the later
   * rows, a piece's width at a time, so that memory is read in order.
   */
  private void search(DistanceMatrix matrix, int first) {
    int end = Math.min(size, first + ROWS_PER_PIECE);
    for (int i = first; i < end; i++) {
      for (int j = 0; j < i; j++) {
        offer(i, j, matrix.get(i, j));
      }
    }
    for (int j = first + 1; j < size; j++) {
      for (int i = first; i < Math.min(j, end); i++) {
        offer(i, j, matrix.get(j, i));
      }
    }
  }

  private void offer(int i, int j, double distance) {
    int first = i * count;
    int place = first + count - 1;
    if (!(distance < distances[place])) {
      return;
    }
    while (place > first && distance < distances[place - 1]) {
      distances[place] = distances[place - 1];
      models[place] = models[place - 1];
      place--;
    }
    distances[place] = distance;
    models[place] = j;
  }

  /** K. */
  int size() {
    return size;
  }

  /** Neighbours of each model. */
  int count() {
    return count;
  }

  /** The neighbour of model i at a rank, 0 to count − 1. */
  int model(int i, int rank) {
    return models[i * count + rank];
  }

  /** Its distance. */
  double distance(int i, int rank) {
    return distances[i * count + rank];
  }
}
