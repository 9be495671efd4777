package io.llmap.embed;

import java.util.Arrays;
import java.util.Random;
import org.ejml.data.DMatrixRMaj;

/**
 * The eigenvectors of a graph that come after the stationary one: those of the largest eigenvalues
 * of {@link NormalizedAdjacency}, by a Lanczos iteration with restarts (Wu and Simon 2000) and full
 * orthogonalisation.
 *
 * <p>It advances two vectors at a time, since one alone sees a single vector of a double
 * eigenvalue, and symmetric graphs have those.
 */
final class RestartedLanczos {
  private static final int BLOCK = 2;
  private static final int BASIS = 48;
  private static final int KEPT = 24;
  private static final int MAX_RESTARTS = 200;

  /** Of ‖M·u − λ·u‖ for unit u. umap-learn asks ARPACK for 1e-4. */
  private static final double TOLERANCE = 1e-7;

  /** What is left of a vector after this much has cancelled is rounding. */
  private static final double CANCELLATION = 1e-10;

  private final NormalizedAdjacency matrix;
  private final int limit;
  private final double[][] basis;
  private final double[][] images;
  private final Random random = new Random(0);
  private int filled;

  private RestartedLanczos(NormalizedAdjacency matrix) {
    this.matrix = matrix;
    this.limit = Math.min(matrix.size() - 1, BASIS);
    this.basis = new double[limit][];
    this.images = new double[limit][];
  }

  /**
   * The two unit eigenvectors after the stationary one, larger eigenvalue first, each turned as
   * {@link SymmetricEigen#orient} does. At least three models. O(restarts · K · 48²); if 200
   * restarts do not suffice, the best approximation.
   */
  static double[][] afterStationary(NormalizedAdjacency matrix) {
    return new RestartedLanczos(matrix).solve();
  }

  private double[][] solve() {
    for (int b = 0; b < BLOCK; b++) {
      append(noise());
    }
    for (int restart = 0; ; restart++) {
      while (filled < limit) {
        append(images[filled - BLOCK].clone());
      }
      SymmetricEigen ritz = SymmetricEigen.of(projection());
      double[][] leading = combine(basis, ritz, BLOCK);
      // A basis of all there is has nothing left to converge.
      if (limit < BASIS
          || restart == MAX_RESTARTS
          || residual(leading, combine(images, ritz, BLOCK), ritz.values()) <= TOLERANCE) {
        for (double[] vector : leading) {
          SymmetricEigen.orient(vector);
        }
        return leading;
      }
      restart(ritz);
    }
  }

  /** The projection of M onto the basis. */
  private DMatrixRMaj projection() {
    DMatrixRMaj projection = new DMatrixRMaj(filled, filled);
    for (int i = 0; i < filled; i++) {
      for (int j = 0; j <= i; j++) {
        double value = dot(basis[i], images[j]);
        projection.set(i, j, value);
        projection.set(j, i, value);
      }
    }
    return projection;
  }

  /** Keeps the leading Ritz vectors, and as the next block the part of M·basis outside of it. */
  private void restart(SymmetricEigen ritz) {
    double[][] next = new double[BLOCK][];
    for (int b = 0; b < BLOCK; b++) {
      next[b] = images[filled - BLOCK + b].clone();
      orthogonalize(next[b]);
    }
    double[][] keptBasis = combine(basis, ritz, KEPT);
    double[][] keptImages = combine(images, ritz, KEPT);
    System.arraycopy(keptBasis, 0, basis, 0, KEPT);
    System.arraycopy(keptImages, 0, images, 0, KEPT);
    filled = KEPT;
    for (double[] vector : next) {
      append(vector);
    }
  }

  /** Takes a vector's part outside of the basis into it; where there is none, that of noise. */
  private void append(double[] vector) {
    double before = Math.sqrt(dot(vector, vector));
    orthogonalize(vector);
    double after = Math.sqrt(dot(vector, vector));
    if (!(after > CANCELLATION * before)) {
      append(noise());
      return;
    }
    for (int i = 0; i < vector.length; i++) {
      vector[i] /= after;
    }
    orthogonalize(vector);
    basis[filled] = vector;
    images[filled++] = matrix.times(vector);
  }

  /** Twice, since the first pass leaves rounding of the size of what it took away. */
  private void orthogonalize(double[] vector) {
    for (int pass = 0; pass < 2; pass++) {
      remove(matrix.stationary(), vector);
      for (int b = 0; b < filled; b++) {
        remove(basis[b], vector);
      }
    }
  }

  private static void remove(double[] unit, double[] vector) {
    double share = dot(unit, vector);
    for (int i = 0; i < vector.length; i++) {
      vector[i] -= share * unit[i];
    }
  }

  private double[][] combine(double[][] vectors, SymmetricEigen ritz, int count) {
    double[][] combined = new double[count][matrix.size()];
    for (int c = 0; c < count; c++) {
      double[] factors = ritz.vector(c);
      for (int b = 0; b < filled; b++) {
        for (int i = 0; i < combined[c].length; i++) {
          combined[c][i] += factors[b] * vectors[b][i];
        }
      }
    }
    return combined;
  }

  private static double residual(double[][] vectors, double[][] images, double[] values) {
    double largest = 0;
    for (int c = 0; c < vectors.length; c++) {
      double sum = 0;
      for (int i = 0; i < vectors[c].length; i++) {
        double difference = images[c][i] - values[c] * vectors[c][i];
        sum += difference * difference;
      }
      largest = Math.max(largest, Math.sqrt(sum));
    }
    return largest;
  }

  private double[] noise() {
    double[] vector = new double[matrix.size()];
    Arrays.setAll(vector, i -> 2 * random.nextDouble() - 1);
    return vector;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
