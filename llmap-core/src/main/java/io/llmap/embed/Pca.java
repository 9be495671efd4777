package io.llmap.embed;

import io.llmap.distance.GramKernels;
import io.llmap.distance.RowSource;
import io.llmap.internal.Parallel;
import io.llmap.matrix.CenteredMatrix;
import java.util.List;
import java.util.Locale;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/**
 * Principal components of the model coordinates: Q = U·S·Vᵀ, models at U·S (method 2.5).
 *
 * <p>Goes through the smaller of the Gram matrices Q·Qᵀ [K, K] and Qᵀ·Q [N, N], in double. Singular
 * values below √(min(K, N)·2⁻⁵²) of the largest cannot be told from zero there and are 0; since Q
 * is centred, that is so for at least one of K.
 *
 * <p>Signs: on every axis the coordinate of the largest size is positive; of several that are equal
 * to a relative 1e-9, the first model's.
 *
 * <p>Immutable. The same matrix gives the same bits with the same Gram kernel, on any number of
 * threads.
 */
public final class Pca {
  private final List<String> names;
  private final double[] singularValues;
  private final double[] ratios;
  private final double[][] axes;

  private Pca(List<String> names, double[] singularValues, double[] ratios, double[][] axes) {
    this.names = names;
    this.singularValues = singularValues;
    this.ratios = ratios;
    this.axes = axes;
  }

  /**
   * Decomposes a matrix.
   *
   * @param matrix K models × N texts
   * @return all components; O(K·N·min(K, N)) time, and some matrices of min(K, N)² doubles while it
   *     runs
   * @throws IllegalArgumentException if a cell is missing: use {@link ClassicalMds} on distances
   * @throws io.llmap.LlmapException if the eigenvalues do not converge
   */
  public static Pca of(CenteredMatrix matrix) {
    matrix.requireComplete("PCA");
    int k = matrix.models();
    int n = matrix.texts();
    int components = Math.min(k, n);
    DMatrixRMaj gram = gram(k <= n ? RowSource.of(matrix) : new Columns(matrix));
    double total = CommonOps_DDRM.trace(gram);
    SymmetricEigen eigen = SymmetricEigen.of(gram);
    double[] singularValues = new double[components];
    double[] ratios = new double[components];
    int rank = eigen.rank();
    for (int d = 0; d < rank; d++) {
      singularValues[d] = Math.sqrt(eigen.values()[d]);
      ratios[d] = eigen.values()[d] / total;
    }
    double[][] axes = k <= n ? eigen.axes(components) : project(matrix, eigen);
    return new Pca(matrix.names(), singularValues, ratios, axes);
  }

  private static DMatrixRMaj gram(RowSource rows) {
    int size = rows.rows();
    double[] triangle = new double[size * (size + 1) / 2];
    GramKernels.best().add(rows, triangle);
    DMatrixRMaj gram = new DMatrixRMaj(size, size);
    int at = 0;
    for (int i = 0; i < size; i++) {
      for (int j = 0; j <= i; j++) {
        gram.set(i, j, triangle[at]);
        gram.set(j, i, triangle[at]);
        at++;
      }
    }
    return gram;
  }

  /** Qᵀ, row by row. */
  private record Columns(CenteredMatrix matrix) implements RowSource {
    @Override
    public int rows() {
      return matrix.texts();
    }

    @Override
    public int columns() {
      return matrix.models();
    }

    @Override
    public void read(int row, int from, int to, double[] target, int offset) {
      for (int i = from; i < to; i++) {
        target[offset + i - from] = matrix.get(i, row);
      }
    }
  }

  /** Q·v, where the eigenvectors are those of the texts. */
  private static double[][] project(CenteredMatrix matrix, SymmetricEigen eigen) {
    double[][] axes = new double[eigen.rank()][matrix.models()];
    Parallel.forEach(
        matrix.models(),
        i -> {
          double[] row = matrix.row(i);
          for (int d = 0; d < axes.length; d++) {
            axes[d][i] = CenteredSquares.dot(row, eigen.vector(d), row.length);
          }
        });
    for (double[] axis : axes) {
      SymmetricEigen.orient(axis);
    }
    return axes;
  }

  /**
   * The singular values of Q.
   *
   * @return min(K, N) numbers in nats, descending, the last ones 0 where Q lacks rank; a new array
   */
  public double[] singularValues() {
    return singularValues.clone();
  }

  /**
   * The share of each component in the sum of squares of Q.
   *
   * @return min(K, N) numbers that add up to 1, or all 0 where Q is 0 (K = 1); a new array
   */
  public double[] explainedVarianceRatios() {
    return ratios.clone();
  }

  /**
   * The coordinates on the leading components, U·S. Distances between them are at most those
   * between rows of Q, and the same when no component of positive variance is left out.
   *
   * @param dimensions D, at least 1; coordinates beyond the rank of Q are 0, so that one or two
   *     models have a place on a plane too
   * @return K points, in nats
   * @throws IllegalArgumentException if dimensions is below 1
   */
  public Embedding embedding(int dimensions) {
    if (dimensions < 1) {
      throw new IllegalArgumentException("dimensions must be at least 1, got " + dimensions);
    }
    double share = 0;
    for (int d = 0; d < Math.min(dimensions, ratios.length); d++) {
      share += ratios[d];
    }
    return Embedding.of(
        names,
        SymmetricEigen.points(axes, names.size(), dimensions),
        String.format(
            Locale.ROOT, "PCA, %d dimensions, %.1f %% of the variance", dimensions, 100 * share));
  }
}
