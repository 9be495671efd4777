package io.llmap.embed;

import io.llmap.LlmapException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/** The eigenvalues of a symmetric matrix in descending order, with unit eigenvectors. O(K³). */
final class SymmetricEigen {
  private final double[] values;
  private final double[][] vectors;

  private SymmetricEigen(double[] values, double[][] vectors) {
    this.values = values;
    this.vectors = vectors;
  }

  /** Decomposes a symmetric matrix; its contents are lost. */
  static SymmetricEigen of(DMatrixRMaj matrix) {
    int k = matrix.numRows;
    EigenDecomposition_F64<DMatrixRMaj> solver = DecompositionFactory_DDRM.eig(k, true, true);
    if (!solver.decompose(matrix)) {
      throw new LlmapException(
          "the eigenvalues of a " + k + " × " + k + " matrix did not converge: too large or NaN");
    }
    int[] order =
        IntStream.range(0, k)
            .boxed()
            .sorted(Comparator.comparingDouble(d -> -solver.getEigenvalue(d).real))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] values = new double[k];
    double[][] vectors = new double[k][];
    for (int d = 0; d < k; d++) {
      values[d] = solver.getEigenvalue(order[d]).real;
      vectors[d] = solver.getEigenVector(order[d]).data;
    }
    return new SymmetricEigen(values, vectors);
  }

  /** All K eigenvalues, with their rounding errors. */
  double[] values() {
    return values;
  }

  /** Unit eigenvector d, of either sign. */
  double[] vector(int d) {
    return vectors[d];
  }

  /** What rounding alone can make of a zero eigenvalue. */
  double tolerance() {
    double largest = 0;
    for (double value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return values.length * Math.ulp(1.0) * largest;
  }

  /** The number of eigenvalues that are positive beyond rounding. */
  int rank() {
    double tolerance = tolerance();
    return (int) Arrays.stream(values).filter(value -> value > tolerance).count();
  }

  /** √λ·u for the leading positive eigenvalues, at most so many, each oriented. */
  double[][] axes(int atMost) {
    double[][] axes = new double[Math.min(atMost, rank())][];
    for (int d = 0; d < axes.length; d++) {
      double length = Math.sqrt(values[d]);
      axes[d] = Arrays.stream(vectors[d]).map(u -> length * u).toArray();
      orient(axes[d]);
    }
    return axes;
  }

  /**
   * Turns an axis so that its coordinate of the largest size is positive. Of several that are equal
   * to a relative 1e-9, such as the two of K = 2, the first decides, so that rounding does not.
   */
  static void orient(double[] axis) {
    double largest = 0;
    for (double c : axis) {
      largest = Math.max(largest, Math.abs(c));
    }
    for (double c : axis) {
      if (Math.abs(c) >= largest * (1 - 1e-9)) {
        if (c < 0) {
          Arrays.setAll(axis, i -> -axis[i]);
        }
        return;
      }
    }
  }

  /** K points from axes; coordinates on axes that are not there are 0. */
  static double[][] points(double[][] axes, int k, int dimensions) {
    double[][] points = new double[k][dimensions];
    for (int d = 0; d < Math.min(dimensions, axes.length); d++) {
      for (int i = 0; i < k; i++) {
        points[i][d] = axes[d][i];
      }
    }
    return points;
  }
}
