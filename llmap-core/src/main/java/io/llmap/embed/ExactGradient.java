package io.llmap.embed;

import java.util.Arrays;

/** The gradient over all pairs, each visited once: O(K²), without allocation. */
final class ExactGradient implements TsneGradient {
  private final int size;
  private final double[] affinities;
  private final double[] attractionX;
  private final double[] attractionY;

  ExactGradient(Affinities affinities) {
    this.size = affinities.size();
    this.affinities = affinities.triangle();
    this.attractionX = new double[size];
    this.attractionY = new double[size];
  }

  @Override
  public void at(double[] x, double[] y, double exaggeration, double[] gx, double[] gy) {
    // The sum of all weights is known only at the end. Attraction and repulsion kept apart need one
    // pass over the pairs, and no weight has to be stored or computed twice.
    Arrays.fill(attractionX, 0);
    Arrays.fill(attractionY, 0);
    Arrays.fill(gx, 0);
    Arrays.fill(gy, 0);
    double sum = 0;
    for (int i = 1; i < size; i++) {
      sum += addPairs(i, x, y, gx, gy);
    }
    double scale = 1 / (2 * sum);
    for (int i = 0; i < size; i++) {
      gx[i] = 4 * (exaggeration * attractionX[i] - gx[i] * scale);
      gy[i] = 4 * (exaggeration * attractionY[i] - gy[i] * scale);
    }
  }

  /** Adds the forces between i and every j < i to both; returns the sum of their weights. */
  private double addPairs(int i, double[] x, double[] y, double[] repulsionX, double[] repulsionY) {
    int row = i * (i - 1) / 2;
    double xi = x[i];
    double yi = y[i];
    double ax = 0;
    double ay = 0;
    double rx = 0;
    double ry = 0;
    double sum = 0;
    for (int j = 0; j < i; j++) {
      double dx = xi - x[j];
      double dy = yi - y[j];
      double w = 1 / (1 + dx * dx + dy * dy);
      double attraction = affinities[row + j] * w;
      double repulsion = w * w;
      double adx = attraction * dx;
      double ady = attraction * dy;
      double rdx = repulsion * dx;
      double rdy = repulsion * dy;
      ax += adx;
      ay += ady;
      rx += rdx;
      ry += rdy;
      attractionX[j] -= adx;
      attractionY[j] -= ady;
      repulsionX[j] -= rdx;
      repulsionY[j] -= rdy;
      sum += w;
    }
    attractionX[i] += ax;
    attractionY[i] += ay;
    repulsionX[i] += rx;
    repulsionY[i] += ry;
    return sum;
  }

  @Override
  public double objective(double[] x, double[] y) {
    // Σ p·ln(p/q) with Σ p = 1: the logarithm of the normalisation comes out of the sum.
    double divergence = 0;
    double sum = 0;
    for (int i = 1, pair = 0; i < size; i++) {
      for (int j = 0; j < i; j++, pair++) {
        double dx = x[i] - x[j];
        double dy = y[i] - y[j];
        double inverse = 1 + dx * dx + dy * dy;
        double p = affinities[pair];
        sum += 1 / inverse;
        // 0·ln 0 = 0
        divergence += p > 0 ? p * Math.log(p * inverse) : 0;
      }
    }
    return 2 * divergence + Math.log(2 * sum);
  }
}
