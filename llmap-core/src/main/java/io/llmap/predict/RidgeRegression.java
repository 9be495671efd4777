package io.llmap.predict;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.matrix.CenteredMatrix;

/**
 * A score as a linear function of the model coordinates, with an intercept and with α times the
 * squared length of the coefficients as the price of using them; scikit-learn's {@code Ridge} on
 * the rows of Q.
 *
 * <p>The coordinates are centred by the column means of the models that are trained on, and not
 * scaled. Immutable.
 */
public final class RidgeRegression {
  private final double alpha;
  private final double intercept;
  private final double[] coefficients;

  private RidgeRegression(double alpha, double intercept, double[] coefficients) {
    this.alpha = alpha;
    this.intercept = intercept;
    this.coefficients = coefficients;
  }

  /**
   * Fits a score.
   *
   * @param coordinates Q, K × N
   * @param scores K numbers in any unit, NaN for a model that has none: it is not trained on
   * @param alpha the regularisation, positive, in nats²
   * @return the regression; O(K²·N + K³)
   * @throws IllegalArgumentException if the lengths differ, a score is infinite, no model has one,
   *     a cell is missing, or alpha is not positive or too small to solve for
   */
  public static RidgeRegression fit(CenteredMatrix coordinates, double[] scores, double alpha) {
    return fit(coordinates, scores, new double[] {alpha}, 2);
  }

  /**
   * Fits a score and chooses α by cross-validation, as scikit-learn's {@code RidgeCV(alphas,
   * cv=folds)}: the models that have a score are cut in their order into folds, each fold is
   * predicted from the others, and the α with the highest mean R² of the folds is taken, the first
   * of equals.
   *
   * @param coordinates Q, K × N
   * @param scores K numbers in any unit, NaN for a model that has none: it is not trained on
   * @param alphas at least one, each positive, in nats²
   * @param folds at least 2
   * @return the regression; O(K²·N + folds·alphas·K³)
   * @throws IllegalArgumentException if the lengths differ, a cell is missing, a score is infinite,
   *     an alpha is not positive or too small to solve for, or there are fewer than two models with
   *     a score for each fold
   */
  public static RidgeRegression fit(
      CenteredMatrix coordinates, double[] scores, double[] alphas, int folds) {
    coordinates.requireComplete("ridge regression");
    AlphaSelection selection = new AlphaSelection(alphas.clone(), folds);
    int[] train = Targets.known(coordinates.names(), scores);
    selection.requireEnough(train.length);
    DistanceMatrix squared = KlDistances.of(coordinates).squaredEuclidean();
    double alpha = selection.select(squared, train, scores);
    KernelRidge ridge = new KernelRidge(squared, train, scores);
    double[] weights = ridge.weights(alpha);
    int n = coordinates.texts();
    double[] means = new double[n];
    double[] coefficients = new double[n];
    double[] row = new double[n];
    for (int i : train) {
      coordinates.copyRow(i, 0, n, row, 0);
      for (int s = 0; s < n; s++) {
        means[s] += row[s] / train.length;
      }
    }
    for (int p = 0; p < train.length; p++) {
      coordinates.copyRow(train[p], 0, n, row, 0);
      for (int s = 0; s < n; s++) {
        coefficients[s] += weights[p] * (row[s] - means[s]);
      }
    }
    return new RidgeRegression(alpha, ridge.targetMean() - dot(means, coefficients), coefficients);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int s = 0; s < a.length; s++) {
      sum += a[s] * b[s];
    }
    return sum;
  }

  /**
   * The regularisation.
   *
   * @return α, given or chosen
   */
  public double alpha() {
    return alpha;
  }

  /**
   * The prediction for coordinates that are all 0.
   *
   * @return in the unit of the scores
   */
  public double intercept() {
    return intercept;
  }

  /**
   * What a nat on each text adds to the prediction.
   *
   * @return N numbers, a new array
   */
  public double[] coefficients() {
    return coefficients.clone();
  }

  /**
   * Predicts the score of a model.
   *
   * @param row N coordinates, such as {@link CenteredMatrix#row} or {@link CenteredMatrix#project}
   * @return in the unit of the scores
   * @throws IllegalArgumentException if the length differs
   */
  public double predict(double[] row) {
    if (row.length != coefficients.length) {
      throw new IllegalArgumentException(
          "trained on " + coefficients.length + " coordinates, the row has " + row.length);
    }
    return intercept + dot(row, coefficients);
  }
}
