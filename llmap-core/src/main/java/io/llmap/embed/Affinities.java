package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import io.llmap.internal.Parallel;

/**
 * Symmetric neighbour probabilities of t-SNE between all models (van der Maaten and Hinton 2008,
 * section 3.1): all p_ij, i ≠ j, add up to 1.
 *
 * <pre>p_ij = (p(j|i) + p(i|j)) / 2K</pre>
 */
final class Affinities {
  private final int size;

  /**
   * One panel for every {@link ForceLanes#LANES} models i; in it, row j has p_ij for those i,
   * padded with 0.
   */
  private final double[][] panels;

  private Affinities(int size) {
    this.size = size;
    this.panels = new double[panels(size)][];
  }

  private static int panels(int size) {
    return (size + ForceLanes.LANES - 1) / ForceLanes.LANES;
  }

  /** Perplexity from 1 to K − 1; O(K²) times about seven steps of the search; 8·K² bytes. */
  static Affinities of(DistanceMatrix distances, Tsne.Metric metric, double perplexity) {
    Affinities result = new Affinities(distances.size());
    int panels = result.panels.length;
    Parallel.forEach(panels, p -> result.fill(p, distances, metric, perplexity));
    Parallel.forEach(panels, result::symmetrize);
    return result;
  }

  /** Writes p(j|i). */
  private void fill(int p, DistanceMatrix distances, Tsne.Metric metric, double perplexity) {
    int first = p * ForceLanes.LANES;
    int width = width(p);
    double[] panel = new double[Math.multiplyExact(size, ForceLanes.LANES)];
    for (int j = 0; j < size; j++) {
      for (int l = 0; l < width; l++) {
        panel[j * ForceLanes.LANES + l] = distances.get(first + l, j);
      }
    }
    double[] others = new double[size - 1];
    for (int l = 0; l < width; l++) {
      int i = first + l;
      for (int j = 0; j < size; j++) {
        if (j != i) {
          others[j < i ? j : j - 1] = panel[j * ForceLanes.LANES + l];
        }
      }
      PerplexitySearch.toProbabilities(others, size - 1, metric, perplexity);
      for (int j = 0; j < size; j++) {
        panel[j * ForceLanes.LANES + l] = j == i ? 0 : others[j < i ? j : j - 1];
      }
    }
    panels[p] = panel;
  }

  /** Each pair i > j belongs to the panel of i, and nobody else writes it. */
  private void symmetrize(int p) {
    for (int q = 0; q <= p; q++) {
      for (int i = p * ForceLanes.LANES; i < p * ForceLanes.LANES + width(p); i++) {
        for (int j = q * ForceLanes.LANES; j < Math.min(i, q * ForceLanes.LANES + width(q)); j++) {
          int place = j * ForceLanes.LANES + i % ForceLanes.LANES;
          int mirror = i * ForceLanes.LANES + j % ForceLanes.LANES;
          double both = (panels[p][place] + panels[q][mirror]) / (2.0 * size);
          panels[p][place] = both;
          panels[q][mirror] = both;
        }
      }
    }
  }

  /** K. */
  int size() {
    return size;
  }

  /** The models of a panel: 64, and in the last one as many as are left. */
  int width(int panel) {
    return Math.min(ForceLanes.LANES, size - panel * ForceLanes.LANES);
  }

  /** Not a copy: p_ij of the {@link ForceLanes#LANES} models i from 64·p on, at 64·j. */
  double[] panel(int p) {
    return panels[p];
  }

  /** p_ij. */
  double get(int i, int j) {
    return panels[i / ForceLanes.LANES][j * ForceLanes.LANES + i % ForceLanes.LANES];
  }
}
