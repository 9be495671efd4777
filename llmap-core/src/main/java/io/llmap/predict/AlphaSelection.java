package io.llmap.predict;

import io.llmap.distance.DistanceMatrix;
import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * Chooses the regularisation by cross-validation within the models that are trained on, as
 * scikit-learn's {@code RidgeCV(alphas, cv=folds)}: neighbours in one fold, the mean R² of the
 * folds, the first of equals.
 */
record AlphaSelection(double[] alphas, int folds) {
  AlphaSelection {
    if (alphas.length == 0) {
      throw new IllegalArgumentException("there is no alpha to choose from");
    }
    for (double alpha : alphas) {
      requirePositive(alpha);
    }
    requireFolds(folds);
  }

  static double requirePositive(double alpha) {
    if (!(alpha > 0) || alpha == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException("alpha must be positive and finite, got " + alpha);
    }
    return alpha;
  }

  static int requireFolds(int folds) {
    if (folds < 2) {
      throw new IllegalArgumentException("cross-validation needs at least 2 folds, got " + folds);
    }
    return folds;
  }

  /** Refuses too few models to choose from; each fold needs two for an R². */
  void requireEnough(int models) {
    if (alphas.length > 1 && models < 2 * folds) {
      throw new IllegalArgumentException(
          "%d models are too few to choose alpha with %d folds of at least 2"
              .formatted(models, folds));
    }
  }

  double select(DistanceMatrix squared, int[] train, double[] targets) {
    if (alphas.length == 1) {
      return alphas[0];
    }
    int[] fold = Folds.contiguous(train.length, folds);
    double[][] scores = new double[folds][alphas.length];
    Parallel.forEach(
        folds,
        f -> {
          KernelRidge ridge =
              new KernelRidge(squared, Folds.select(train, fold, f, false), targets);
          int[] test = Folds.select(train, fold, f, true);
          for (int a = 0; a < alphas.length; a++) {
            double[] weights = ridge.weights(alphas[a]);
            double[] predicted =
                Arrays.stream(test).mapToDouble(row -> ridge.predict(weights, row)).toArray();
            scores[f][a] =
                explained(
                    Arrays.stream(test).mapToDouble(row -> targets[row]).toArray(), predicted);
          }
        });
    int best = 0;
    double highest = Double.NEGATIVE_INFINITY;
    for (int a = 0; a < alphas.length; a++) {
      double sum = 0;
      for (double[] ofFold : scores) {
        sum += ofFold[a];
      }
      if (sum > highest) {
        highest = sum;
        best = a;
      }
    }
    return alphas[best];
  }

  /** R², scikit-learn's; of targets that are all equal 1 if they are met and else 0. */
  private static double explained(double[] targets, double[] predicted) {
    double mean = Arrays.stream(targets).average().orElseThrow();
    double left = 0;
    double total = 0;
    for (int i = 0; i < targets.length; i++) {
      left += (targets[i] - predicted[i]) * (targets[i] - predicted[i]);
      total += (targets[i] - mean) * (targets[i] - mean);
    }
    if (total == 0) {
      return left == 0 ? 1 : 0;
    }
    return 1 - left / total;
  }
}
