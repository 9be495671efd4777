package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BootstrapTest {

  private static Bootstrap bootstrap(double[][] values, int replicates, long seed) {
    return Bootstrap.of(
        CenteredMatrix.of(Simulated.matrix(values), Clipping.NONE), replicates, seed);
  }

  /** N times the variance of the difference over the texts as drawn, one by one. */
  private static double direct(double[] x, double[] y, int[] counts) {
    double[] differences =
        IntStream.range(0, x.length)
            .flatMap(s -> IntStream.generate(() -> s).limit(counts[s]))
            .mapToDouble(s -> x[s] - y[s])
            .toArray();
    double mean = Arrays.stream(differences).average().orElseThrow();
    return Arrays.stream(differences).map(d -> (d - mean) * (d - mean)).sum();
  }

  @Property(tries = 40)
  void aReplicateIsTheVarianceOverTheDrawnTextsWithTheirRepetitions(
      @ForAll @IntRange(min = 2, max = 8) int k,
      @ForAll @IntRange(min = 2, max = 4500) int n,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[][] values = Simulated.values(random, k, n);
    for (int s = 0; s < n; s++) {
      values[1][s] = values[0][s] + 1e-3 * random.nextGaussian();
    }
    Bootstrap bootstrap = bootstrap(values, 3, seed);
    for (int r = 0; r < 3; r++) {
      KlDistances replicate = bootstrap.replicate(r);
      for (int i = 0; i < k; i++) {
        for (int j = 0; j < i; j++) {
          double expected = direct(values[i], values[j], bootstrap.counts(r));
          // The near-duplicates keep as many digits as a difference of two numbers of 600 has; and
          // where one text alone was drawn, nothing is left but that difference's rounding.
          double rounding = Tolerances.centring(600);
          double bound =
              Tolerances.squaredDistance(expected)
                  + rounding * Math.sqrt(expected)
                  + n * rounding * rounding;
          assertThat(replicate.squaredEuclidean().get(i, j)).isCloseTo(expected, within(bound));
          assertThat(replicate.in(KlUnit.NATS_PER_TEXT).get(i, j))
              .isCloseTo(expected / (2 * n), within(bound / n));
        }
      }
    }
  }

  @Test
  void drawsAreFixedForEver() {
    Bootstrap bootstrap = bootstrap(Simulated.values(new Random(1), 2, 12), 3, 42);

    assertThat(bootstrap.counts(0)).containsExactly(0, 1, 2, 2, 1, 0, 2, 1, 1, 0, 1, 1);
    assertThat(bootstrap.counts(2)).containsExactly(1, 1, 2, 2, 0, 1, 1, 1, 0, 2, 1, 0);
  }

  @Test
  void everyReplicateDrawsAsManyTextsAsThereAre() {
    Bootstrap bootstrap = bootstrap(Simulated.values(new Random(1), 2, 4000), 50, 9);
    double different = 0;
    for (int r = 0; r < 50; r++) {
      int[] counts = bootstrap.counts(r);
      assertThat(IntStream.of(counts).sum()).isEqualTo(4000);
      different += IntStream.of(counts).filter(c -> c > 0).count() / 4000.0 / 50;
    }
    // 1 − 1/e; one replicate's share has a standard deviation of 0.0049.
    assertThat(different).isCloseTo(0.632, within(0.003));
  }

  @ParameterizedTest
  @CsvSource({"200, 0.95", "201, 0.9", "7, 0.95", "2, 0.5", "40, 0.001"})
  void intervalsAndErrorsAreThoseOfAllReplicatesKept(int replicates, double level) {
    Bootstrap bootstrap = bootstrap(Simulated.values(new Random(3), 5, 30), replicates, 17);
    BootstrapSummary summary = bootstrap.summarize(level, 2);
    for (KlUnit unit : KlUnit.values()) {
      List<DistanceMatrix> all =
          IntStream.range(0, replicates).mapToObj(r -> bootstrap.replicate(r).in(unit)).toList();
      for (int i = 0; i < 5; i++) {
        for (int j = 0; j < i; j++) {
          int x = i;
          int y = j;
          double[] sorted = all.stream().mapToDouble(d -> d.get(x, y)).sorted().toArray();
          double mean = Arrays.stream(sorted).average().orElseThrow();
          double variance =
              Arrays.stream(sorted).map(v -> (v - mean) * (v - mean)).sum() / (replicates - 1);
          assertThat(summary.lower(unit).get(i, j))
              .isCloseTo(quantile(sorted, (1 - level) / 2), within(1e-12 * mean));
          assertThat(summary.upper(unit).get(i, j))
              .isCloseTo(quantile(sorted, (1 + level) / 2), within(1e-12 * mean));
          assertThat(summary.standardError(unit).get(i, j))
              .isCloseTo(Math.sqrt(variance), within(1e-10 * mean));
        }
      }
    }
    assertThat(summary.estimate()).isSameAs(bootstrap.estimate());
    assertThat(summary.level()).isEqualTo(level);
    assertThat(summary.replicates()).isEqualTo(replicates);
    assertThat(summary.seed()).isEqualTo(17);
  }

  /** numpy's default, by its definition. */
  private static double quantile(double[] sorted, double q) {
    double position = q * (sorted.length - 1);
    int below = (int) Math.floor(position);
    int above = (int) Math.ceil(position);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }

  @Test
  void stabilityCountsInHowManyReplicatesANeighbourIsThere() {
    int k = 9;
    Bootstrap bootstrap = bootstrap(Simulated.values(new Random(6), k, 25), 40, 5);
    BootstrapSummary summary = bootstrap.summarize(0.95, 3);
    double unstable = 0;
    for (int i = 0; i < k; i++) {
      List<Integer> fromAll = neighbours(bootstrap.estimate(), i, 3);
      double overlap = 0;
      for (int j = 0; j < k; j++) {
        int nearest = 0;
        int among = 0;
        for (int r = 0; r < 40; r++) {
          List<Integer> near = neighbours(bootstrap.replicate(r), i, 3);
          nearest += near.get(0) == j ? 1 : 0;
          among += near.contains(j) ? 1 : 0;
        }
        assertThat(summary.nearestShare(i, j)).isEqualTo(nearest / 40.0);
        assertThat(summary.neighbourShare(i, j)).isEqualTo(among / 40.0);
        overlap += fromAll.contains(j) ? among / 120.0 : 0;
      }
      assertThat(summary.neighbourOverlap(i)).isCloseTo(overlap, within(1e-15));
      unstable += 1 - overlap;
    }
    assertThat(unstable).as("the data leaves neighbours in doubt").isGreaterThan(0.5);
  }

  private static List<Integer> neighbours(KlDistances kl, int i, int count) {
    return Neighbours.of(kl.squaredEuclidean(), i, count).stream()
        .map(Neighbours.Neighbour::index)
        .toList();
  }

  @Test
  void familiesKeepTheirMembersAsNeighbours() {
    CenteredMatrix coordinates = CenteredMatrix.of(GoldenFiles.logLikelihoods(), Clipping.NONE);
    BootstrapSummary summary = Bootstrap.of(coordinates, 50, 1).summarize(0.95, 9);
    // Model 3 has three outliers: whether they are drawn decides who is near it.
    for (int i = 0; i < 60; i++) {
      for (int j = 0; j < 60; j++) {
        if (i != j && i != 3 && j != 3 && (i / 10 == j / 10 || i / 10 > 0)) {
          assertThat(summary.neighbourShare(i, j)).isCloseTo(i / 10 == j / 10 ? 1 : 0, within(0.1));
        }
      }
    }
    assertThat(summary.neighbourOverlap(3)).isBetween(0.1, 0.99);
    assertThat(summary.nearestShare(16, 17)).isEqualTo(1);
    assertThat(summary.neighbours()).isEqualTo(9);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 7})
  void theBitsDoNotDependOnTheNumberOfThreads(int threads) {
    assertThat(bits(threads)).isEqualTo(bits(1));
  }

  private static List<Double> bits(int threads) {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(
              () -> {
                BootstrapSummary summary =
                    bootstrap(Simulated.values(new Random(2), 23, 2500), 12, 3).summarize(0.9, 4);
                List<Double> numbers = new ArrayList<>();
                for (int i = 0; i < 23; i++) {
                  for (int j = 0; j < 23; j++) {
                    numbers.add(summary.lower(KlUnit.NATS_PER_TEXT).get(i, j));
                    numbers.add(summary.upper(KlUnit.NATS_PER_TEXT).get(i, j));
                    numbers.add(summary.standardError(KlUnit.NATS_PER_TEXT).get(i, j));
                    numbers.add(summary.neighbourShare(i, j));
                  }
                }
                return numbers;
              })
          .join();
    } finally {
      pool.shutdown();
    }
  }

  /** Method 8.9: a sample variance of N Gaussian numbers has a relative deviation of √(2/N). */
  @Test
  void standardErrorsOfGaussianDifferencesAreThoseOfTheory() {
    int n = 5000;
    BootstrapSummary summary =
        bootstrap(Simulated.values(new Random(11), 6, n), 300, 2).summarize(0.95, 1);
    double ratio = 0;
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < i; j++) {
        double theory = Math.sqrt(2.0 / n) * summary.estimate().in(KlUnit.BITS_PER_TEXT).get(i, j);
        ratio += summary.standardError(KlUnit.BITS_PER_TEXT).get(i, j) / theory / 15;
      }
    }
    // One ratio has a deviation of 1/√(2·300) = 0.041.
    assertThat(ratio).isCloseTo(1, within(0.05));
  }

  /**
   * 300 intervals around distances whose true value is known: 95 % of them should hold it. Three
   * pairs of one data set go together, so their share has a deviation of at most 0.022.
   */
  @Test
  void intervalsHoldTheTrueDistanceAsOftenAsTheySay() {
    int n = 300;
    double[] spread = {5, 10, 20};
    Random random = new Random(99);
    int covered = 0;
    for (int set = 0; set < 100; set++) {
      double[][] values = new double[3][n];
      for (int i = 0; i < 3; i++) {
        for (int s = 0; s < n; s++) {
          values[i][s] = -600 + spread[i] * random.nextGaussian();
        }
      }
      BootstrapSummary summary = bootstrap(values, 200, set).summarize(0.95, 1);
      DistanceMatrix lower = summary.lower(KlUnit.NATS_PER_TEXT);
      DistanceMatrix upper = summary.upper(KlUnit.NATS_PER_TEXT);
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < i; j++) {
          double truth = (spread[i] * spread[i] + spread[j] * spread[j]) / 2;
          covered += lower.get(i, j) <= truth && truth <= upper.get(i, j) ? 1 : 0;
        }
      }
    }
    assertThat(covered / 300.0).isBetween(0.89, 0.99);
  }

  @Test
  void aTextOfSeveralColumnsIsDrawnAsAWholeAndNotCentredAnew() {
    int[] starts = {0, 3, 4, 9, 9, 14};
    double[][] rows = Simulated.values(new Random(12), 4, 14);
    KlDistances estimate =
        new KlDistances(
            KlEstimator.TEXT_VARIANCE,
            KlEstimator.TEXT_VARIANCE.toString(),
            DistanceMatrix.wrap(List.of("a", "b", "c", "d"), new double[6]),
            5,
            1000);
    Bootstrap bootstrap =
        new Bootstrap(
            estimate,
            UnaryOperator.identity(),
            new ArrayRows(rows),
            starts,
            false,
            new ScalarGramKernel(),
            9,
            4);
    for (int r = 0; r < 9; r++) {
      int[] counts = bootstrap.counts(r);
      assertThat(counts).hasSize(5);
      DistanceMatrix actual = bootstrap.replicate(r).squaredEuclidean();
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++) {
          double expected = 0;
          for (int n = 0; n < 5; n++) {
            for (int column = starts[n]; column < starts[n + 1]; column++) {
              expected += counts[n] * Math.pow(rows[i][column] - rows[j][column], 2);
            }
          }
          assertThat(actual.get(i, j))
              .isCloseTo(expected, within(Tolerances.squaredDistance(expected)));
        }
      }
    }
  }

  private record ArrayRows(double[][] values) implements RowSource {
    @Override
    public int rows() {
      return values.length;
    }

    @Override
    public int columns() {
      return values[0].length;
    }

    @Override
    public void read(int row, int from, int to, double[] target, int offset) {
      System.arraycopy(values[row], from, target, offset, to - from);
    }
  }

  @Test
  void wrongSettingsAreQuoted() {
    double[][] values = Simulated.values(new Random(1), 2, 3);
    assertThatThrownBy(() -> bootstrap(values, 1, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a bootstrap needs at least 2 replicates, got 1");
    Bootstrap bootstrap = bootstrap(values, 2, 0);
    assertThatThrownBy(() -> bootstrap.summarize(95, 1))
        .hasMessage(
            "a summary needs a level in (0, 1), at least 1 neighbour and 2 models, "
                + "got 95.0, 1 and 2");
    assertThatThrownBy(() -> bootstrap.summarize(Double.NaN, 1)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> bootstrap.summarize(0.95, 0)).hasMessageContaining("0.95, 0 and 2");
    assertThatThrownBy(() -> bootstrap.replicate(2)).isInstanceOf(IndexOutOfBoundsException.class);
    BootstrapSummary summary = bootstrap.summarize(0.95, 8);
    assertThat(summary.neighbours()).isEqualTo(1);
    assertThatThrownBy(() -> summary.nearestShare(0, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
