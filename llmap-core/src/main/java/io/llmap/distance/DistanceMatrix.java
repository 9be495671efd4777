package io.llmap.distance;

import io.llmap.internal.Parallel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;

/**
 * Symmetric distances between named models, with a zero diagonal; what they mean and in which unit
 * is the business of whoever made them.
 *
 * <p>Immutable. Holds the strict lower triangle: K·(K − 1)/2 doubles, which an array can do up to K
 * = 65,536.
 */
public final class DistanceMatrix {
  private static final int PIECE = 1 << 16;

  private final List<String> names;

  /** The pairs, and perhaps unused places behind them. */
  private final double[] triangle;

  private DistanceMatrix(List<String> names, double[] triangle) {
    this.names = names;
    this.triangle = triangle;
  }

  /**
   * Takes a packed triangle without copying it.
   *
   * @param names K different names
   * @param triangle the strict lower triangle by rows: (1,0), (2,0), (2,1), (3,0) …; owned by the
   *     result from now on
   * @return the matrix
   * @throws IllegalArgumentException if a name is repeated, the length is not K·(K − 1)/2, or a
   *     distance is negative, infinite or NaN
   */
  public static DistanceMatrix wrap(List<String> names, double[] triangle) {
    int k = names.size();
    if (triangle.length != pairs(k)) {
      throw new IllegalArgumentException(
          k + " models have " + pairs(k) + " pairs, got " + triangle.length);
    }
    return new DistanceMatrix(requireDifferent(names), triangle).requirePossible();
  }

  /**
   * Takes a triangle that has a diagonal, and moves the rest together in place: K places of the
   * array stay unused.
   */
  static DistanceMatrix compacted(List<String> names, double[] withDiagonal) {
    for (int i = 1; i < names.size(); i++) {
      System.arraycopy(withDiagonal, PackedTriangle.start(i), withDiagonal, index(i, 0), i);
    }
    return new DistanceMatrix(requireDifferent(names), withDiagonal).requirePossible();
  }

  private static List<String> requireDifferent(List<String> names) {
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw new IllegalArgumentException("two models are named \"" + name + "\"");
      }
    }
    return List.copyOf(names);
  }

  private DistanceMatrix requirePossible() {
    int pieces = pieces();
    int[] impossible = new int[pieces];
    Parallel.forEach(
        pieces,
        piece -> {
          int at = from(piece);
          int to = to(piece);
          while (at < to && triangle[at] >= 0 && triangle[at] < Double.POSITIVE_INFINITY) {
            at++;
          }
          impossible[piece] = at;
        });
    for (int piece = 0; piece < pieces; piece++) {
      int at = impossible[piece];
      if (at < to(piece)) {
        int i = PackedTriangle.row(at) + 1;
        int j = at - index(i, 0);
        throw new IllegalArgumentException(
            "the distance of \""
                + names.get(i)
                + "\" and \""
                + names.get(j)
                + "\" is "
                + triangle[at]);
      }
    }
    return this;
  }

  private int pieces() {
    return (int) (((long) pairs(size()) + PIECE - 1) / PIECE);
  }

  private static int from(int piece) {
    return piece * PIECE;
  }

  private int to(int piece) {
    return (int) Math.min((long) from(piece) + PIECE, pairs(size()));
  }

  /**
   * Computes the Euclidean distances between points, such as those of an embedding.
   *
   * @param names K different names
   * @param points K × D, finite
   * @return the distances, each to about 1e-11 of itself, near points included; O(K²·D) time, O(K²)
   *     memory
   * @throws IllegalArgumentException if a name is repeated, a shape is wrong, or a distance is NaN
   *     or too large to be squared
   */
  public static DistanceMatrix euclidean(List<String> names, double[][] points) {
    if (names.size() != points.length) {
      throw new IllegalArgumentException(names.size() + " names but " + points.length + " points");
    }
    return SquaredDistances.of(names, RowSource.wrap(points), GramKernels.best()).map(Math::sqrt);
  }

  /**
   * Copies a full matrix, such as one computed elsewhere.
   *
   * @param names K different names
   * @param values K × K, symmetric to a relative 1e-12, zero on the diagonal
   * @return the matrix
   * @throws IllegalArgumentException if the shape is wrong, the matrix is not symmetric, the
   *     diagonal is not zero, or a distance is negative, infinite or NaN
   */
  public static DistanceMatrix of(List<String> names, double[][] values) {
    int k = names.size();
    if (values.length != k) {
      throw new IllegalArgumentException(k + " names but " + values.length + " rows");
    }
    double[] triangle = new double[pairs(k)];
    for (int i = 0; i < k; i++) {
      if (values[i].length != k) {
        throw new IllegalArgumentException(
            "row " + i + " has " + values[i].length + " columns, expected " + k);
      }
      if (values[i][i] != 0) {
        throw new IllegalArgumentException(
            "the distance of \"" + names.get(i) + "\" to itself is " + values[i][i]);
      }
      for (int j = 0; j < i; j++) {
        double a = values[i][j];
        double b = values[j][i];
        if (Math.abs(a - b) > 1e-12 * Math.max(Math.abs(a), Math.abs(b))) {
          throw new IllegalArgumentException(
              "not symmetric: (%d,%d) is %s but (%d,%d) is %s".formatted(i, j, a, j, i, b));
        }
        triangle[index(i, j)] = a;
      }
    }
    return wrap(names, triangle);
  }

  private static int pairs(int k) {
    return k == 0 ? 0 : PackedTriangle.length(k - 1);
  }

  private static int index(int i, int j) {
    return (int) ((long) i * (i - 1) / 2) + j;
  }

  /** The products of the distances with another matrix's of the same models. */
  DistanceMatrix times(DistanceMatrix factors) {
    double[] products = new double[pairs(size())];
    Parallel.forEach(
        pieces(),
        piece -> {
          for (int p = from(piece); p < to(piece); p++) {
            products[p] = triangle[p] * factors.triangle[p];
          }
        });
    return wrap(names, products);
  }

  /**
   * The number of models, K.
   *
   * @return at least 0
   */
  public int size() {
    return names.size();
  }

  /**
   * The models' names.
   *
   * @return K different names
   */
  public List<String> names() {
    return names;
  }

  /**
   * One distance.
   *
   * @param i 0 to K − 1
   * @param j 0 to K − 1
   * @return the distance; 0 when i = j
   */
  public double get(int i, int j) {
    return i == j ? 0 : i > j ? triangle[index(i, j)] : triangle[index(j, i)];
  }

  /**
   * Applies a function to every distance off the diagonal.
   *
   * @param function maps non-negative numbers to non-negative numbers; called by several threads
   * @return a new matrix with the same names
   */
  public DistanceMatrix map(DoubleUnaryOperator function) {
    double[] mapped = new double[pairs(size())];
    Parallel.forEach(
        pieces(),
        piece -> {
          for (int at = from(piece); at < to(piece); at++) {
            mapped[at] = function.applyAsDouble(triangle[at]);
          }
        });
    return new DistanceMatrix(names, mapped).requirePossible();
  }

  /**
   * The full matrix.
   *
   * @return K × K, a new array
   */
  public double[][] toArray() {
    int k = size();
    double[][] full = new double[k][k];
    for (int i = 1; i < k; i++) {
      for (int j = 0; j < i; j++) {
        full[i][j] = full[j][i] = triangle[index(i, j)];
      }
    }
    return full;
  }
}
