package io.llmap.distance;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;

/**
 * Symmetric distances between named models, with a zero diagonal; what they mean and in which unit
 * is the business of whoever made them.
 *
 * <p>Immutable. Holds the strict lower triangle: K·(K − 1)/2 doubles.
 */
public final class DistanceMatrix {
  private final List<String> names;
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
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw new IllegalArgumentException("two models are named \"" + name + "\"");
      }
    }
    DistanceMatrix result = new DistanceMatrix(List.copyOf(names), triangle);
    for (int i = 1; i < k; i++) {
      for (int j = 0; j < i; j++) {
        double d = result.get(i, j);
        if (!(d >= 0) || d == Double.POSITIVE_INFINITY) {
          throw new IllegalArgumentException(
              "the distance of \"" + names.get(i) + "\" and \"" + names.get(j) + "\" is " + d);
        }
      }
    }
    return result;
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
    return Math.toIntExact((long) k * (k - 1) / 2);
  }

  private static int index(int i, int j) {
    return (int) ((long) i * (i - 1) / 2) + j;
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
   * @param function maps non-negative numbers to non-negative numbers
   * @return a new matrix with the same names
   */
  public DistanceMatrix map(DoubleUnaryOperator function) {
    return wrap(names, Arrays.stream(triangle).map(function).toArray());
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
