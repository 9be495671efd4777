package io.llmap.predict;

import java.util.List;

/**
 * Scores of models beside what was predicted for them without knowing them.
 *
 * <p>Immutable.
 */
public final class OutOfFold {
  private final List<String> names;
  private final List<String> leftOut;
  private final double[] scores;
  private final double[] predictions;
  private final int[] folds;
  private final double[] alphas;

  OutOfFold(
      List<String> names,
      List<String> leftOut,
      double[] scores,
      double[] predictions,
      int[] folds,
      double[] alphas) {
    this.names = names;
    this.leftOut = leftOut;
    this.scores = scores;
    this.predictions = predictions;
    this.folds = folds;
    this.alphas = alphas;
  }

  /**
   * The number of models that have a score.
   *
   * @return at least 2
   */
  public int size() {
    return names.size();
  }

  /**
   * The models that have a score.
   *
   * @return their names, in the order of the distances
   */
  public List<String> names() {
    return names;
  }

  /**
   * The models that have no score.
   *
   * @return their names, in the order of the distances
   */
  public List<String> leftOut() {
    return leftOut;
  }

  /**
   * The scores.
   *
   * @return one for each of the names, a new array
   */
  public double[] scores() {
    return scores.clone();
  }

  /**
   * What was predicted.
   *
   * @return one for each of the names, in the unit of the scores, a new array
   */
  public double[] predictions() {
    return predictions.clone();
  }

  /**
   * In which fold each model was.
   *
   * @return one number from 0 for each of the names, a new array
   */
  public int[] folds() {
    return folds.clone();
  }

  /**
   * The α with which each fold was predicted.
   *
   * @return one for each fold, a new array
   */
  public double[] alphas() {
    return alphas.clone();
  }

  /**
   * Pearson's correlation of scores and predictions, all folds together.
   *
   * @return −1 to 1; NaN if all predictions are equal
   */
  public double pearson() {
    return Correlation.pearson(scores, predictions);
  }

  /**
   * Spearman's rank correlation of scores and predictions, all folds together.
   *
   * @return −1 to 1; NaN if all predictions are equal
   */
  public double spearman() {
    return Correlation.spearman(scores, predictions);
  }
}
