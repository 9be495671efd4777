package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.GoldenFiles;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TsneTest {
  @ParameterizedTest
  @CsvSource({"5, EXACT", "15, EXACT", "5, BARNES_HUT", "15, BARNES_HUT"})
  void bothGradientsReachTheObjectiveOfScikitLearn(int perplexity, Tsne.Gradient gradient) {
    DistanceMatrix distances = Golden.distances();
    // As many iterations as the reference had: at perplexity 5 the families still drift apart.
    Tsne tsne = Tsne.defaults().withIterations(2000).withGradient(gradient);

    double[][] points = tsne.withPerplexity(perplexity).embed(distances).toArray();

    String reference = "tsne_exact_perplexity_" + perplexity;
    double[][] p = ReferenceTsne.affinities(distances, perplexity);
    assertThat(ReferenceTsne.objective(p, points, 1))
        .isLessThanOrEqualTo(1.05 * GoldenFiles.numbers(reference + "_kl_divergence")[0]);
    assertThat(ReferenceTsne.trustworthiness(distances, Golden.between(points), 5))
        .isGreaterThanOrEqualTo(GoldenFiles.numbers(reference + "_trustworthiness_5")[0] - 0.005);
  }

  /** Numbers printed by tools/fixtures/tsne_objective.py with scikit-learn 1.9. */
  @ParameterizedTest
  @CsvSource({"EXACT, 0.323166", "BARNES_HUT, 0.336222"})
  void objectivesOf1018ModelsAreThoseOfScikitLearn(Tsne.Gradient gradient, double scikitLearn) {
    double[][] models = SyntheticModels.points();
    assertThat(Arrays.stream(models).flatMapToDouble(Arrays::stream).sum())
        .isCloseTo(-224.93958109245136, within(1e-9));
    DistanceMatrix distances = Golden.between(models);

    double[][] points = Tsne.defaults().withGradient(gradient).embed(distances).toArray();

    assertThat(exactGradient(distances, 30).objective(column(points, 0), column(points, 1)))
        .isLessThanOrEqualTo(1.05 * scikitLearn);
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

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void theSameSettingsGiveTheSameBitsOnAnyNumberOfThreads(int threads) throws Exception {
    DistanceMatrix distances = Golden.between(Golden.normal(150, 6, 2));
    Tsne tsne = Tsne.defaults().withIterations(100).withEarlyExaggeration(12, 50);
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      for (Tsne each :
          List.of(tsne, tsne.withRandomStart(7), tsne.withGradient(Tsne.Gradient.BARNES_HUT))) {
        assertThat(pool.submit(() -> each.embed(distances).toArray()).get())
            .isDeepEqualTo(each.embed(distances).toArray());
      }
    } finally {
      pool.shutdown();
    }
  }

  @Property(tries = 20)
  void aUnitOfDistanceTwiceAsLargeGivesTheSameBits(
      @ForAll @IntRange(min = -40, max = 40) int exponent,
      @ForAll Tsne.Metric metric,
      @ForAll Tsne.Gradient gradient) {
    DistanceMatrix distances = Golden.distances();
    Tsne tsne =
        Tsne.defaults()
            .withIterations(50)
            .withEarlyExaggeration(12, 20)
            .withMetric(metric)
            .withGradient(gradient)
            .withRandomStart(5);

    assertThat(tsne.embed(distances.map(d -> Math.scalb(d, exponent))).toArray())
        .isDeepEqualTo(tsne.embed(distances).toArray());
  }

  @ParameterizedTest
  @EnumSource
  void twoFamiliesInfinitelyApartAndAnOutlierStayOnAFiniteMap(Tsne.Gradient gradient) {
    double[][] points = Golden.normal(41, 3, 9);
    for (int i = 0; i < 20; i++) {
      points[i][0] += 1e9;
    }
    points[40][1] = 1e100;

    DistanceMatrix onMap =
        Golden.between(
            Tsne.defaults()
                .withPerplexity(5)
                .withGradient(gradient)
                // Seen from the outlier all others are one: classical MDS would start them as one.
                .withRandomStart(1)
                .embed(Golden.between(points))
                .toArray());

    for (int i = 0; i < 40; i++) {
      int model = i;
      int nearest =
          IntStream.range(0, 40)
              .filter(j -> j != model)
              .boxed()
              .min((a, b) -> Double.compare(onMap.get(model, a), onMap.get(model, b)))
              .orElseThrow();
      assertThat(nearest / 20).isEqualTo(i / 20);
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
    new TsneSchedule(60, 12, 20, OptionalDouble.empty())
        .descend(exactGradient(distances, 10), x, y);
    return IntStream.range(0, x.length)
        .mapToObj(i -> new double[] {x[i], y[i]})
        .toArray(double[][]::new);
  }

  @Property(tries = 25)
  void mapsOfFewModelsAreFiniteAndSpread(
      @ForAll @IntRange(min = 2, max = 9) int k,
      @ForAll Tsne.Gradient gradient,
      @ForAll long seed) {
    DistanceMatrix distances = Golden.between(Golden.normal(k, 4, seed));

    Embedding map = Tsne.defaults().withIterations(300).withGradient(gradient).embed(distances);

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

  @ParameterizedTest
  @EnumSource
  void identicalModelsAreNearestToEachOtherOnAFiniteMap(Tsne.Gradient gradient) {
    // Three times the perplexity are all others: which of equally near models are among fewer is
    // up to their order.
    double[][] points = Golden.normal(20, 5, 6);
    for (int i = 1; i < 8; i++) {
      points[i] = points[0];
    }

    Embedding map =
        Tsne.defaults().withPerplexity(6).withGradient(gradient).embed(Golden.between(points));

    DistanceMatrix onMap = Golden.between(map.toArray());
    for (int i = 0; i < 8; i++) {
      for (int j = 0; j < 8; j++) {
        for (int other = 8; other < 20; other++) {
          assertThat(onMap.get(i, j)).isLessThan(onMap.get(i, other));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void modelsAllAlikeAreAtOnePoint(Tsne.Gradient gradient) {
    DistanceMatrix zero = DistanceMatrix.of(Golden.names(6), new double[6][6]);
    Tsne tsne = Tsne.defaults().withGradient(gradient);

    assertThat(tsne.embed(zero).toArray()).isDeepEqualTo(new double[6][2]);
    assertThat(tsne.withRandomStart(1).embed(zero).size()).isEqualTo(6);
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
  void theMethodLineNamesTheApproximation() {
    Tsne tsne =
        Tsne.defaults()
            .withIterations(20)
            .withPerplexity(5)
            .withGradient(Tsne.Gradient.BARNES_HUT)
            .withTheta(0.25);

    assertThat(tsne.description()).endsWith("from classical MDS, Barnes-Hut with theta 0.25");
    assertThat(tsne.embed(Golden.distances()).method())
        .contains(
            "classical MDS, Barnes-Hut with theta 0.25 over 16 neighbours, 20 iterations done");
    assertThat(tsne.withGradient(Tsne.Gradient.EXACT).description())
        .endsWith("from classical MDS, exact gradient");
  }

  @Test
  void manyModelsGetBarnesHutUnlessExactIsAskedFor() {
    DistanceMatrix many = Golden.between(Golden.normal(Tsne.EXACT_UP_TO + 1, 2, 3));
    Tsne tsne = Tsne.defaults().withIterations(1).withRandomStart(1);

    assertThat(tsne.embed(many).method()).contains("Barnes-Hut with theta 0.5 over 91 neighbours");
    assertThat(tsne.withGradient(Tsne.Gradient.EXACT).embed(many).method())
        .doesNotContain("Barnes-Hut");
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

  @ParameterizedTest
  @EnumSource
  void aLearningRateThatIsTooLargeIsAnErrorAndNotAMap(Tsne.Gradient gradient) {
    Tsne tsne = Tsne.defaults().withLearningRate(1e300).withGradient(gradient);
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
    assertThatThrownBy(() -> tsne.withTheta(1.01)).hasMessageContaining("got 1.01");
    assertThatThrownBy(() -> tsne.withTheta(Double.NaN)).hasMessageContaining("got NaN");
  }

  private static TsneGradient exactGradient(DistanceMatrix distances, double perplexity) {
    return new ExactGradient(Affinities.of(distances, Tsne.Metric.EUCLIDEAN, perplexity));
  }

  private static double[] column(double[][] points, int axis) {
    return Arrays.stream(points).mapToDouble(point -> point[axis]).toArray();
  }
}
