package io.llmap.embed;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How sure the places on a map are: maps of resampled distances, each aligned to the map of all
 * texts by {@link Procrustes}, and the scatter of every model's points (2505.15428; method 2.5).
 *
 * <pre>S = Σ_r (y_r − ȳ)(y_r − ȳ)ᵀ / (R − 1) = V·Λ·Vᵀ,   semi-axes Λ^½</pre>
 *
 * <p>Immutable.
 */
public final class ErrorEllipses {
  private final List<ErrorEllipse> ellipses;
  private final double meanSquaredError;

  private ErrorEllipses(List<ErrorEllipse> ellipses, double meanSquaredError) {
    this.ellipses = ellipses;
    this.meanSquaredError = meanSquaredError;
  }

  /**
   * Aligns maps and measures their scatter.
   *
   * @param reference the map of all texts, K points on the plane
   * @param maps R maps of resampled distances, at least 2, each with all models of the reference
   * @return an ellipse per model; O(R·K)
   * @throws IllegalArgumentException if there are fewer than two maps, one is not on the plane, or
   *     one lacks a model of the reference
   */
  public static ErrorEllipses of(Embedding reference, List<Embedding> maps) {
    if (maps.size() < 2) {
      throw new IllegalArgumentException(
          "a scatter needs at least two resampled maps, got " + maps.size());
    }
    if (reference.dimensions() != 2) {
      throw new IllegalArgumentException(
          "ellipses need a map with 2 dimensions, the reference has " + reference.dimensions());
    }
    int k = reference.size();
    double[][] x = new double[k][maps.size()];
    double[][] y = new double[k][maps.size()];
    double squares = 0;
    for (int r = 0; r < maps.size(); r++) {
      Procrustes alignment = Procrustes.align(reference, maps.get(r));
      Embedding aligned = alignment.aligned();
      Map<String, Integer> places = Procrustes.places(aligned);
      for (int i = 0; i < k; i++) {
        Integer place = places.get(reference.names().get(i));
        if (place == null) {
          throw new IllegalArgumentException(
              "map " + r + " lacks \"" + reference.names().get(i) + "\" of the reference");
        }
        x[i][r] = aligned.get(place, 0);
        y[i][r] = aligned.get(place, 1);
      }
      squares += alignment.residual() * alignment.residual();
    }
    List<ErrorEllipse> ellipses = new ArrayList<>();
    for (int i = 0; i < k; i++) {
      ellipses.add(ellipse(reference.names().get(i), x[i], y[i]));
    }
    return new ErrorEllipses(List.copyOf(ellipses), squares / (2 * maps.size()));
  }

  private static ErrorEllipse ellipse(String name, double[] x, double[] y) {
    double meanX = mean(x);
    double meanY = mean(y);
    double xx = covariance(x, meanX, x, meanX);
    double xy = covariance(x, meanX, y, meanY);
    double yy = covariance(y, meanY, y, meanY);
    double middle = (xx + yy) / 2;
    double difference = Math.hypot((xx - yy) / 2, xy);
    return new ErrorEllipse(
        name,
        meanX,
        meanY,
        Math.sqrt(middle + difference),
        Math.sqrt(Math.max(0, middle - difference)),
        StrictMath.atan2(2 * xy, xx - yy) / 2);
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double v : values) {
      sum += v;
    }
    return sum / values.length;
  }

  private static double covariance(double[] a, double meanA, double[] b, double meanB) {
    double sum = 0;
    for (int r = 0; r < a.length; r++) {
      sum += (a[r] - meanA) * (b[r] - meanB);
    }
    return sum / (a.length - 1);
  }

  /**
   * The ellipses.
   *
   * @return one per model, in the order of the reference
   */
  public List<ErrorEllipse> ellipses() {
    return ellipses;
  }

  /**
   * How far resampling moves the map as a whole.
   *
   * @return the mean of (aligned − reference)² over maps, models and both coordinates, in the
   *     squared unit of the reference
   */
  public double meanSquaredError() {
    return meanSquaredError;
  }
}
