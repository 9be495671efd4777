package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;
import java.util.function.BiFunction;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TextSamplingTest {
  /** Method 10. */
  private static final LogLikelihoodMatrix SMALL =
      Simulated.matrix(
          new double[][] {
            {-600, -500, -700, -400},
            {-610, -490, -720, -410},
            {-590, -530, -690, -3000},
            {-605, -505, -705, -395}
          });

  private static final Clipping SMALL_CLIPPING = Clipping.atQuantile(SMALL, 0.1);

  private static double[] probabilities(TextSampling sampling) {
    return IntStream.range(0, sampling.texts()).mapToDouble(sampling::probability).toArray();
  }

  private static void assertClose(double[] actual, double[] expected, double bound) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int s = 0; s < expected.length; s++) {
      assertThat(actual[s]).isCloseTo(expected[s], within(bound));
    }
  }

  @Test
  void methodVectorsToThePrintedDigits() {
    TextSampling ls = TextSampling.lengthSquared(SMALL, SMALL_CLIPPING);
    assertClose(probabilities(ls), new double[] {0.116511, 0.032291, 0.118869, 0.732328}, 5.1e-7);
    assertClose(
        probabilities(TextSampling.kl(SMALL, SMALL_CLIPPING)),
        new double[] {0.116636, 0.031361, 0.118935, 0.733068},
        5.1e-7);

    TextSample sample = ls.sample(new int[] {3, 3, 1, 0, 3, 2});

    assertThat(sample.indices()).containsExactly(0, 1, 2, 3);
    assertThat(IntStream.range(0, 4).map(sample::count)).containsExactly(1, 1, 1, 3);
    assertClose(
        IntStream.range(0, 4).mapToDouble(sample::weight).toArray(),
        new double[] {1.196025, 2.271859, 1.184102, 0.826289},
        5.1e-7);
    DistanceMatrix squared = sample.distances(SMALL).squaredEuclidean();
    assertThat(squared.get(0, 1)).isCloseTo(927.192447, within(5.1e-7));
    assertThat(squared.get(0, 2)).isCloseTo(58290.384453, within(5.1e-7));
    assertThat(squared.get(0, 3)).isCloseTo(62.902940, within(5.1e-7));
    assertThat(squared.get(1, 2)).isCloseTo(57668.871067, within(5.1e-7));
  }

  @Test
  void probabilitiesAndDistancesAreThoseOfNumpy() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    Clipping clipping = Clipping.atQuantile(raw, 0.02);
    TextSampling ls = TextSampling.lengthSquared(raw, clipping);
    assertClose(probabilities(ls), GoldenFiles.vector("pi_ls.npy"), Tolerances.golden(1e-3));
    assertClose(
        probabilities(TextSampling.kl(raw, clipping)),
        GoldenFiles.vector("pi_kl.npy"),
        Tolerances.golden(1e-3));

    int[] drawn =
        Arrays.stream(GoldenFiles.vector("resample_draw.npy")).mapToInt(s -> (int) s).toArray();
    KlDistances kl = ls.sample(drawn).distances(raw);

    double[][] expected = GoldenFiles.matrix("resample_d2.npy");
    for (int i = 0; i < 60; i++) {
      for (int j = 0; j < 60; j++) {
        double bound = Tolerances.squaredDistance(expected[i][j]);
        if (i / 2 == j / 2) {
          // Models 16 and 17 are near-duplicates: numpy's golden has the digits of 600 − 600.
          bound += Tolerances.centring(600 * Math.sqrt(expected[i][j]));
        }
        assertThat(kl.squaredEuclidean().get(i, j)).isCloseTo(expected[i][j], within(bound));
        assertThat(kl.in(KlUnit.NATS_PER_TEXT).get(i, j))
            .as("an estimate for all 400 texts, not for the 200 draws")
            .isCloseTo(expected[i][j] / 800, within(bound));
      }
    }
    assertThat(kl.in(KlUnit.BITS_PER_BYTE).get(0, 59))
        .isCloseTo(expected[0][59] / (800 * 958.8275 * 0.6931471805599453), within(1e-10));
  }

  @Property(tries = 30)
  void klProbabilitiesAreRootsOfTheSummedFourthPowersOfAllDifferences(
      @ForAll @IntRange(min = 2, max = 12) int k, @ForAll long seed) {
    LogLikelihoodMatrix matrix = Simulated.matrix(Simulated.values(new Random(seed), k, 20));
    CenteredMatrix q = CenteredMatrix.of(matrix, Clipping.NONE);
    double[] roots = new double[20];
    for (int s = 0; s < 20; s++) {
      double a = 0;
      for (int i = 0; i < k; i++) {
        for (int j = 0; j < k; j++) {
          a += Math.pow(q.get(i, s) - q.get(j, s), 4);
        }
      }
      roots[s] = Math.sqrt(a);
    }
    double total = Arrays.stream(roots).sum();
    TextSampling sampling = TextSampling.kl(matrix, Clipping.NONE);
    for (int s = 0; s < 20; s++) {
      assertThat(sampling.probability(s))
          .isCloseTo(roots[s] / total, within(1e-10 * roots[s] / total));
    }
  }

  @Test
  void aUniformFloorGivesEveryTextAChance() {
    LogLikelihoodMatrix agreeing =
        Simulated.matrix(new double[][] {{-1, -7, -3}, {-2, -7, -5}, {-3, -7, -1}});
    TextSampling ls = TextSampling.lengthSquared(agreeing, new Clipping(0.5, -7));
    TextSampling mixed = ls.withUniformFloor(0.3);
    for (int s = 0; s < 3; s++) {
      assertThat(mixed.probability(s)).isCloseTo(0.7 * ls.probability(s) + 0.1, within(1e-15));
    }
    assertThat(probabilities(ls.withUniformFloor(1)))
        .isEqualTo(probabilities(TextSampling.uniform(agreeing, Clipping.NONE)));
    assertThatThrownBy(() -> ls.withUniformFloor(1.5))
        .hasMessage("the uniform share must be in [0, 1], got 1.5");
  }

  @Test
  void textsWithoutProbabilityAreNeverDrawn() {
    // Three models in an arithmetic progression on texts 1 and 3, alike on the others.
    LogLikelihoodMatrix matrix =
        Simulated.matrix(
            new double[][] {{-9, -1, -9, -3, -9}, {-9, -2, -9, -2, -9}, {-9, -3, -9, -1, -9}});
    TextSampling sampling = TextSampling.kl(matrix, Clipping.NONE);
    assertThat(probabilities(sampling)).containsExactly(0, 0.5, 0, 0.5, 0);
    assertThat(sampling.draw(1000, 1).textIds()).containsExactly("t1", "t3");
    assertThatThrownBy(() -> sampling.sample(new int[] {1, 2}))
        .hasMessage("text \"t2\" was drawn, but its probability is 0");
  }

  @Test
  void drawsAreTheTextsWhoseCumulativeProbabilityIsPassedFirst() {
    TextSampling sampling = TextSampling.lengthSquared(SMALL, SMALL_CLIPPING);
    TextSample sample = sampling.draw(500, 42);
    SplittableRandom random = new SplittableRandom(42);
    int[] counts = new int[4];
    for (int draw = 0; draw < 500; draw++) {
      double u = random.nextDouble();
      int s = 0;
      for (double below = sampling.probability(0); below <= u; s++) {
        below += sampling.probability(s + 1);
      }
      counts[s]++;
    }
    assertThat(sample.draws()).isEqualTo(500);
    assertThat(IntStream.range(0, 4).map(sample::count).toArray()).isEqualTo(counts);
    assertThat(counts).as("fixed for ever").containsExactly(52, 15, 60, 373);
  }

  /**
   * Averaged over many draws the distances are those from all texts, but for the bias of the
   * estimated means, −1/n.
   */
  @Test
  void resampledDistancesAreUnbiasedButForTheirMeans() {
    int n = 40;
    int repetitions = 2000;
    LogLikelihoodMatrix matrix = Simulated.matrix(Simulated.values(new Random(15), 4, 60));
    DistanceMatrix all =
        KlDistances.of(CenteredMatrix.of(matrix, Clipping.NONE)).squaredEuclidean();
    List<BiFunction<LogLikelihoodMatrix, Clipping, TextSampling>> ways =
        List.of(
            TextSampling::uniform,
            TextSampling::lengthSquared,
            TextSampling::kl,
            (m, c) -> TextSampling.lengthSquared(m, c).withUniformFloor(0.1));
    for (BiFunction<LogLikelihoodMatrix, Clipping, TextSampling> way : ways) {
      TextSampling sampling = way.apply(matrix, Clipping.NONE);
      double[] ratios = new double[repetitions];
      for (int r = 0; r < repetitions; r++) {
        DistanceMatrix estimate = sampling.draw(n, r).distances(matrix).squaredEuclidean();
        for (int i = 0; i < 4; i++) {
          for (int j = 0; j < i; j++) {
            ratios[r] += estimate.get(i, j) / all.get(i, j) / 6;
          }
        }
      }
      double mean = Arrays.stream(ratios).average().orElseThrow();
      double deviation =
          Math.sqrt(
              Arrays.stream(ratios).map(x -> (x - mean) * (x - mean)).average().orElseThrow());
      assertThat(mean)
          .isCloseTo(1 - 1.0 / n, within(4 * deviation / Math.sqrt(repetitions)))
          .as("the bias is seen, not lost in the bound")
          .isLessThan(1);
    }
  }

  @Test
  void drawingWhereModelsDifferNeedsFewerTextsForTheSameError() {
    Random random = new Random(7);
    double[][] values = Simulated.values(random, 20, 1000);
    for (int s = 0; s < 1000; s++) {
      double spread = Math.exp(2 * random.nextGaussian());
      for (double[] row : values) {
        row[s] = -60_000 + spread * random.nextGaussian();
      }
    }
    LogLikelihoodMatrix matrix = Simulated.matrix(values);
    DistanceMatrix all =
        KlDistances.of(CenteredMatrix.of(matrix, Clipping.NONE)).squaredEuclidean();
    double uniform = error(TextSampling.uniform(matrix, Clipping.NONE), matrix, all);
    double ls = error(TextSampling.lengthSquared(matrix, Clipping.NONE), matrix, all);
    double kl = error(TextSampling.kl(matrix, Clipping.NONE), matrix, all);
    assertThat(ls).isLessThan(0.5 * uniform).isCloseTo(kl, within(0.2 * kl));
  }

  private static double error(
      TextSampling sampling, LogLikelihoodMatrix matrix, DistanceMatrix all) {
    return IntStream.range(0, 20)
        .mapToDouble(
            seed ->
                ResamplingError.of(
                        sampling.draw(300, seed).distances(matrix).squaredEuclidean(), all)
                    .absolute())
        .average()
        .orElseThrow();
  }

  /**
   * The last model of each family is new: it is scored on about a fifth of the texts, which were
   * chosen without it, and its distances are those from all texts within the expected error.
   */
  @Test
  void aNewModelIsPlacedFromTheSampledTextsAlone() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    LogLikelihoodMatrix existing = rows(raw, i -> i % 10 != 9);
    Clipping clipping = Clipping.atQuantile(existing, 0.02);
    int n = 90;
    TextSampling sampling = TextSampling.lengthSquared(existing, clipping).withUniformFloor(0.05);
    TextSample sample = sampling.draw(n, 42);
    assertThat(sample.textIds()).hasSizeBetween(70, 88).doesNotHaveDuplicates();

    List<String> scored = new ArrayList<>(sample.textIds());
    Collections.shuffle(scored, new Random(1));
    int[] columns = scored.stream().mapToInt(raw.textIds()::indexOf).toArray();
    KlDistances estimated = sample.distances(raw.selectTexts(columns));

    CenteredMatrix q = CenteredMatrix.of(raw, clipping);
    DistanceMatrix full = KlDistances.of(q).squaredEuclidean();
    double squaredScores = 0;
    int pairs = 0;
    for (int i = 9; i < 60; i += 10) {
      Integer family = i / 10;
      for (int j = 0; j < 60; j++) {
        if (j % 10 != 9) {
          double second = 0;
          for (int s = 0; s < 400; s++) {
            second += Math.pow(q.get(i, s) - q.get(j, s), 4) / sampling.probability(s);
          }
          double d = full.get(i, j);
          double deviation = Math.sqrt((second - d * d) / n);
          double score = (estimated.squaredEuclidean().get(i, j) - d) / deviation;
          assertThat(score).isBetween(-4.5, 4.5);
          squaredScores += score * score;
          pairs++;
        }
      }
      assertThat(Neighbours.of(estimated.squaredEuclidean(), i, 9))
          .as("the family is found")
          .extracting(near -> near.index() / 10)
          .allMatch(family::equals);
    }
    assertThat(Math.sqrt(squaredScores / pairs)).isBetween(0.5, 1.5);
    assertThat(estimated.in(KlUnit.BITS_PER_BYTE).get(9, 0))
        .isCloseTo(
            estimated.squaredEuclidean().get(9, 0) / (800 * 958.8275 * Math.log(2)), within(1e-12));
  }

  private static LogLikelihoodMatrix rows(LogLikelihoodMatrix matrix, IntPredicate keep) {
    int[] kept = IntStream.range(0, matrix.models()).filter(keep).toArray();
    return LogLikelihoodMatrix.of(
        Arrays.stream(kept).mapToObj(matrix.names()::get).toList(),
        matrix.textIds(),
        IntStream.range(0, matrix.texts()).map(matrix::textBytes).toArray(),
        Arrays.stream(kept).mapToObj(matrix::row).toArray(double[][]::new));
  }

  @Test
  void textsNobodyScoredAreNamed() {
    TextSample sample = TextSampling.uniform(SMALL, SMALL_CLIPPING).sample(new int[] {2, 0});
    assertThatThrownBy(() -> sample.distances(SMALL.selectTexts(new int[] {0, 1, 3})))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("text \"t2\" was sampled but is not among the 3 scored texts");
  }

  @Test
  void samplesOfNothingAreRefused() {
    TextSampling sampling = TextSampling.uniform(SMALL, SMALL_CLIPPING);
    assertThatThrownBy(() -> sampling.draw(0, 1))
        .hasMessage("a sample needs at least one draw, got 0");
    assertThatThrownBy(() -> sampling.sample(new int[] {4}))
        .isInstanceOf(IndexOutOfBoundsException.class);
    LogLikelihoodMatrix one = Simulated.matrix(new double[][] {{-1, -2}});
    assertThatThrownBy(() -> TextSampling.kl(one, Clipping.NONE))
        .hasMessage(
            "1 model(s) do not differ on any of the 2 texts: no text is better than another");
  }

  @Test
  void theBitsDoNotDependOnTheNumberOfThreads() {
    assertThat(bits(2)).isDeepEqualTo(bits(1));
    assertThat(bits(7)).isDeepEqualTo(bits(1));
  }

  private static double[][] bits(int threads) {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(
              () -> {
                LogLikelihoodMatrix matrix =
                    Simulated.matrix(Simulated.values(new Random(2), 23, 2500));
                return TextSampling.kl(matrix, Clipping.NONE)
                    .draw(900, 3)
                    .distances(matrix)
                    .squaredEuclidean()
                    .toArray();
              })
          .join();
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void errorMeasuresAreThoseOfThePaper() {
    DistanceMatrix reference = DistanceMatrix.wrap(List.of("a", "b", "c"), new double[] {4, 2, 0});
    DistanceMatrix estimate =
        DistanceMatrix.wrap(List.of("a", "b", "c"), new double[] {3, 2.5, 1e-3});

    ResamplingError error = ResamplingError.of(estimate, reference);

    assertThat(error.absolute()).isCloseTo(Math.sqrt((1 + 0.25 + 1e-6) / 20), within(1e-15));
    assertThat(error.relative())
        .isCloseTo(Math.sqrt(2 * (1 / 16.0 + 1 / 16.0 + 1) / 9), within(1e-15));
    assertThatThrownBy(
            () ->
                ResamplingError.of(
                    estimate, DistanceMatrix.wrap(List.of("a", "c", "b"), new double[3])))
        .hasMessage("the estimate is for other models than the reference, or in another order");
  }
}
