package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import java.util.Locale;
import org.ejml.data.DMatrixRMaj;

/**
 * Classical multidimensional scaling (Torgerson 1952; Gower 1966): the leading eigenpairs of the
 * centred squared distances.
 *
 * <pre>B = −½·J·D²·J = U·Λ·Uᵀ,   points U·Λ^½,   J = I − 1·1ᵀ/K</pre>
 *
 * <p>For distances between rows of a centred matrix the points are those of {@link Pca}, signs
 * included. Distances that no Euclidean space holds give negative eigenvalues: they get no axis,
 * and their share of Σ|λ| is in {@link Embedding#method()}. An axis whose eigenvalue is not
 * positive beyond rounding, K·2⁻⁵²·max|λ|, is 0 for all models.
 *
 * <p>O(K³) time, O(K²) doubles.
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
    SymmetricEigen eigen = decompose(distances);
    double tolerance = eigen.tolerance();
    double kept = 0;
    double negative = 0;
    double total = 0;
    for (int d = 0; d < distances.size(); d++) {
      double value = eigen.values()[d];
      total += Math.abs(value);
      kept += d < dimensions && value > tolerance ? value : 0;
      negative += value < -tolerance ? -value : 0;
    }
    // All distances 0: nothing to explain, and nothing is missing.
    double percent = total == 0 ? 0 : 100 / total;
    return Embedding.of(
        distances.names(),
        SymmetricEigen.points(eigen.axes(dimensions), distances.size(), dimensions),
        String.format(
            Locale.ROOT,
            "%s, %.1f %% of the eigenvalues' sum of sizes, %.1f %% of it negative",
            description(),
            percent * kept,
            percent * negative));
  }

  @Override
  public String description() {
    return "classical MDS, " + dimensions + " dimensions";
  }

  /**
   * The eigenvalues of B, to judge how many dimensions the distances need and how Euclidean they
   * are.
   *
   * @param distances K × K Euclidean distances
   * @return K numbers in the squared unit of the distances, descending, negative ones included
   */
  public static double[] eigenvalues(DistanceMatrix distances) {
    return decompose(distances).values();
  }

  static SymmetricEigen decompose(DistanceMatrix distances) {
    int k = distances.size();
    DistanceMatrix squares = distances.map(d -> d * d);
    double[] means = new double[k];
    double mean = 0;
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        means[i] += squares.get(i, j) / k;
      }
      mean += means[i] / k;
    }
    DMatrixRMaj b = new DMatrixRMaj(k, k);
    for (int i = 0; i < k; i++) {
      for (int j = 0; j <= i; j++) {
        double value = -0.5 * (squares.get(i, j) - means[i] - means[j] + mean);
        b.set(i, j, value);
        b.set(j, i, value);
      }
    }
    return SymmetricEigen.of(b);
  }
}
