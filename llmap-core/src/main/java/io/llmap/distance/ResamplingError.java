package io.llmap.distance;

/**
 * How far estimated distances are from the ones they estimate (2505.15428; method 3.3), over all K²
 * ordered pairs.
 *
 * @param absolute τ₁ = ‖D̃ − D‖_F / ‖D‖_F: the large distances count; NaN or infinite if all
 *     reference distances are 0
 * @param relative τ₂ = √(mean of (|d̃ − d| / max(d, 10⁻³))²): every pair counts the same; the
 *     floor, in the distances' unit, keeps duplicates from dividing by nothing
 */
public record ResamplingError(double absolute, double relative) {
  private static final double FLOOR = 1e-3;

  /**
   * Compares distances; the paper does so with the squared Euclidean ones.
   *
   * @param estimated from some of the texts
   * @param reference from all of them, the same models in the same order
   * @return the errors
   * @throws IllegalArgumentException if the models differ
   */
  public static ResamplingError of(DistanceMatrix estimated, DistanceMatrix reference) {
    if (!estimated.names().equals(reference.names())) {
      throw new IllegalArgumentException(
          "the estimate is for other models than the reference, or in another order");
    }
    int k = reference.size();
    double error = 0;
    double size = 0;
    double relative = 0;
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        double d = reference.get(i, j);
        double difference = estimated.get(i, j) - d;
        double ratio = difference / Math.max(d, FLOOR);
        error += difference * difference;
        size += d * d;
        relative += ratio * ratio;
      }
    }
    return new ResamplingError(Math.sqrt(error / size), Math.sqrt(relative / k / k));
  }
}
