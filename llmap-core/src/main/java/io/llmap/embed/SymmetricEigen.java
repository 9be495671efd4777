package io.llmap.embed;

import io.llmap.LlmapException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/** The eigenvalues of a symmetric matrix in descending order, with unit eigenvectors. */
final class SymmetricEigen {
  /** Below this size all pairs cost less than a search for a few. */
  private static final int SMALL = 150;

  private final int size;
  private final double largest;
  private final double[] values;
  private final double[][] vectors;

  private SymmetricEigen(int size, double largest, double[] values, double[][] vectors) {
    this.size = size;
    this.largest = largest;
    this.values = values;
    this.vectors = vectors;
  }

  /**
   * The largest eigenvalues of B, at least so many of them: O(K²) time where they are few, O(K³) if
   * they are many or too close together.
   */
  static SymmetricEigen leading(CenteredSquares b, int count) {
    if (b.size() <= SMALL || count > b.size() / 20) {
      return of(b.toMatrix());
    }
    return BlockLanczos.leading(b, count).orElseGet(() -> of(b.toMatrix()));
  }

  /** Decomposes a symmetric matrix; its contents are lost. O(K³). */
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
    double largest = k == 0 ? 0 : Math.max(Math.abs(values[0]), Math.abs(values[k - 1]));
    return new SymmetricEigen(k, largest, values, vectors);
  }

  /** The leading pairs of the matrix whose projection onto an orthonormal basis this is. */
  SymmetricEigen expanded(double[][] basis, int k, int count) {
    double[][] expanded = new double[count][k];
    for (int d = 0; d < count; d++) {
      for (int c = 0; c < vectors[d].length; c++) {
        CenteredSquares.addMultiple(vectors[d][c], basis[c], expanded[d], k);
      }
    }
    return new SymmetricEigen(k, largest, Arrays.copyOf(values, count), expanded);
  }

  /** The eigenvalues that were asked for, with their rounding errors. */
  double[] values() {
    return values;
  }

  /** Unit eigenvector d, of either sign. */
  double[] vector(int d) {
    return vectors[d];
  }

  /** What rounding alone can make of a zero eigenvalue. */
  private double tolerance() {
    return size * Math.ulp(1.0) * largest;
  }

  /** The largest size of an eigenvalue, those that were not asked for included. */
  double largest() {
    return largest;
  }

  /** How many of the eigenvalues are positive beyond rounding. */
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
