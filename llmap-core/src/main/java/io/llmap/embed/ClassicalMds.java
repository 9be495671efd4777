package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import java.util.Locale;

/**
 * Classical multidimensional scaling (Torgerson 1952; Gower 1966): the leading eigenpairs of the
 * centred squared distances.
 *
 * <pre>B = −½·J·D²·J = U·Λ·Uᵀ,   points U·Λ^½,   J = I − 1·1ᵀ/K</pre>
 *
 * <p>For distances between rows of a centred matrix the points are those of {@link Pca}, signs
 * included. Distances that no Euclidean space holds give negative eigenvalues, which get no axis.
 * {@link Embedding#method()} says which share of Σλ² = ‖B‖² the axes have, the negative ones
 * counted as missing (Mardia 1978); {@link #eigenvalues} has them one by one. An axis whose
 * eigenvalue is not positive beyond rounding, K·2⁻⁵²·max|λ|, is 0 for all models.
 *
 * <p>A few axes of many models are found by a Lanczos iteration to a residual of 1e-12·max|λ|:
 * O(K²) time a step, some dozens of steps, O(K) doubles a step. More than K/20 axes, or eigenvalues
 * that are too close together, take all of them: O(K³) time, O(K²) doubles. The same distances give
 * the same bits on any number of threads.
 *
 * @param dimensions D, at least 1
 */
public record ClassicalMds(int dimensions) implements EmbeddingMethod {
  /**
   * Checks the setting.
   *
   * @param dimensions D, at least 1
   * @throws IllegalArgumentException if dimensions is below 1
   */
  public ClassicalMds {
    if (dimensions < 1) {
      throw new IllegalArgumentException("dimensions must be at least 1, got " + dimensions);
    }
  }

  @Override
  public Embedding embed(DistanceMatrix distances) {
    CenteredSquares b = new CenteredSquares(distances);
    SymmetricEigen eigen = SymmetricEigen.leading(b, dimensions);
    // Relative to the largest, because squares of squares leave the range of a double early.
    double unit = eigen.largest();
    double kept = 0;
    for (int d = 0; d < Math.min(dimensions, eigen.rank()); d++) {
      kept += Math.pow(eigen.values()[d] / unit, 2);
    }
    return Embedding.of(
        distances.names(),
        SymmetricEigen.points(eigen.axes(dimensions), distances.size(), dimensions),
        String.format(
            Locale.ROOT,
            "%s, %.1f %% of the eigenvalues' sum of squares",
            description(),
            // All distances 0: nothing to explain, and nothing is missing.
            kept == 0 ? 0 : 100 * kept / b.sumOfSquares(unit)));
  }

  @Override
  public String description() {
    return "classical MDS, " + dimensions + " dimensions";
  }

  /**
   * The eigenvalues of B, to judge how many dimensions the distances need and how Euclidean they
   * are. O(K³) time, O(K²) doubles.
   *
   * @param distances K × K Euclidean distances
   * @return K numbers in the squared unit of the distances, descending, negative ones included
   */
  public static double[] eigenvalues(DistanceMatrix distances) {
    return SymmetricEigen.of(new CenteredSquares(distances).toMatrix()).values();
  }

  /** The leading axes, oriented; fewer than asked for where the distances hold no more. */
  static double[][] axes(DistanceMatrix distances, int dimensions) {
    return SymmetricEigen.leading(new CenteredSquares(distances), dimensions).axes(dimensions);
  }
}
