package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.GoldenFiles;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TsneTest {
  @ParameterizedTest
  @CsvSource({"1e-4, 12", "1, 1", "1, 12", "20, 1"})
  void gradientIsTheDerivativeOfTheObjective(double spread, double exaggeration) {
    DistanceMatrix distances = Golden.between(Golden.normal(14, 5, 1));
    double[][] p = ReferenceTsne.affinities(distances, 4);
    double[][] points = Golden.normal(14, 2, 2);
    for (double[] point : points) {
      point[0] *= spread;
      point[1] *= spread;
    }
    double[][] gradient = new double[2][14];

    new ExactGradient(Affinities.of(distances.map(d -> d * d), 4))
        .at(column(points, 0), column(points, 1), exaggeration, gradient[0], gradient[1]);

    double[][] expected = new double[2][14];
    double largest = 0;
    double step = 1e-4 * Math.max(spread, 0.1);
    for (int i = 0; i < 14; i++) {
      for (int axis = 0; axis < 2; axis++) {
        expected[axis][i] = derivative(p, points, exaggeration, i, axis, step);
        largest = Math.max(largest, Math.abs(expected[axis][i]));
      }
    }
    for (int axis = 0; axis < 2; axis++) {
      assertThat(gradient[axis]).containsExactly(expected[axis], within(1e-5 * largest));
    }
  }

  /**
   * Central difference of fourth order. The exaggerated p adds up to more than 1, while t-SNE's
   * force has the repulsion of Σ p = 1: what the objective has too much is (exaggeration − 1)·ln Σ
   * w.
   */
  private static double derivative(
      double[][] p, double[][] points, double exaggeration, int i, int axis, double step) {
    double[] f = new double[4];
    double[] offsets = {-2, -1, 1, 2};
    double at = points[i][axis];
    for (int o = 0; o < 4; o++) {
      points[i][axis] = at + offsets[o] * step;
      f[o] =
          ReferenceTsne.objective(p, points, exaggeration)
              - (exaggeration - 1) * logTotalWeight(points);
    }
    points[i][axis] = at;
    return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * step);
  }

  private static double logTotalWeight(double[][] points) {
    double total = 0;
    for (double[] a : points) {
      for (double[] b : points) {
        double distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
        total += a == b ? 0 : 1 / (1 + distance * distance);
      }
    }
    return Math.log(total);
  }

  @Test
  void objectiveIsTheDivergenceOfTheReference() {
    DistanceMatrix distances = Golden.distances();
    double[][] points = Golden.normal(60, 2, 3);

    double objective =
        new ExactGradient(Affinities.of(distances.map(d -> d * d), 7))
            .objective(column(points, 0), column(points, 1));

    assertThat(objective)
        .isCloseTo(
            ReferenceTsne.objective(ReferenceTsne.affinities(distances, 7), points, 1),
            within(1e-9));
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 15})
  void defaultsReachTheObjectiveOfScikitLearn(int perplexity) {
    // As many iterations as the reference had: at perplexity 5 the families still drift apart.
    double reached =
        objective(Golden.distances(), Tsne.defaults().withIterations(2000), perplexity);

    assertThat(reached)
        .isLessThanOrEqualTo(
            1.05
                * GoldenFiles.numbers("tsne_exact_perplexity_" + perplexity + "_kl_divergence")[0]);
  }

  @Test
  void everyModelsNearestOnTheMapIsOfItsFamily() {
    Embedding map = Tsne.defaults().withPerplexity(5).embed(Golden.distances());

    DistanceMatrix onMap = Golden.between(map.toArray());
    for (int i = 0; i < 60; i++) {
      int model = i;
      int nearest =
          IntStream.range(0, 60)
              .filter(j -> j != model)
              .boxed()
              .min((a, b) -> Double.compare(onMap.get(model, a), onMap.get(model, b)))
              .orElseThrow();
      // Golden families are runs of ten.
      assertThat(nearest / 10).isEqualTo(i / 10);
    }
  }

  @Test
  void theSameSettingsGiveTheSameBits() {
    for (Tsne tsne : List.of(Tsne.defaults(), Tsne.defaults().withRandomStart(7))) {
      assertThat(tsne.embed(Golden.distances()).toArray())
          .isDeepEqualTo(tsne.embed(Golden.distances()).toArray());
    }
  }

  @Test
  void anotherSeedIsAnotherStart() {
    Tsne tsne = Tsne.defaults().withIterations(1).withEarlyExaggeration(1, 0);

    assertThat(tsne.withRandomStart(1).embed(Golden.distances()).get(0, 0))
        .isNotEqualTo(tsne.withRandomStart(2).embed(Golden.distances()).get(0, 0));
  }

  @Test
  void permutingModelsPermutesTheMap() {
    DistanceMatrix distances = Golden.distances();
    List<Integer> order = IntStream.range(0, 60).boxed().collect(Collectors.toList());
    Collections.shuffle(order, new Random(4));
    double[][] start = Golden.normal(60, 2, 5);
    double[][] permuted = new double[60][60];
    double[][] permutedStart = new double[60][];
    for (int i = 0; i < 60; i++) {
      permutedStart[i] = start[order.get(i)];
      for (int j = 0; j < 60; j++) {
        permuted[i][j] = distances.get(order.get(i), order.get(j));
      }
    }

    double[][] map = descend(distances, start);
    double[][] permutedMap = descend(DistanceMatrix.of(Golden.names(60), permuted), permutedStart);

    for (int i = 0; i < 60; i++) {
      assertThat(permutedMap[i]).containsExactly(map[order.get(i)], within(1e-9));
    }
  }

  private static double[][] descend(DistanceMatrix distances, double[][] start) {
    double[] x = column(start, 0);
    double[] y = column(start, 1);
    // Few iterations: what rounding does to the order of a sum grows with them.
    Tsne.defaults()
        .withIterations(60)
        .withEarlyExaggeration(12, 20)
        .descend(new ExactGradient(Affinities.of(distances.map(d -> d * d), 10)), x, y);
    return IntStream.range(0, x.length)
        .mapToObj(i -> new double[] {x[i], y[i]})
        .toArray(double[][]::new);
  }

  @Property(tries = 25)
  void mapsOfFewModelsAreFiniteAndSpread(
      @ForAll @IntRange(min = 2, max = 9) int k, @ForAll long seed) {
    DistanceMatrix distances = Golden.between(Golden.normal(k, 4, seed));

    Embedding map = Tsne.defaults().withIterations(300).embed(distances);

    DistanceMatrix onMap = Golden.between(map.toArray());
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(onMap.get(i, j)).isPositive();
      }
    }
  }

  @Test
  void noneAndOneModelHaveAPlace() {
    assertThat(Tsne.defaults().embed(DistanceMatrix.of(List.of(), new double[0][])).size())
        .isZero();
    assertThat(Tsne.defaults().embed(DistanceMatrix.of(List.of("a"), new double[1][1])).toArray())
        .isDeepEqualTo(new double[1][2]);
  }

  @Test
  void theTwoNearestOfThreeModelsStayNearest() {
    double[][] d = {{0, 1, 9}, {1, 0, 9}, {9, 9, 0}};

    DistanceMatrix onMap =
        Golden.between(
            Tsne.defaults().embed(DistanceMatrix.of(List.of("a", "b", "c"), d)).toArray());

    assertThat(onMap.get(0, 1)).isLessThan(onMap.get(0, 2)).isLessThan(onMap.get(1, 2));
  }

  @Test
  void identicalModelsAreNearestToEachOtherOnAFiniteMap() {
    double[][] points = Golden.normal(20, 5, 6);
    for (int i = 1; i < 8; i++) {
      points[i] = points[0];
    }

    Embedding map = Tsne.defaults().withPerplexity(3).embed(Golden.between(points));

    DistanceMatrix onMap = Golden.between(map.toArray());
    for (int i = 0; i < 8; i++) {
      for (int j = 0; j < 8; j++) {
        for (int other = 8; other < 20; other++) {
          assertThat(onMap.get(i, j)).isLessThan(onMap.get(i, other));
        }
      }
    }
  }

  @Test
  void modelsAllAlikeAreAtOnePoint() {
    DistanceMatrix zero = DistanceMatrix.of(Golden.names(6), new double[6][6]);

    assertThat(Tsne.defaults().embed(zero).toArray()).isDeepEqualTo(new double[6][2]);
    assertThat(Tsne.defaults().withRandomStart(1).embed(zero).size()).isEqualTo(6);
  }

  @ParameterizedTest
  @ValueSource(ints = {250, 5000})
  void modelsWithoutGroupsAreNotCrushedByExaggeration(int earlyIterations) {
    // Nearly equidistant: the early phase pulls them all together.
    DistanceMatrix distances = Golden.between(Golden.normal(30, 50, 3));
    Tsne tsne = Tsne.defaults().withIterations(earlyIterations + 750);

    double reached =
        objective(distances, tsne.withEarlyExaggeration(12, earlyIterations), 29 / 3.0);

    double withoutEarlyPhase =
        objective(distances, Tsne.defaults().withEarlyExaggeration(1, 0), 29 / 3.0);
    assertThat(reached).isLessThanOrEqualTo(1.05 * withoutEarlyPhase);
    assertThat(withoutEarlyPhase).isLessThan(0.6);
  }

  private static double objective(DistanceMatrix distances, Tsne tsne, double perplexity) {
    return ReferenceTsne.objective(
        ReferenceTsne.affinities(distances, perplexity),
        tsne.withPerplexity(perplexity).embed(distances).toArray(),
        1);
  }

  @Test
  void modelsOnALineMayLeaveIt() {
    DistanceMatrix line =
        Golden.between(
            IntStream.range(0, 30).mapToObj(i -> new double[] {i}).toArray(double[][]::new));

    double reached = objective(line, Tsne.defaults(), 5);

    double fromRandom =
        IntStream.range(0, 5)
            .mapToDouble(seed -> objective(line, Tsne.defaults().withRandomStart(seed), 5))
            .min()
            .orElseThrow();
    assertThat(reached).isLessThanOrEqualTo(1.05 * fromRandom);
  }

  @ParameterizedTest
  @CsvSource({
    "2, 1",
    "3, 1.5",
    "4, 2",
    "6, 2",
    "7, 2",
    "10, 3",
    "60, 19.666666666666668",
    "91, 30",
    "500, 30"
  })
  void perplexityIsCappedWhereThereAreFewModels(int k, double expected) {
    assertThat(Tsne.defaults().perplexityFor(k)).isEqualTo(expected);
  }

  @Test
  void theMethodLineHasWhatWasUsed() {
    Tsne tsne = Tsne.defaults();

    assertThat(tsne.description())
        .isEqualTo(
            "t-SNE on distances, perplexity 30, 1000 iterations, early exaggeration 12 for 250,"
                + " learning rate auto, start from classical MDS");
    assertThat(tsne.embed(Golden.distances()).method())
        .startsWith(
            "t-SNE on distances, perplexity 19.67 (capped from 30), 1000 iterations,"
                + " early exaggeration 12 for 250, learning rate 1.25 then 15, start from classical"
                + " MDS, ");
    assertThat(
            tsne.withPerplexity(5.5)
                .withIterations(100)
                .withEarlyExaggeration(4, 200)
                .withLearningRate(20)
                .withRandomStart(-3)
                .description())
        .isEqualTo(
            "t-SNE on distances, perplexity 5.5, 100 iterations, early exaggeration 4 for 100,"
                + " learning rate 20, start from seed -3");
  }

  @Test
  void thePapersAffinitiesSeeTheFourthPower() {
    Tsne paper = Tsne.modelMapPaper();
    assertThat(paper.description())
        .isEqualTo(
            "t-SNE on squared distances, perplexity 30, 10000 iterations, early exaggeration 12 for"
                + " 250, learning rate 50, start from classical MDS");
    DistanceMatrix distances = Golden.distances();
    Tsne seeded = paper.withIterations(400).withPerplexity(8).withRandomStart(1);

    // From a random start only the affinities see the distances.
    assertThat(seeded.embed(distances).toArray())
        .isDeepEqualTo(
            seeded.withMetric(Tsne.Metric.EUCLIDEAN).embed(distances.map(d -> d * d)).toArray());
  }

  @Test
  void theDescentEndsWhenTheGradientVanishes() {
    Embedding map =
        Tsne.defaults().withIterations(100_000).embed(Golden.between(Golden.normal(12, 3, 8)));

    assertThat(map.method()).doesNotContain("100000 iterations done");
  }

  @Test
  void aLearningRateThatIsTooLargeIsAnErrorAndNotAMap() {
    Tsne tsne = Tsne.defaults().withLearningRate(1e300);
    DistanceMatrix distances = Golden.distances();

    assertThatThrownBy(() -> tsne.embed(distances))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("learning rate 1000000");
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    Tsne tsne = Tsne.defaults();

    assertThatThrownBy(() -> tsne.withPerplexity(0.5)).hasMessageContaining("got 0.5");
    assertThatThrownBy(() -> tsne.withPerplexity(Double.NaN)).hasMessageContaining("got NaN");
    assertThatThrownBy(() -> tsne.withIterations(0)).hasMessageContaining("got 0");
    assertThatThrownBy(() -> tsne.withEarlyExaggeration(0.9, 10)).hasMessageContaining("0.9");
    assertThatThrownBy(() -> tsne.withEarlyExaggeration(12, -1)).hasMessageContaining("-1");
    assertThatThrownBy(() -> tsne.withLearningRate(0)).hasMessageContaining("got 0.0");
  }

  private static double[] column(double[][] points, int axis) {
    return Arrays.stream(points).mapToDouble(point -> point[axis]).toArray();
  }
}
