package io.llmap.embed;

import java.util.Arrays;

/**
 * One phase of a descent with momentum and one adaptive gain per coordinate (Jacobs 1988), as van
 * der Maaten's and scikit-learn's t-SNE have it.
 */
record GradientDescent(double exaggeration, double learningRate, double momentum, int iterations) {
  private static final double GAIN_STEP = 0.2;
  private static final double GAIN_DECAY = 0.8;
  private static final double MIN_GAIN = 0.01;

  // Beside the size of the map, since at the start the map is small, and so is every gradient.
  private static final double CONVERGED = 1e-9;
  private static final double CRUSHED = 1e-6;

  /**
   * Moves the points, at rest and with unit gains at first, and keeps their mean at the origin.
   * Returns the iterations done. They are fewer than asked for once the gradient has vanished, or
   * once the map has shrunk to a millionth: then no group is tight enough for this exaggeration,
   * and the points would go on towards one point, from where no gradient leads away.
   */
  int run(TsneGradient gradient, double[] x, double[] y) {
    int k = x.length;
    double[] gx = new double[k];
    double[] gy = new double[k];
    double[] vx = new double[k];
    double[] vy = new double[k];
    double[] gainX = new double[k];
    double[] gainY = new double[k];
    Arrays.fill(gainX, 1);
    Arrays.fill(gainY, 1);
    double smallest = CRUSHED * norm(x, y);
    for (int iteration = 1; iteration <= iterations; iteration++) {
      gradient.at(x, y, exaggeration, gx, gy);
      step(x, gx, vx, gainX);
      step(y, gy, vy, gainY);
      double size = norm(x, y);
      if (norm(gx, gy) <= CONVERGED * size || size < smallest) {
        return iteration;
      }
    }
    return iterations;
  }

  private void step(double[] c, double[] g, double[] v, double[] gain) {
    double mean = 0;
    for (int i = 0; i < c.length; i++) {
      // Still going downhill: faster. Past the valley: slower.
      gain[i] = v[i] * g[i] < 0 ? gain[i] + GAIN_STEP : Math.max(gain[i] * GAIN_DECAY, MIN_GAIN);
      v[i] = momentum * v[i] - learningRate * gain[i] * g[i];
      c[i] += v[i];
      mean += c[i] / c.length;
    }
    // Unequal gains move the mean, and small differences beside it would be lost to rounding.
    for (int i = 0; i < c.length; i++) {
      c[i] -= mean;
    }
  }

  private static double norm(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * a[i] + b[i] * b[i];
    }
    return Math.sqrt(sum);
  }
}
