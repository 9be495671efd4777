package io.llmap.embed;

import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.ejml.data.DMatrixRMaj;

/**
 * The algebraically largest eigenvalues of a symmetric matrix that is only multiplied with: block
 * Lanczos with full reorthogonalisation (Golub and Underwood 1977).
 *
 * <p>A block holds more vectors than are wanted, so that eigenvalues of the multiplicity that is
 * wanted are all found. O(K²) time a step, O(K) doubles a step.
 */
final class BlockLanczos {
  /** Beyond this many basis vectors the orthogonalisation costs more than it is worth. */
  private static final int LARGEST_BASIS = 800;

  /** ‖B·u − λ·u‖ at most this much of the largest |λ|: rounding leaves about 1e-14. */
  private static final double RESIDUAL = 1e-12;

  /** What orthogonalisation leaves of a vector that was already in the span. */
  private static final double DEPENDENT = 1e-13;

  private final SymmetricOperator matrix;
  private final double[][] basis = new double[LARGEST_BASIS][];
  private final double[][] projected = new double[LARGEST_BASIS][LARGEST_BASIS];
  private int size;

  private BlockLanczos(SymmetricOperator matrix) {
    this.matrix = matrix;
  }

  /** The leading eigenpairs, or empty if they did not converge: then only all pairs will do. */
  static Optional<SymmetricEigen> leading(SymmetricOperator matrix, int count) {
    return new BlockLanczos(matrix).find(count);
  }

  private Optional<SymmetricEigen> find(int count) {
    int limit = Math.min(LARGEST_BASIS, matrix.size());
    double[][] block = new double[count + 2][matrix.size()];
    SplittableRandom random = new SplittableRandom(1);
    for (double[] vector : block) {
      Arrays.setAll(vector, i -> random.nextDouble() - 0.5);
    }
    extend(block, 0);
    int nextCheck = 6 * block.length;
    int blockStart = 0;
    double scale = 0;
    while (size > blockStart) {
      int blockEnd = size;
      if (2 * blockEnd - blockStart > limit) {
        return Optional.empty();
      }
      double[][] products = matrix.multiply(Arrays.copyOfRange(basis, blockStart, blockEnd));
      double[][] coordinates = extend(products, scale);
      for (int c = blockStart; c < blockEnd; c++) {
        for (int d = 0; d < blockEnd; d++) {
          double coordinate = coordinates[c - blockStart][d];
          projected[d][c] = coordinate;
          projected[c][d] = coordinate;
          scale = Math.max(scale, Math.abs(coordinate));
        }
      }
      if (blockEnd >= nextCheck || size == blockEnd) {
        SymmetricEigen small = SymmetricEigen.of(leadingSquare(blockEnd));
        if (blockEnd >= count
            && residual(small, count, coordinates, blockStart, blockEnd)
                <= RESIDUAL * small.largest()) {
          return Optional.of(small.expanded(basis, matrix.size(), count));
        }
        nextCheck = blockEnd + Math.max(products.length, blockEnd / 4);
      }
      blockStart = blockEnd;
    }
    return Optional.empty();
  }

  private DMatrixRMaj leadingSquare(int count) {
    DMatrixRMaj square = new DMatrixRMaj(count, count);
    for (int d = 0; d < count; d++) {
      System.arraycopy(projected[d], 0, square.data, d * count, count);
    }
    return square;
  }

  /**
   * The largest residual among the wanted pairs: what multiplying the last block adds to the basis,
   * weighted with that block's share of the vector.
   */
  private static double residual(
      SymmetricEigen small, int count, double[][] coordinates, int blockStart, int blockEnd) {
    double largest = 0;
    for (int pair = 0; pair < count; pair++) {
      double[] vector = small.vector(pair);
      double squares = 0;
      for (int d = blockEnd; d < coordinates[0].length; d++) {
        double component = 0;
        for (int c = blockStart; c < blockEnd; c++) {
          component += coordinates[c - blockStart][d] * vector[c];
        }
        squares += component * component;
      }
      largest = Math.max(largest, Math.sqrt(squares));
    }
    return largest;
  }

  /**
   * Appends an orthonormal basis of what the vectors have outside the span, and returns their
   * coordinates on the whole basis, an array each. The vectors are used up.
   */
  private double[][] extend(double[][] vectors, double scale) {
    double[][] coordinates = new double[vectors.length][size + vectors.length];
    for (int c = 0; c < vectors.length; c++) {
      double[] vector = vectors[c];
      // Twice, because once leaves the rounding errors of what was removed.
      for (int pass = 0; pass < 2; pass++) {
        for (int d = 0; d < size; d++) {
          double coordinate = CenteredSquares.dot(basis[d], vector, vector.length);
          CenteredSquares.addMultiple(-coordinate, basis[d], vector, vector.length);
          coordinates[c][d] += coordinate;
        }
      }
      double length = Math.sqrt(CenteredSquares.dot(vector, vector, vector.length));
      if (length > DEPENDENT * scale) {
        coordinates[c][size] = length;
        basis[size++] = Arrays.stream(vector).map(v -> v / length).toArray();
      }
    }
    return coordinates;
  }
}
