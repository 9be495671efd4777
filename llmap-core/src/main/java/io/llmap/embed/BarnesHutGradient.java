package io.llmap.embed;

import io.llmap.internal.Parallel;

/**
 * The gradient with the attraction of near models only and the repulsion of far points summed in
 * groups (van der Maaten 2014): O(K·log K), without allocation, on several threads.
 */
final class BarnesHutGradient implements TsneGradient {
  private static final int ROWS_PER_PIECE = 64;

  private final NeighborAffinities affinities;
  private final double theta;
  private final PointTree tree;
  private final ForceLanes[] repulsions;
  private final double[] attractionX;
  private final double[] attractionY;

  BarnesHutGradient(NeighborAffinities affinities, double theta) {
    this.affinities = affinities;
    this.theta = theta;
    this.tree = new PointTree(affinities.size());
    this.repulsions = new ForceLanes[tree.groups()];
    for (int group = 0; group < repulsions.length; group++) {
      repulsions[group] = new ForceLanes();
    }
    this.attractionX = new double[affinities.size()];
    this.attractionY = new double[affinities.size()];
  }

  @Override
  public void at(double[] x, double[] y, double exaggeration, double[] gx, double[] gy) {
    tree.move(x, y);
    Parallel.forEach(
        repulsions.length,
        group -> {
          tree.repel(group, theta, repulsions[group]);
          for (int lane = 0; lane < tree.width(group); lane++) {
            attract(tree.point(group, lane), x, y);
          }
        });
    double total = 0;
    for (int group = 0; group < repulsions.length; group++) {
      total += repulsions[group].totalWeight(tree.width(group));
    }
    for (int group = 0; group < repulsions.length; group++) {
      for (int lane = 0; lane < tree.width(group); lane++) {
        int i = tree.point(group, lane);
        gx[i] = 4 * (exaggeration * attractionX[i] - repulsions[group].repulsionX(lane) / total);
        gy[i] = 4 * (exaggeration * attractionY[i] - repulsions[group].repulsionY(lane) / total);
      }
    }
  }

  private void attract(int i, double[] x, double[] y) {
    double sumX = 0;
    double sumY = 0;
    for (int entry = affinities.start(i); entry < affinities.start(i + 1); entry++) {
      int j = affinities.model(entry);
      double dx = x[i] - x[j];
      double dy = y[i] - y[j];
      double force = affinities.value(entry) / (1 + dx * dx + dy * dy);
      sumX += force * dx;
      sumY += force * dy;
    }
    attractionX[i] = sumX;
    attractionY[i] = sumY;
  }

  @Override
  public double objective(double[] x, double[] y) {
    double[] divergences = new double[(x.length + ROWS_PER_PIECE - 1) / ROWS_PER_PIECE];
    Parallel.forEach(
        divergences.length,
        piece -> {
          int first = piece * ROWS_PER_PIECE;
          for (int i = first; i < Math.min(x.length, first + ROWS_PER_PIECE); i++) {
            divergences[piece] += divergence(i, x, y);
          }
        });
    double divergence = 0;
    for (double d : divergences) {
      divergence += d;
    }
    return divergence + Math.log(TsneGradient.totalWeight(x, y));
  }

  private double divergence(int i, double[] x, double[] y) {
    double sum = 0;
    for (int entry = affinities.start(i); entry < affinities.start(i + 1); entry++) {
      double dx = x[i] - x[affinities.model(entry)];
      double dy = y[i] - y[affinities.model(entry)];
      double p = affinities.value(entry);
      // 0·ln 0 = 0
      sum += p > 0 ? p * Math.log(p * (1 + dx * dx + dy * dy)) : 0;
    }
    return sum;
  }
}
