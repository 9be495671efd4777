package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import io.llmap.internal.Parallel;
import java.util.Arrays;
import java.util.function.IntBinaryOperator;

/**
 * How much of the distances between models a map keeps. All numbers are 1 where the map keeps it
 * all.
 *
 * <p>Immutable and thread-safe; holds the distances and the map. Each number is computed when asked
 * for, on several threads, and has the same bits on any number of them. Of equal distances from a
 * model the one that is first in the matrix counts as the nearer.
 */
public final class EmbeddingQuality {
  private static final int ROWS_PER_PIECE = 16;
  private static final int VALUES_PER_PIECE = 1 << 16;

  private final DistanceMatrix distances;
  private final double[][] points;

  private EmbeddingQuality(DistanceMatrix distances, double[][] points) {
    this.distances = distances;
    this.points = points;
  }

  /**
   * Takes distances and a map of the same models.
   *
   * @param distances K × K, those the map was made from or others to judge it by
   * @param map K points, of any dimension
   * @return the quality
   * @throws IllegalArgumentException if the names or their order differ
   */
  public static EmbeddingQuality of(DistanceMatrix distances, Embedding map) {
    if (distances.size() != map.size()) {
      throw new IllegalArgumentException(
          distances.size() + " models have distances but " + map.size() + " are on the map");
    }
    for (int i = 0; i < map.size(); i++) {
      if (!distances.names().get(i).equals(map.names().get(i))) {
        throw new IllegalArgumentException(
            "model %d is \"%s\" in the distances but \"%s\" on the map"
                .formatted(i, distances.names().get(i), map.names().get(i)));
      }
    }
    return new EmbeddingQuality(distances, map.toArray());
  }

  /**
   * Trustworthiness: whether neighbours on the map are neighbours (Venna and Kaski 2001).
   *
   * <pre>1 − 2 / (K·k·(2K − 3k − 1)) · Σ_i Σ_j (r_ij − k)</pre>
   *
   * <p>with j over those of the k nearest to i on the map that are not among the k nearest by
   * distance, and r_ij the rank of j by distance from i, 1 for the nearest. As {@code
   * sklearn.manifold.trustworthiness}.
   *
   * @param k neighbours, at least 1 and less than K/2
   * @return 0 to 1; O(K² log K)
   * @throws IllegalArgumentException if k is below 1 or not less than K/2
   */
  public double trustworthiness(int k) {
    requireLessThanHalf(k);
    return 1
        - penalty(k) * sum((byDistance, onMap) -> onMap <= k ? Math.max(0, byDistance - k) : 0);
  }

  /**
   * Continuity: whether neighbours are still neighbours on the map (Venna and Kaski 2001). As
   * trustworthiness, with the distances and the map changing places.
   *
   * @param k neighbours, at least 1 and less than K/2
   * @return 0 to 1; O(K² log K)
   * @throws IllegalArgumentException if k is below 1 or not less than K/2
   */
  public double continuity(int k) {
    requireLessThanHalf(k);
    return 1
        - penalty(k) * sum((byDistance, onMap) -> byDistance <= k ? Math.max(0, onMap - k) : 0);
  }

  /**
   * The share of the k nearest models by distance that are among the k nearest on the map, mean
   * over all models.
   *
   * @param k neighbours, 1 to K − 1
   * @return 0 to 1; points at random have k/(K − 1) on average; O(K² log K)
   * @throws IllegalArgumentException if k is not from 1 to K − 1
   */
  public double neighbourOverlap(int k) {
    if (k < 1 || k >= points.length) {
      throw new IllegalArgumentException(
          "each of "
              + points.length
              + " models has "
              + (points.length - 1)
              + " others, asked for "
              + k
              + " neighbours");
    }
    return (double) sum((byDistance, onMap) -> byDistance <= k && onMap <= k ? 1 : 0)
        / ((double) points.length * k);
  }

  /**
   * Shepard correlation: Spearman's between the distances and those on the map, over all pairs,
   * equal ones sharing their mean rank.
   *
   * @return −1 to 1; O(K² log K) time, 3·K²/2 doubles
   * @throws IllegalArgumentException if all distances are equal, or all those on the map, which
   *     leaves nothing to correlate
   */
  public double shepardCorrelation() {
    int k = points.length;
    double[][] pairs = new double[2][Math.toIntExact((long) k * (k - 1) / 2)];
    int pair = 0;
    for (int i = 1; i < k; i++) {
      for (int j = 0; j < i; j++) {
        pairs[0][pair] = distances.get(i, j);
        pairs[1][pair++] = squaredOnMap(i, j);
      }
    }
    toMeanRanks(pairs[0], "by distance");
    toMeanRanks(pairs[1], "on the map");
    double mean = (pairs[0].length + 1) / 2.0;
    double covariance = 0;
    double variance = 0;
    double mapVariance = 0;
    for (int p = 0; p < pairs[0].length; p++) {
      double a = pairs[0][p] - mean;
      double b = pairs[1][p] - mean;
      covariance += a * b;
      variance += a * a;
      mapVariance += b * b;
    }
    return covariance / Math.sqrt(variance * mapVariance);
  }

  private static void toMeanRanks(double[] values, String where) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    if (sorted.length == 0 || sorted[0] == sorted[sorted.length - 1]) {
      throw new IllegalArgumentException(
          "a correlation needs pairs at different distances, but the "
              + sorted.length
              + " pairs are all equally far "
              + where);
    }
    Parallel.forEach(
        pieces(values.length, VALUES_PER_PIECE),
        piece -> {
          int end = Math.min(values.length, (piece + 1) * VALUES_PER_PIECE);
          for (int p = piece * VALUES_PER_PIECE; p < end; p++) {
            int below = NeighborRanks.firstAtLeast(sorted, values[p]);
            int upTo = NeighborRanks.firstAtLeast(sorted, Math.nextUp(values[p]));
            values[p] = (below + 1 + upTo) / 2.0;
          }
        });
  }

  private void requireLessThanHalf(int k) {
    if (k < 1 || 2L * k >= points.length) {
      throw new IllegalArgumentException(
          "neighbours must be at least 1 and less than half of the "
              + points.length
              + " models, got "
              + k);
    }
  }

  private double penalty(int k) {
    double size = points.length;
    return 2 / (size * k * (2 * size - 3 * k - 1));
  }

  /** Sums a function of both ranks over all ordered pairs. */
  private long sum(IntBinaryOperator ofRanks) {
    int k = points.length;
    long[] sums = new long[pieces(k, ROWS_PER_PIECE)];
    Parallel.forEach(
        sums.length,
        piece -> {
          NeighborRanks ranks = new NeighborRanks(k);
          double[] row = new double[k];
          int[] byDistance = new int[k];
          int[] onMap = new int[k];
          for (int i = piece * ROWS_PER_PIECE; i < Math.min(k, (piece + 1) * ROWS_PER_PIECE); i++) {
            int model = i;
            Arrays.setAll(row, j -> distances.get(model, j));
            ranks.of(row, i, byDistance);
            Arrays.setAll(row, j -> squaredOnMap(model, j));
            ranks.of(row, i, onMap);
            for (int j = 0; j < k; j++) {
              sums[piece] += j == i ? 0 : ofRanks.applyAsInt(byDistance[j], onMap[j]);
            }
          }
        });
    return Arrays.stream(sums).sum();
  }

  private static int pieces(int count, int size) {
    return (count + size - 1) / size;
  }

  /** Not the root, which could make equal what is not. */
  private double squaredOnMap(int i, int j) {
    double sum = 0;
    for (int d = 0; d < points[i].length; d++) {
      double difference = points[i][d] - points[j][d];
      sum += difference * difference;
    }
    return sum;
  }
}
