package io.llmap.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RidgeRegressionTest {
  private static final double[] ALPHAS = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

  @Test
  void alphaInterceptAndPredictionsAreThoseOfScikitLearn() {
    CenteredMatrix q = Golden.coordinates();
    double[] expected = GoldenFiles.vector("ridge_prediction.npy");
    double intercept = GoldenFiles.numbers("ridge_intercept")[0];

    RidgeRegression ridge =
        RidgeRegression.fit(q, GoldenFiles.vector("ridge_target.npy"), ALPHAS, 5);

    assertThat(ridge.alpha()).isEqualTo(GoldenFiles.numbers("ridge_alpha")[0]);
    assertThat(ridge.intercept()).isCloseTo(intercept, within(Tolerances.golden(intercept)));
    for (int i = 0; i < 60; i++) {
      assertThat(ridge.predict(q.row(i)))
          .isCloseTo(expected[i], within(Tolerances.golden(expected[i])));
    }
  }

  @Property(tries = 60)
  void coefficientsSolveTheNormalEquations(
      @ForAll @IntRange(min = 1, max = 15) int k,
      @ForAll @IntRange(min = 1, max = 15) int n,
      @ForAll @DoubleRange(min = -1, max = 5) double logAlpha,
      @ForAll long seed) {
    CenteredMatrix q = Golden.unclipped(Golden.normal(k, n, seed));
    double[] scores = new Random(seed).doubles(k, 0, 100).toArray();
    double alpha = Math.pow(10, logAlpha);

    RidgeRegression ridge = RidgeRegression.fit(q, scores, alpha);

    double[][] x = IntStream.range(0, k).mapToObj(q::row).toArray(double[][]::new);
    double[] expected = Golden.normalEquations(x, scores, Golden.columnMeans(x), alpha);
    assertThat(ridge.coefficients()).containsExactly(Arrays.copyOf(expected, n), within(1e-8));
    assertThat(ridge.intercept()).isCloseTo(expected[n], within(1e-8));
  }

  /**
   * The matrix that has the new models in it centres its columns by all models; the regression must
   * not know. A matrix of the others alone does not have the new models' column means.
   */
  @Property(tries = 30)
  void modelsWithoutAScoreChangeNothing(
      @ForAll @IntRange(min = 2, max = 10) int known,
      @ForAll @IntRange(min = 1, max = 6) int unknown,
      @ForAll long seed) {
    double[][] values = Golden.normal(known + unknown, 12, seed);
    // Far from the rest, so that they would move any mean that they enter.
    for (double[] row : Arrays.asList(values).subList(known, known + unknown)) {
      Arrays.setAll(row, s -> row[s] - 50 * s);
    }
    double[] scores = new Random(seed).doubles(known + unknown, 0, 100).toArray();
    Arrays.fill(scores, known, known + unknown, Double.NaN);
    CenteredMatrix all = Golden.unclipped(values);
    CenteredMatrix some = Golden.unclipped(Arrays.copyOf(values, known));

    RidgeRegression fromAll = RidgeRegression.fit(all, scores, 100);
    RidgeRegression fromSome = RidgeRegression.fit(some, Arrays.copyOf(scores, known), 100);

    for (int i = 0; i < known + unknown; i++) {
      double expected = fromSome.predict(some.project(values[i]));
      assertThat(fromAll.predict(all.row(i)))
          .isCloseTo(expected, within(1e-8 * (100 + Math.abs(expected))));
    }
  }

  @Test
  void aLargeAlphaPredictsTheMeanAndASmallOneTheScores() {
    CenteredMatrix q = Golden.unclipped(Golden.normal(8, 30, 1));
    double[] scores = {3, 1, 4, 1, 5, 9, 2, 6};

    RidgeRegression stiff = RidgeRegression.fit(q, scores, 1e15);
    RidgeRegression loose = RidgeRegression.fit(q, scores, 1e-6);

    for (int i = 0; i < 8; i++) {
      assertThat(stiff.predict(q.row(i))).isCloseTo(31 / 8.0, within(1e-8));
      assertThat(loose.predict(q.row(i))).isCloseTo(scores[i], within(1e-6));
    }
  }

  @Test
  void copiesOfAModelShareTheirScores() {
    double[][] values = Golden.normal(3, 10, 2);
    CenteredMatrix q =
        Golden.unclipped(new double[][] {values[0], values[1], values[1], values[2]});

    RidgeRegression ridge = RidgeRegression.fit(q, new double[] {0, 10, 20, 0}, 1e-3);

    assertThat(ridge.predict(q.row(1))).isCloseTo(15, within(1e-3));
    assertThat(ridge.predict(q.row(2))).isEqualTo(ridge.predict(q.row(1)));
  }

  @Test
  void oneModelAndEqualScoresPredictTheirMean() {
    CenteredMatrix q = Golden.unclipped(Golden.normal(4, 5, 3));

    double[] one = {Double.NaN, 7, Double.NaN, Double.NaN};
    assertThat(RidgeRegression.fit(q, one, 10).predict(q.row(3))).isEqualTo(7);
    double[] equal = {2, 2, 2, 2};
    assertThat(RidgeRegression.fit(q, equal, 10).predict(q.row(0))).isEqualTo(2);
  }

  @Test
  void scoresThatDoNotFitAreRefused() {
    CenteredMatrix q = Golden.unclipped(Golden.normal(2, 5, 3));

    assertThatThrownBy(() -> RidgeRegression.fit(q, new double[3], 1))
        .hasMessage("3 scores for 2 models");
    assertThatThrownBy(() -> RidgeRegression.fit(q, new double[] {1, Double.NEGATIVE_INFINITY}, 1))
        .hasMessage("the score of \"m1\" is -Infinity");
    assertThatThrownBy(() -> RidgeRegression.fit(q, new double[] {Double.NaN, Double.NaN}, 1))
        .hasMessage("no model has a score");
    assertThatThrownBy(() -> RidgeRegression.fit(q, new double[2], ALPHAS, 2))
        .hasMessage("2 models are too few to choose alpha with 2 folds of at least 2");
    assertThatThrownBy(() -> RidgeRegression.fit(q, new double[2], 1).predict(new double[4]))
        .hasMessage("trained on 5 coordinates, the row has 4");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
  void impossibleAlphasAreRefused(double alpha) {
    CenteredMatrix q = Golden.unclipped(Golden.normal(2, 5, 3));

    assertThatThrownBy(() -> RidgeRegression.fit(q, new double[2], alpha))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("alpha must be positive and finite, got " + alpha);
  }

  @Test
  void anAlphaIsNeeded() {
    CenteredMatrix q = Golden.unclipped(Golden.normal(2, 5, 3));

    assertThatThrownBy(() -> RidgeRegression.fit(q, new double[2], new double[0], 2))
        .hasMessage("there is no alpha to choose from");
    assertThatThrownBy(() -> RidgeRegression.fit(q, new double[2], ALPHAS, 1))
        .hasMessage("cross-validation needs at least 2 folds, got 1");
  }
}
