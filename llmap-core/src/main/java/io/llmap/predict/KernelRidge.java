package io.llmap.predict;

import io.llmap.distance.DistanceMatrix;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * Ridge regression on some of the models, told by their squared distances.
 *
 * <p>All means are over the models that are trained on, so that no other model, wherever it is,
 * changes the fit.
 */
final class KernelRidge {
  private final DistanceMatrix squared;
  private final int[] train;
  private final double[] targets;
  private final double targetMean;

  /** The mean squared distance of each model that is trained on to all of them. */
  private final double[] means;

  private final double mean;

  /**
   * @param train different rows of the distances
   * @param targets by row of the distances; finite at those that are trained on
   */
  KernelRidge(DistanceMatrix squared, int[] train, double[] targets) {
    this.squared = squared;
    this.train = train;
    this.targets = targets;
    means = new double[train.length];
    double sum = 0;
    double targetSum = 0;
    for (int p = 0; p < train.length; p++) {
      means[p] = meanDistance(train[p]);
      sum += means[p];
      targetSum += targets[train[p]];
    }
    mean = sum / train.length;
    targetMean = targetSum / train.length;
  }

  private double meanDistance(int row) {
    double sum = 0;
    for (int i : train) {
      sum += squared.get(row, i);
    }
    return sum / train.length;
  }

  double targetMean() {
    return targetMean;
  }

  /** The weights a of the models that are trained on, in their order; they sum to 0. O(K³). */
  double[] weights(double alpha) {
    int m = train.length;
    DMatrixRMaj a = new DMatrixRMaj(m, m);
    DMatrixRMaj y = new DMatrixRMaj(m, 1);
    // All weights alike would predict the same for everybody, which the mean does already. This
    // direction has eigenvalue 0 in G and no part in y: any other eigenvalue is as right, and one
    // of the size of the rest keeps the matrix well conditioned.
    double level = mean;
    for (int p = 0; p < m; p++) {
      for (int q = 0; q <= p; q++) {
        double gram = -0.5 * (squared.get(train[p], train[q]) - means[p] - means[q] + mean);
        double value = gram + level / m + (p == q ? alpha : 0);
        a.set(p, q, value);
        a.set(q, p, value);
      }
      y.set(p, 0, targets[train[p]] - targetMean);
    }
    LinearSolverDense<DMatrixRMaj> solver = LinearSolverFactory_DDRM.symmPosDef(m);
    if (!solver.setA(a)) {
      throw new IllegalArgumentException(
          ("alpha %s is too small for squared distances of mean %s, or these are not the squares of"
                  + " Euclidean distances")
              .formatted(alpha, mean));
    }
    DMatrixRMaj weights = new DMatrixRMaj(m, 1);
    solver.solve(y, weights);
    return weights.data;
  }

  /** The prediction for any row of the distances. O(K). */
  double predict(double[] weights, int row) {
    double rowMean = meanDistance(row);
    double sum = 0;
    for (int p = 0; p < train.length; p++) {
      sum -= 0.5 * weights[p] * (squared.get(row, train[p]) - rowMean - means[p] + mean);
    }
    return targetMean + sum;
  }
}
