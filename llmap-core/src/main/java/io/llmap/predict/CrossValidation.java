package io.llmap.predict;

import io.llmap.distance.DistanceMatrix;
import io.llmap.internal.Parallel;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Predicts every model's score from other models' scores by ridge regression (2502.16173, section
 * 5), to learn how well scores can be predicted.
 *
 * <p>The models that have a score are put into folds. Each fold is predicted by a regression on the
 * others, with an α that is chosen by a second cross-validation within those others, as {@link
 * RidgeRegression#fit(io.llmap.matrix.CenteredMatrix, double[], double[], int)} does: neighbours in
 * the order of the models are then left out together. Whatever is learnt, column means included, is
 * learnt from the models that are trained on.
 *
 * <p>Features come as squared distances, of which ridge regression needs no more: the Gram matrix
 * of all models is computed once, and every fold takes its part of it. O(folds·inner
 * folds·alphas·K³) time, O(K²) memory per thread. The same input gives the same bits on any number
 * of threads.
 *
 * <p>Immutable. The defaults are the paper's: five inner folds, α in 10¹, 10², … 10⁹.
 */
public final class CrossValidation {
  /** Gives the fold of each of some of the models. */
  private interface Split {
    int[] folds(int[] rows, int models);
  }

  private static final double[] PAPER_ALPHAS = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

  private final int folds;
  private final Split split;
  private final AlphaSelection selection;
  private final double lowest;
  private final double highest;

  private CrossValidation(
      int folds, Split split, AlphaSelection selection, double lowest, double highest) {
    this.folds = AlphaSelection.requireFolds(folds);
    this.split = split;
    this.selection = selection;
    this.lowest = lowest;
    this.highest = highest;
  }

  private static CrossValidation of(int folds, Split split) {
    return new CrossValidation(
        folds,
        split,
        new AlphaSelection(PAPER_ALPHAS, 5),
        Double.NEGATIVE_INFINITY,
        Double.POSITIVE_INFINITY);
  }

  /**
   * Models in random folds of equal size, members of one family in different folds too: the score
   * is then partly known from its relatives.
   *
   * <p>The models that have a score are shuffled by {@link java.util.Collections#shuffle} with
   * {@link java.util.Random} and cut into folds, the first of which are one larger where the
   * division leaves a rest.
   *
   * @param folds at least 2
   * @param seed of the shuffling
   * @return the cross-validation
   * @throws IllegalArgumentException if there are fewer than 2 folds
   */
  public static CrossValidation plain(int folds, long seed) {
    return of(folds, (rows, models) -> Folds.shuffled(rows.length, folds, seed));
  }

  /**
   * Groups in folds that have about as many models each: the largest group goes into the fold that
   * has the fewest models so far, and so on, as in scikit-learn's {@code GroupKFold(folds)}.
   *
   * @param folds at least 2
   * @param groups the family of each of the K models
   * @return the cross-validation
   * @throws IllegalArgumentException if there are fewer than 2 folds
   */
  public static CrossValidation grouped(int folds, List<String> groups) {
    List<String> copy = List.copyOf(groups);
    return of(folds, (rows, models) -> Folds.balanced(of(copy, rows, models), folds));
  }

  /**
   * Groups in random folds that have as many groups each, the paper's split: the groups, sorted by
   * name, are shuffled and cut as {@link #plain} does with models.
   *
   * @param folds at least 2
   * @param groups the family of each of the K models
   * @param seed of the shuffling
   * @return the cross-validation
   * @throws IllegalArgumentException if there are fewer than 2 folds
   */
  public static CrossValidation grouped(int folds, List<String> groups, long seed) {
    List<String> copy = List.copyOf(groups);
    return of(folds, (rows, models) -> Folds.shuffledGroups(of(copy, rows, models), folds, seed));
  }

  private static List<String> of(List<String> groups, int[] rows, int models) {
    if (groups.size() != models) {
      throw new IllegalArgumentException(groups.size() + " groups for " + models + " models");
    }
    return Arrays.stream(rows).mapToObj(groups::get).toList();
  }

  /**
   * Sets the regularisations to choose from.
   *
   * @param alphas at least one, each positive, in the unit of the squared distances
   * @return a new cross-validation
   * @throws IllegalArgumentException if there is none, or one is not positive and finite
   */
  public CrossValidation withAlphas(double... alphas) {
    return new CrossValidation(
        folds, split, new AlphaSelection(alphas.clone(), selection.folds()), lowest, highest);
  }

  /**
   * Sets the number of folds by which α is chosen.
   *
   * @param innerFolds at least 2
   * @return a new cross-validation
   * @throws IllegalArgumentException if there are fewer than 2
   */
  public CrossValidation withInnerFolds(int innerFolds) {
    return new CrossValidation(
        folds, split, new AlphaSelection(selection.alphas(), innerFolds), lowest, highest);
  }

  /**
   * Sets the range of possible scores, such as 0 to 100: predictions beyond an end of it are put
   * there.
   *
   * @param lowest a score
   * @param highest a larger score
   * @return a new cross-validation
   * @throws IllegalArgumentException if the range is empty
   */
  public CrossValidation withRange(double lowest, double highest) {
    if (!(lowest < highest)) {
      throw new IllegalArgumentException("no score lies between " + lowest + " and " + highest);
    }
    return new CrossValidation(folds, split, selection, lowest, highest);
  }

  /**
   * Predicts all scores.
   *
   * @param squared squared Euclidean distances of K models' features: for rows of Q {@link
   *     io.llmap.distance.KlDistances#squaredEuclidean()}; rows of L, which also know a model's
   *     mean log-likelihood, are N times the squared difference of the means farther apart
   * @param scores K numbers in any unit, NaN for a model that has none: it is left out
   * @return predictions for the models that have a score
   * @throws IllegalArgumentException if the numbers of models, scores and groups differ, a score is
   *     infinite, all scores are equal, there are fewer models or groups than folds, too few models
   *     for the inner folds, or the distances are not squared Euclidean distances
   */
  public OutOfFold predict(DistanceMatrix squared, double[] scores) {
    int[] rows = Targets.known(squared.names(), scores);
    if (Arrays.stream(rows).mapToDouble(row -> scores[row]).distinct().count() == 1) {
      throw new IllegalArgumentException(
          "all "
              + rows.length
              + " scores are "
              + scores[rows[0]]
              + ": there is nothing to predict");
    }
    int[] fold = split.folds(rows, squared.size());
    int[][] train = new int[folds][];
    for (int f = 0; f < folds; f++) {
      train[f] = Folds.select(rows, fold, f, false);
      selection.requireEnough(train[f].length);
    }
    double[] predicted = new double[rows.length];
    double[] alphas = new double[folds];
    Parallel.forEach(
        folds,
        f -> {
          alphas[f] = selection.select(squared, train[f], scores);
          KernelRidge ridge = new KernelRidge(squared, train[f], scores);
          double[] weights = ridge.weights(alphas[f]);
          for (int p = 0; p < rows.length; p++) {
            if (fold[p] == f) {
              double value = ridge.predict(weights, rows[p]);
              predicted[p] = Math.max(lowest, Math.min(highest, value));
            }
          }
        });
    return new OutOfFold(
        Arrays.stream(rows).mapToObj(squared.names()::get).toList(),
        IntStream.range(0, scores.length)
            .filter(i -> Double.isNaN(scores[i]))
            .mapToObj(squared.names()::get)
            .toList(),
        Arrays.stream(rows).mapToDouble(row -> scores[row]).toArray(),
        predicted,
        fold,
        alphas);
  }
}
