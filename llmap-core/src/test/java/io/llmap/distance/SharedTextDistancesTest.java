package io.llmap.distance;

import static java.lang.Double.NaN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SharedTextDistancesTest {
  private static DistanceMatrix squared(double[][] values) {
    return KlDistances.of(CenteredMatrix.of(matrix(values), Clipping.NONE)).squaredEuclidean();
  }

  /** The differences on the shared texts are 0 and −4: variance 4, times four texts. */
  @Test
  void aSquaredDistanceIsTheVarianceOnSharedTextsTimesAllTexts() {
    DistanceMatrix d =
        squared(
            new double[][] {
              {-1, -3, NaN, -9},
              {-1, NaN, -2, -5},
              {-1, -2, -3, -4}
            });

    assertThat(d.get(0, 1)).isEqualTo(16);
    // 0, −1, −5: mean −2, squared deviations 4, 1 and 9 over three texts.
    assertThat(d.get(0, 2)).isCloseTo(4 * 14 / 3.0, within(Tolerances.squaredDistance(18)));
  }

  @Property(tries = 50)
  void distancesAreThoseOfTheVarianceOfTheRawDifference(
      @ForAll @IntRange(min = 3, max = 9) int k,
      @ForAll @IntRange(min = 12, max = 300) int n,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[][] values = complete(random, k, n);
    // A near-duplicate with other texts missing, and complete rows between incomplete ones.
    values[k - 1] = Arrays.stream(values[0]).map(v -> v + 1e-3 * random.nextGaussian()).toArray();
    for (int i = 0; i < k - 1; i += 2) {
      dropSome(random, values[i], i, 0.3);
    }
    dropSome(random, values[k - 1], 1, 0.3);

    DistanceMatrix d = squared(values);

    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        double expected = n * varianceOfDifference(values[i], values[j]);
        // The rows of Q are rounded to the last place of 600 nats before they are subtracted.
        double rounding = n * 1e-12 * Math.sqrt(expected / n) + n * 1e-24;
        assertThat(d.get(i, j))
            .isCloseTo(expected, within(Tolerances.squaredDistance(expected) + rounding));
      }
    }
  }

  private static double varianceOfDifference(double[] a, double[] b) {
    double[] shared =
        IntStream.range(0, a.length)
            .mapToDouble(s -> a[s] - b[s])
            .filter(v -> !Double.isNaN(v))
            .toArray();
    double mean = Arrays.stream(shared).average().orElseThrow();
    return Arrays.stream(shared).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
  }

  @Test
  void withoutMissingCellsTheDistancesAreThoseOfTheGramKernel() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    CenteredMatrix q = CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02));

    DistanceMatrix shared = SharedTextDistances.of(q, new ScalarGramKernel());
    DistanceMatrix full = SquaredDistances.of(q, new ScalarGramKernel());

    assertThat(shared.names()).isEqualTo(full.names());
    assertThat(shared.toArray()).isDeepEqualTo(full.toArray());
  }

  @Test
  void pairsOfCompleteModelsHaveTheBitsThatTheyHaveAmongThemselves() {
    double[][] values = complete(new Random(2), 6, 90);
    values[2][5] = NaN;
    CenteredMatrix q = CenteredMatrix.of(matrix(values), Clipping.NONE);

    DistanceMatrix d = SquaredDistances.of(q, new ScalarGramKernel());
    DistanceMatrix among =
        SquaredDistances.of(q.selectModels(new int[] {0, 1, 3, 4, 5}), new ScalarGramKernel());

    assertThat(d.get(5, 3)).isEqualTo(among.get(4, 2));
    assertThat(d.get(1, 0)).isEqualTo(among.get(1, 0));
  }

  /** With a tenth missing, a pair loses about a fifth of its texts. */
  @Test
  void cellsMissingByChanceMoveDistancesByTheirSamplingErrorOnly() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    Clipping clipping = Clipping.atQuantile(raw, 0.02);
    Random random = new Random(4);
    double[][] values = new double[raw.models()][];
    for (int i = 0; i < values.length; i++) {
      values[i] = clipping.apply(raw.row(i));
      dropSome(random, values[i], i, 0.1);
    }

    DistanceMatrix full = KlDistances.of(CenteredMatrix.of(raw, clipping)).squaredEuclidean();
    DistanceMatrix partial = squared(values);

    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < full.size(); i++) {
      for (int j = 0; j < i; j++) {
        double ratio = partial.get(i, j) / full.get(i, j);
        assertThat(ratio).isBetween(0.6, 1.6);
        sum += ratio;
        pairs++;
      }
    }
    assertThat(sum / pairs).isCloseTo(1, within(0.01));
  }

  @Property(tries = 30)
  void aConstantPerModelOrPerTextChangesNoDistance(@ForAll long seed) {
    Random random = new Random(seed);
    double[][] values = complete(random, 6, 60);
    for (int i = 0; i < 6; i++) {
      dropSome(random, values[i], i, 0.2);
    }
    double[][] moved = new double[6][];
    double[] perText = random.doubles(60, -300, 0).toArray();
    for (int i = 0; i < 6; i++) {
      double perModel = -500 * random.nextDouble();
      double[] row = values[i].clone();
      Arrays.setAll(row, s -> row[s] + perModel + perText[s]);
      moved[i] = row;
    }

    DistanceMatrix before = squared(values);
    DistanceMatrix after = squared(moved);

    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(after.get(i, j))
            .isCloseTo(before.get(i, j), within(Tolerances.squaredDistance(before.get(i, j))));
      }
    }
  }

  @Test
  void distancesHaveTheSameBitsOnAnyNumberOfThreads() throws Exception {
    Random random = new Random(6);
    double[][] values = complete(random, 40, 120);
    for (int i = 0; i < 40; i += 3) {
      dropSome(random, values[i], i, 0.2);
    }
    double[][] one = onThreads(1, values);

    assertThat(onThreads(2, values)).isDeepEqualTo(one);
    assertThat(onThreads(7, values)).isDeepEqualTo(one);
  }

  private static double[][] onThreads(int threads, double[][] values) throws Exception {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(() -> squared(values).toArray()).get();
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void twoModelsWithFewerThanTwoTextsInCommonAreNamed() {
    double[][] values = {{-1, -2, -3, NaN}, {-1, -2, -3, -4}, {NaN, NaN, -3, -4}};

    assertThatThrownBy(() -> squared(values))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "models \"m0\" and \"m2\" share fewer than two texts; their distance is unknown");
  }

  private static double[][] complete(Random random, int k, int n) {
    double[][] values = new double[k][n];
    for (double[] row : values) {
      Arrays.setAll(row, s -> -1500 + 100 * random.nextGaussian());
    }
    return values;
  }

  /** Drops some of every third text, so that pairs share texts and neighbours have all. */
  private static void dropSome(Random random, double[] row, int phase, double fraction) {
    for (int s = phase % 3; s < row.length; s += 3) {
      if (random.nextDouble() < 3 * fraction) {
        row[s] = NaN;
      }
    }
  }

  private static LogLikelihoodMatrix matrix(double[][] values) {
    int n = values[0].length;
    boolean[][] missing = new boolean[values.length][n];
    for (int i = 0; i < values.length; i++) {
      for (int s = 0; s < n; s++) {
        missing[i][s] = Double.isNaN(values[i][s]);
      }
    }
    int[] bytes = new int[n];
    Arrays.fill(bytes, 1000);
    return LogLikelihoodMatrix.ofPartial(
        IntStream.range(0, values.length).mapToObj(i -> "m" + i).toList(),
        IntStream.range(0, n).mapToObj(s -> "t" + s).toList(),
        bytes,
        values,
        missing);
  }
}
