package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Where UMAP starts: the two eigenvectors after the first of the normalised Laplacian of its graph
 * (McInnes, Healy and Melville 2018, algorithm 4).
 *
 * <p>Parts that no edge joins are laid out one by one, each within half the way to the nearest
 * other one. They are put where classical MDS of the mean distances between them says. umap-learn
 * has a spectral embedding of exp(−d²) there, which depends on the unit of the distances and is 0
 * for all above 27.
 */
final class SpectralLayout {
  /** Fewer models than this have no shape that eigenvectors could show. */
  private static final int SMALLEST_SPECTRAL = 4;

  private SpectralLayout() {}

  /** Points for all models, not all at one place. */
  static double[][] of(FuzzySet graph, DistanceMatrix distances, Random random) {
    int[] component = graph.components();
    int count = Arrays.stream(component).max().orElse(-1) + 1;
    double[][] centers = centers(distances, component, count, random);
    double[][] points = new double[graph.size()][2];
    for (int c = 0; c < count; c++) {
      int part = c;
      int[] models = IntStream.range(0, graph.size()).filter(i -> component[i] == part).toArray();
      double radius = radius(centers, c);
      double[][] axes = axes(graph, models, random);
      double largest = 0;
      for (double[] axis : axes) {
        for (double x : axis) {
          largest = Math.max(largest, Math.abs(x));
        }
      }
      for (int i = 0; i < models.length; i++) {
        for (int d = 0; d < 2; d++) {
          points[models[i]][d] = centers[c][d] + radius * axes[d][i] / largest;
        }
      }
    }
    return points;
  }

  private static double[][] axes(FuzzySet graph, int[] models, Random random) {
    if (models.length < SMALLEST_SPECTRAL) {
      double[][] axes = new double[2][models.length];
      for (double[] axis : axes) {
        Arrays.setAll(axis, i -> 2 * random.nextDouble() - 1);
      }
      return axes;
    }
    return RestartedLanczos.afterStationary(NormalizedAdjacency.of(graph, models));
  }

  private static double radius(double[][] centers, int c) {
    double nearest = Double.POSITIVE_INFINITY;
    for (int other = 0; other < centers.length; other++) {
      if (other != c) {
        nearest =
            Math.min(
                nearest,
                Math.hypot(centers[c][0] - centers[other][0], centers[c][1] - centers[other][1]));
      }
    }
    return nearest == Double.POSITIVE_INFINITY ? 1 : nearest / 2;
  }

  private static double[][] centers(
      DistanceMatrix distances, int[] component, int count, Random random) {
    if (count == 1) {
      return new double[1][2];
    }
    double[][] sums = new double[count][count];
    int[] sizes = new int[count];
    for (int i = 0; i < component.length; i++) {
      sizes[component[i]]++;
      for (int j = 0; j < i; j++) {
        sums[component[i]][component[j]] += distances.get(i, j);
      }
    }
    double[][] means = new double[count][count];
    double largest = 0;
    for (int c = 0; c < count; c++) {
      for (int other = 0; other < c; other++) {
        // Parts that are all equally far from each other have no leading axes, and would be put
        // onto each other; one per cent of noise gives them some.
        double noise = 1 + 0.01 * random.nextDouble();
        means[c][other] =
            noise * (sums[c][other] + sums[other][c]) / ((double) sizes[c] * sizes[other]);
        means[other][c] = means[c][other];
        largest = Math.max(largest, means[c][other]);
      }
    }
    // In a unit of their own, so that no square overflows or vanishes.
    double unit = largest;
    return new ClassicalMds(2)
        .embed(
            DistanceMatrix.of(IntStream.range(0, count).mapToObj(c -> "part " + c).toList(), means)
                .map(d -> d / unit))
        .toArray();
  }
}
