package io.llmap.embed;

import java.util.List;

/**
 * Points for named models, [K, D]. Axes, signs and scale have no meaning of their own unless the
 * method says so.
 *
 * <p>Immutable.
 */
public final class Embedding {
  private final List<String> names;
  private final double[][] points;
  private final String method;

  private Embedding(List<String> names, double[][] points, String method) {
    this.names = names;
    this.points = points;
    this.method = method;
  }

  /**
   * Copies points.
   *
   * @param names K names
   * @param points K × D, finite
   * @param method how they were made, with the settings, such as {@code t-SNE, perplexity 30, seed
   *     1}
   * @return the embedding
   * @throws IllegalArgumentException if the shapes differ or a coordinate is not finite
   */
  public static Embedding of(List<String> names, double[][] points, String method) {
    if (names.size() != points.length) {
      throw new IllegalArgumentException(names.size() + " names but " + points.length + " points");
    }
    double[][] copy = new double[points.length][];
    for (int i = 0; i < points.length; i++) {
      copy[i] = points[i].clone();
      if (copy[i].length != copy[0].length) {
        throw new IllegalArgumentException(
            "point " + i + " has " + copy[i].length + " coordinates, expected " + copy[0].length);
      }
      for (double c : copy[i]) {
        if (!Double.isFinite(c)) {
          throw new IllegalArgumentException(
              "a coordinate of \"" + names.get(i) + "\" is " + c + " (" + method + ")");
        }
      }
    }
    return new Embedding(List.copyOf(names), copy, method);
  }

  /**
   * The number of models, K.
   *
   * @return at least 0
   */
  public int size() {
    return points.length;
  }

  /**
   * The number of coordinates of a point, D.
   *
   * @return at least 0
   */
  public int dimensions() {
    return points.length == 0 ? 0 : points[0].length;
  }

  /**
   * The models' names.
   *
   * @return K names
   */
  public List<String> names() {
    return names;
  }

  /**
   * One coordinate.
   *
   * @param i 0 to K − 1
   * @param axis 0 to D − 1
   * @return the coordinate
   */
  public double get(int i, int axis) {
    return points[i][axis];
  }

  /**
   * How the points were made.
   *
   * @return the method with its settings
   */
  public String method() {
    return method;
  }

  /**
   * The points.
   *
   * @return K × D, a new array
   */
  public double[][] toArray() {
    double[][] copy = new double[points.length][];
    for (int i = 0; i < copy.length; i++) {
      copy[i] = points[i].clone();
    }
    return copy;
  }
}
