package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * The same between near models only: p(j|i) is 0 beyond the nearest neighbours of i (van der Maaten
 * 2014, section 4.1). p_ij is 0 where neither model is a neighbour of the other.
 */
final class NeighborAffinities {
  private static final int ROWS_PER_PIECE = 64;

  private final int size;
  private final int neighbors;
  private final int[] starts;
  private final int[] models;
  private final double[] values;

  private NeighborAffinities(int size, int neighbors, int[] starts, int[] models, double[] values) {
    this.size = size;
    this.neighbors = neighbors;
    this.starts = starts;
    this.models = models;
    this.values = values;
  }

  /**
   * Three neighbours for each of the perplexity and one more, as scikit-learn has them, as far as
   * there are models; O(K²) for finding them, and up to 24 bytes for each.
   */
  static NeighborAffinities of(DistanceMatrix distances, Tsne.Metric metric, double perplexity) {
    int k = distances.size();
    int neighbors = (int) Math.min(k - 1, 3 * perplexity + 1);
    NeighborGraph graph = NeighborGraph.of(distances, neighbors);
    double[] conditional = new double[Math.multiplyExact(k, neighbors)];
    Parallel.forEach(
        (k + ROWS_PER_PIECE - 1) / ROWS_PER_PIECE,
        piece -> {
          double[] row = new double[neighbors];
          int first = piece * ROWS_PER_PIECE;
          for (int i = first; i < Math.min(k, first + ROWS_PER_PIECE); i++) {
            for (int rank = 0; rank < neighbors; rank++) {
              row[rank] = graph.distance(i, rank);
            }
            PerplexitySearch.toProbabilities(row, neighbors, metric, perplexity);
            System.arraycopy(row, 0, conditional, i * neighbors, neighbors);
          }
        });
    return symmetric(graph, conditional);
  }

  private static NeighborAffinities symmetric(NeighborGraph graph, double[] conditional) {
    int k = graph.size();
    int neighbors = graph.count();
    // For every model, who has it as a neighbour, and with which probability.
    int[] reverseStarts = new int[k + 1];
    for (int i = 0; i < k; i++) {
      for (int rank = 0; rank < neighbors; rank++) {
        reverseStarts[graph.model(i, rank) + 1]++;
      }
    }
    for (int i = 0; i < k; i++) {
      reverseStarts[i + 1] += reverseStarts[i];
    }
    int[] filled = Arrays.copyOf(reverseStarts, k);
    int[] reverseModels = new int[conditional.length];
    double[] reverse = new double[conditional.length];
    for (int i = 0; i < k; i++) {
      for (int rank = 0; rank < neighbors; rank++) {
        int place = filled[graph.model(i, rank)]++;
        reverseModels[place] = i;
        reverse[place] = conditional[i * neighbors + rank];
      }
    }
    int[] starts = new int[k + 1];
    int[] models = new int[Math.multiplyExact(2, conditional.length)];
    double[] values = new double[models.length];
    int[] places = new int[k];
    Arrays.fill(places, -1);
    int end = 0;
    for (int i = 0; i < k; i++) {
      starts[i] = end;
      for (int rank = 0; rank < neighbors; rank++, end++) {
        models[end] = graph.model(i, rank);
        places[models[end]] = end;
        values[end] = conditional[i * neighbors + rank] / (2.0 * k);
      }
      for (int r = reverseStarts[i]; r < reverseStarts[i + 1]; r++) {
        int j = reverseModels[r];
        if (places[j] < starts[i]) {
          places[j] = end;
          models[end++] = j;
        }
        values[places[j]] += reverse[r] / (2.0 * k);
      }
    }
    starts[k] = end;
    return new NeighborAffinities(
        k, neighbors, starts, Arrays.copyOf(models, end), Arrays.copyOf(values, end));
  }

  /** K. */
  int size() {
    return size;
  }

  /** Neighbours that a model has of its own. */
  int neighbors() {
    return neighbors;
  }

  /** Where the entries of model i begin; they end where those of i + 1 begin, i up to K. */
  int start(int i) {
    return starts[i];
  }

  /** j of an entry. */
  int model(int entry) {
    return models[entry];
  }

  /** p_ij of an entry, which is there as p_ji too. */
  double value(int entry) {
    return values[entry];
  }
}
