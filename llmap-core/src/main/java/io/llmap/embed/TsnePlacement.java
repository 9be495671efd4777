package io.llmap.embed;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Finds the place of one more model on a finished map: minimises the objective of t-SNE for K + 1
 * models over the new point alone. Multiplied by (K + 1)/2 and without its constant it is
 *
 * <pre>
 * f(y) = Σ_j p_j·ln(1 + ‖y − y_j‖²) + (K + 1)/2 · ln(Z + 2·Σ_j w_j),   w_j = 1 / (1 + ‖y − y_j‖²)
 * </pre>
 *
 * <p>with p_j for the model j to be the new one's neighbour, in place of the mean of p_j and of
 * what the models of the map would say, which only their distances among each other could tell; Z
 * is the map's Σ_{k≠l} w_kl.
 *
 * <p>Two unknowns have a Hessian that is easily written down, so the steps are Newton's, shifted to
 * go downhill and halved until they do: no learning rate, and every step lowers f.
 */
final class TsnePlacement {
  private static final int MAX_STEPS = 100;

  // The kernel's width is 1: on the map nobody sees a shorter step.
  private static final double CONVERGED = 1e-10;
  private static final double SUFFICIENT = 1e-4;
  private static final double SHORTEST = 0x1p-40;

  private final Embedding map;
  private final double totalWeight;
  private final double[] probabilities;

  private double value;
  private double gradientX;
  private double gradientY;
  private double curvatureX;
  private double curvatureY;
  private double curvatureXy;

  /** From Z and p. */
  TsnePlacement(Embedding map, double totalWeight, double[] probabilities) {
    this.map = map;
    this.totalWeight = totalWeight;
    this.probabilities = probabilities;
  }

  /** The local minimum below the start. */
  double[] find() {
    double x = median(0);
    double y = median(1);
    evaluate(x, y);
    for (int step = 0; step < MAX_STEPS; step++) {
      double[] direction = direction();
      double slope = direction[0] * gradientX + direction[1] * gradientY;
      double before = value;
      double share = 1;
      evaluate(x + direction[0], y + direction[1]);
      while (value > before + SUFFICIENT * share * slope && share > SHORTEST) {
        share /= 2;
        evaluate(x + share * direction[0], y + share * direction[1]);
      }
      if (!(value < before)) {
        break;
      }
      x += share * direction[0];
      y += share * direction[1];
      if (share * Math.hypot(direction[0], direction[1]) <= CONVERGED) {
        break;
      }
    }
    return new double[] {x, y};
  }

  /** Where half of the probability lies on either side: unlike a mean, among the neighbours. */
  private double median(int axis) {
    int[] order =
        IntStream.range(0, map.size())
            .boxed()
            .sorted(Comparator.comparingDouble(j -> map.get(j, axis)))
            .mapToInt(Integer::intValue)
            .toArray();
    double half = Arrays.stream(probabilities).sum() / 2;
    double sum = 0;
    for (int j : order) {
      sum += probabilities[j];
      if (sum >= half) {
        return map.get(j, axis);
      }
    }
    return map.get(order[order.length - 1], axis);
  }

  /** f, its gradient and its second derivatives. */
  private void evaluate(double x, double y) {
    double attraction = 0;
    double ax = 0;
    double ay = 0;
    double axx = 0;
    double ayy = 0;
    double axy = 0;
    double near = 0;
    double zx = 0;
    double zy = 0;
    double zxx = 0;
    double zyy = 0;
    double zxy = 0;
    for (int j = 0; j < probabilities.length; j++) {
      double dx = x - map.get(j, 0);
      double dy = y - map.get(j, 1);
      double inverse = 1 + dx * dx + dy * dy;
      double w = 1 / inverse;
      double p = probabilities[j];
      attraction += p * Math.log(inverse);
      double pull = 2 * p * w;
      ax += pull * dx;
      ay += pull * dy;
      axx += pull * (1 - 2 * w * dx * dx);
      ayy += pull * (1 - 2 * w * dy * dy);
      axy -= pull * 2 * w * dx * dy;
      near += w;
      double push = -2 * w * w;
      zx += push * dx;
      zy += push * dy;
      zxx += push * (1 - 4 * w * dx * dx);
      zyy += push * (1 - 4 * w * dy * dy);
      zxy -= push * 4 * w * dx * dy;
    }
    double total = totalWeight + 2 * near;
    double models = probabilities.length + 1;
    value = attraction + models / 2 * Math.log(total);
    gradientX = ax + models * zx / total;
    gradientY = ay + models * zy / total;
    curvatureX = axx + models * (zxx - 2 * zx * zx / total) / total;
    curvatureY = ayy + models * (zyy - 2 * zy * zy / total) / total;
    curvatureXy = axy + models * (zxy - 2 * zx * zy / total) / total;
  }

  /** Newton's, with the smallest curvature raised to a positive one. */
  private double[] direction() {
    double mean = (curvatureX + curvatureY) / 2;
    double radius = Math.hypot((curvatureX - curvatureY) / 2, curvatureXy);
    double floor = 1e-3 * (Math.abs(mean) + radius);
    double shift = Math.max(0, floor - (mean - radius));
    double a = curvatureX + shift;
    double b = curvatureY + shift;
    double determinant = a * b - curvatureXy * curvatureXy;
    return new double[] {
      (curvatureXy * gradientY - b * gradientX) / determinant,
      (curvatureXy * gradientX - a * gradientY) / determinant
    };
  }
}
