package io.llmap.embed;

import io.llmap.internal.Parallel;

/** The gradient over all pairs: O(K²), without allocation, on several threads. */
final class ExactGradient implements TsneGradient {
  private final Affinities affinities;
  private final ForceLanes[] forces;

  ExactGradient(Affinities affinities) {
    this.affinities = affinities;
    this.forces = new ForceLanes[(affinities.size() + ForceLanes.LANES - 1) / ForceLanes.LANES];
    for (int p = 0; p < forces.length; p++) {
      forces[p] = new ForceLanes();
    }
  }

  @Override
  public void at(double[] x, double[] y, double exaggeration, double[] gx, double[] gy) {
    // The sum of all weights is known only at the end. Attraction and repulsion kept apart need one
    // pass over the pairs, and no weight has to be stored or computed twice.
    Parallel.forEach(forces.length, p -> add(p, x, y));
    double total = 0;
    for (int p = 0; p < forces.length; p++) {
      total += forces[p].totalWeight(affinities.width(p));
    }
    for (int i = 0; i < affinities.size(); i++) {
      ForceLanes force = forces[i / ForceLanes.LANES];
      int lane = i % ForceLanes.LANES;
      gx[i] = 4 * (exaggeration * force.attractionX(lane) - force.repulsionX(lane) / total);
      gy[i] = 4 * (exaggeration * force.attractionY(lane) - force.repulsionY(lane) / total);
    }
  }

  private void add(int p, double[] x, double[] y) {
    ForceLanes force = forces[p];
    double[] panel = affinities.panel(p);
    int first = p * ForceLanes.LANES;
    int end = first + affinities.width(p);
    force.load(x, y, first, end - first);
    for (int j = 0; j < affinities.size(); j++) {
      boolean own = j >= first && j < end;
      double weight = own ? force.weight(j - first) : 0;
      force.repelAndAttract(x[j], y[j], panel, j * ForceLanes.LANES);
      if (own) {
        force.setWeight(j - first, weight);
      }
    }
  }

  @Override
  public double objective(double[] x, double[] y) {
    // Σ p·ln(p/q) with Σ p = 1: the logarithm of the normalisation comes out of the sum.
    double[] divergences = new double[forces.length];
    Parallel.forEach(
        forces.length,
        p -> {
          int first = p * ForceLanes.LANES;
          for (int i = first; i < first + affinities.width(p); i++) {
            divergences[p] += divergence(i, x, y);
          }
        });
    double divergence = 0;
    for (double d : divergences) {
      divergence += d;
    }
    return 2 * divergence + Math.log(TsneGradient.totalWeight(x, y));
  }

  private double divergence(int i, double[] x, double[] y) {
    double sum = 0;
    for (int j = 0; j < i; j++) {
      double dx = x[i] - x[j];
      double dy = y[i] - y[j];
      double p = affinities.get(i, j);
      // 0·ln 0 = 0
      sum += p > 0 ? p * Math.log(p * (1 + dx * dx + dy * dy)) : 0;
    }
    return sum;
  }
}
