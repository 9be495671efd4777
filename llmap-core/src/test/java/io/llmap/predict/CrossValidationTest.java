package io.llmap.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CrossValidationTest {
  private static final double[] SCORES = GoldenFiles.vector("ridge_scores.npy");

  @Test
  void groupedPredictionsAreThoseOfScikitLearn() {
    assertGolden("grouped", CrossValidation.grouped(5, Golden.groups()));
  }

  @Test
  void plainPredictionsAreThoseOfScikitLearn() {
    assertGolden("plain", CrossValidation.plain(5, 42));
  }

  private static void assertGolden(String name, CrossValidation validation) {
    double[][] expected = GoldenFiles.matrix("ridge_" + name + ".npy");
    double[] correlations = GoldenFiles.vector("ridge_" + name + "_correlations.npy");

    OutOfFold result = validation.predict(Golden.squared(), SCORES);

    assertThat(result.size()).isEqualTo(54);
    for (int p = 0; p < 54; p++) {
      assertThat(result.folds()[p]).isEqualTo((int) expected[p][0]);
      assertThat(result.alphas()[result.folds()[p]]).isEqualTo(expected[p][1]);
      assertThat(result.predictions()[p])
          .isCloseTo(expected[p][2], within(Tolerances.golden(expected[p][2])));
    }
    assertThat(result.pearson()).isCloseTo(correlations[0], within(Tolerances.golden(1)));
    assertThat(result.spearman()).isCloseTo(correlations[1], within(Tolerances.golden(1)));
  }

  @Test
  void modelsWithoutAScoreAreNamedAndLeftOut() {
    OutOfFold result = CrossValidation.plain(5, 1).predict(Golden.squared(), SCORES);

    assertThat(result.leftOut())
        .containsExactly(
            "family0-4", "family1-1", "family1-2", "family3-0", "family4-7", "family5-9");
    assertThat(result.names()).hasSize(54).doesNotContainAnyElementsOf(result.leftOut());
    assertThat(result.names().get(4)).isEqualTo("family0-5");
    assertThat(result.scores()[4]).isEqualTo(SCORES[5]);
  }

  @Test
  void columnMeansAreThoseOfTheModelsThatAreTrainedOn() {
    double[][] values = Golden.normal(12, 5, 4);
    for (int i = 0; i < 12; i += 2) {
      values[i][0] -= 30 * i;
    }
    CenteredMatrix q = Golden.unclipped(values);
    double[] scores = new Random(5).doubles(12, 0, 100).toArray();
    OutOfFold result =
        CrossValidation.plain(3, 6)
            .withAlphas(1000)
            .predict(KlDistances.of(q).squaredEuclidean(), scores);

    double[][] all = IntStream.range(0, 12).mapToObj(q::row).toArray(double[][]::new);
    double difference = 0;
    for (int i = 0; i < 12; i++) {
      int fold = result.folds()[i];
      int[] train = IntStream.range(0, 12).filter(j -> result.folds()[j] != fold).toArray();
      double[][] x = Arrays.stream(train).mapToObj(q::row).toArray(double[][]::new);
      double[] y = Arrays.stream(train).mapToDouble(j -> scores[j]).toArray();
      double[] honest = Golden.normalEquations(x, y, Golden.columnMeans(x), 1000);
      double[] leaking = Golden.normalEquations(x, y, Golden.columnMeans(all), 1000);

      assertThat(result.predictions()[i]).isCloseTo(Golden.predict(honest, q.row(i)), within(1e-8));
      difference =
          Math.max(
              difference,
              Math.abs(Golden.predict(leaking, q.row(i)) - Golden.predict(honest, q.row(i))));
    }
    assertThat(difference).as("what a leak would change").isGreaterThan(1);
  }

  @Test
  void theScoresOfAFoldDoNotChangeItsPredictions() {
    CrossValidation validation = CrossValidation.grouped(5, Golden.groups(), 3);
    OutOfFold before = validation.predict(Golden.squared(), SCORES);
    double[] changed = SCORES.clone();
    for (int p = 0, i = 0; i < 60; i++) {
      if (!Double.isNaN(SCORES[i]) && before.folds()[p++] == 2) {
        changed[i] = 1000 - 3 * i;
      }
    }

    OutOfFold after = validation.predict(Golden.squared(), changed);

    for (int p = 0; p < 54; p++) {
      if (before.folds()[p] == 2) {
        assertThat(after.predictions()[p]).isEqualTo(before.predictions()[p]);
        assertThat(after.scores()[p]).isNotEqualTo(before.scores()[p]);
      }
    }
    assertThat(after.alphas()[2]).isEqualTo(before.alphas()[2]);
  }

  @Test
  void familiesAreLearntFromTheirMembersUnlessTheyAreLeftOutWhole() {
    List<String> families = IntStream.range(0, 60).mapToObj(i -> "f" + i / 10).toList();
    Random random = new Random(7);
    double[] ofFamily = random.doubles(6, 0, 100).toArray();
    double[] scores =
        IntStream.range(0, 60).mapToDouble(i -> ofFamily[i / 10] + random.nextGaussian()).toArray();

    OutOfFold plain = CrossValidation.plain(5, 1).withAlphas(100).predict(Golden.squared(), scores);
    OutOfFold grouped =
        CrossValidation.grouped(6, families).withAlphas(100).predict(Golden.squared(), scores);

    assertThat(plain.pearson()).isGreaterThan(0.99);
    assertThat(grouped.pearson()).isLessThan(0.2);
  }

  @Test
  void numberOfThreadsChangesNoBit() throws ExecutionException, InterruptedException {
    CrossValidation validation = CrossValidation.plain(4, 9).withInnerFolds(3);
    DistanceMatrix squared = Golden.squared();
    OutOfFold expected = validation.predict(squared, SCORES);
    for (int threads : new int[] {1, 2, 7}) {
      ForkJoinPool pool = new ForkJoinPool(threads);
      OutOfFold actual = pool.submit(() -> validation.predict(squared, SCORES)).get();
      pool.shutdown();
      assertThat(actual.predictions()).containsExactly(expected.predictions());
      assertThat(actual.alphas()).containsExactly(expected.alphas());
    }
  }

  @Test
  void predictionsStayInTheRange() {
    CrossValidation free = CrossValidation.plain(5, 1);
    double[] predictions = free.predict(Golden.squared(), SCORES).predictions();
    double[] sorted = Arrays.stream(predictions).sorted().toArray();
    double lowest = sorted[10];
    double highest = sorted[40];

    assertThat(free.withRange(lowest, highest).predict(Golden.squared(), SCORES).predictions())
        .containsExactly(
            Arrays.stream(predictions).map(v -> Math.max(lowest, Math.min(highest, v))).toArray());
    assertThatThrownBy(() -> free.withRange(100, 0))
        .hasMessage("no score lies between 100.0 and 0.0");
  }

  @Test
  void whatCannotBeSplitIsRefused() {
    DistanceMatrix squared = Golden.squared();
    List<String> groups = IntStream.range(0, 60).mapToObj(i -> i < 30 ? "b" : "a").toList();
    double[] few = new double[60];
    Arrays.fill(few, Double.NaN);
    few[0] = 1;
    few[1] = 2;

    assertThatThrownBy(() -> CrossValidation.grouped(5, groups).predict(squared, SCORES))
        .hasMessage("2 groups cannot fill 5 folds: [a, b]");
    assertThatThrownBy(() -> CrossValidation.grouped(5, groups, 1).predict(squared, SCORES))
        .hasMessage("2 groups cannot fill 5 folds: [a, b]");
    assertThatThrownBy(() -> CrossValidation.plain(5, 1).predict(squared, few))
        .hasMessage("2 models cannot fill 5 folds");
    assertThatThrownBy(() -> CrossValidation.plain(2, 1).predict(squared, few))
        .hasMessage("1 models are too few to choose alpha with 5 folds of at least 2");
    assertThatThrownBy(() -> CrossValidation.plain(1, 1))
        .hasMessage("cross-validation needs at least 2 folds, got 1");
    assertThatThrownBy(
            () -> CrossValidation.grouped(2, groups.subList(0, 50)).predict(squared, SCORES))
        .hasMessage("50 groups for 60 models");
  }

  @ParameterizedTest
  @ValueSource(doubles = {3, Double.NaN})
  void equalScoresAndNoScoresAreRefused(double score) {
    double[] scores = new double[60];
    Arrays.fill(scores, score);

    assertThatThrownBy(() -> CrossValidation.plain(5, 1).predict(Golden.squared(), scores))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            Double.isNaN(score)
                ? "no model has a score"
                : "all 60 scores are 3.0: there is nothing to predict");
  }

  @Test
  void distancesOfNoSpaceAreRefused() {
    DistanceMatrix squared = Golden.squared().map(d -> d * d * d);

    assertThatThrownBy(() -> CrossValidation.plain(5, 1).predict(squared, SCORES))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("alpha 10.0 is too small for squared distances of mean ");
  }
}
