package io.llmap.embed;

/**
 * M = D^−½·W·D^−½ of one connected part of a graph, D the sums of the rows of W. I − M is its
 * symmetric normalised Laplacian.
 */
final class NormalizedAdjacency {
  private final int[] start;
  private final int[] targets;
  private final double[] weights;
  private final double[] stationary;

  private NormalizedAdjacency(int[] start, int[] targets, double[] weights, double[] stationary) {
    this.start = start;
    this.targets = targets;
    this.weights = weights;
    this.stationary = stationary;
  }

  /** From all models of one component; row i is that of the i-th of them. */
  static NormalizedAdjacency of(FuzzySet graph, int[] models) {
    int[] position = new int[graph.size()];
    int[] start = new int[models.length + 1];
    for (int i = 0; i < models.length; i++) {
      position[models[i]] = i;
      start[i + 1] = start[i] + graph.start(models[i] + 1) - graph.start(models[i]);
    }
    int[] targets = new int[start[models.length]];
    double[] weights = new double[targets.length];
    double[] roots = new double[models.length];
    double sum = 0;
    for (int i = 0; i < models.length; i++) {
      double degree = 0;
      for (int e = start[i]; e < start[i + 1]; e++) {
        int edge = graph.start(models[i]) + e - start[i];
        targets[e] = position[graph.target(edge)];
        weights[e] = graph.weight(edge);
        degree += weights[e];
      }
      roots[i] = Math.sqrt(degree);
      sum += degree;
    }
    double[] stationary = new double[models.length];
    for (int i = 0; i < models.length; i++) {
      for (int e = start[i]; e < start[i + 1]; e++) {
        weights[e] /= roots[i] * roots[targets[e]];
      }
      stationary[i] = roots[i] / Math.sqrt(sum);
    }
    return new NormalizedAdjacency(start, targets, weights, stationary);
  }

  /** The number of models. */
  int size() {
    return stationary.length;
  }

  /** The unit eigenvector of the largest eigenvalue, which is 1: D^½·1. Not a copy. */
  double[] stationary() {
    return stationary;
  }

  /** M·x, a new array. */
  double[] times(double[] x) {
    double[] product = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      double sum = 0;
      for (int e = start[i]; e < start[i + 1]; e++) {
        sum += weights[e] * x[targets[e]];
      }
      product[i] = sum;
    }
    return product;
  }
}
