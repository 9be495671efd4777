package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class KlDistancesTest {

  /** The test vectors of the method's description, section 10. */
  @Test
  void methodVectors() {
    LogLikelihoodMatrix matrix =
        matrix(
            new double[][] {
              {-600, -500, -700, -400},
              {-610, -490, -720, -410},
              {-590, -530, -690, -3000},
              {-605, -505, -705, -395}
            },
            1000);
    KlDistances kl = KlDistances.of(CenteredMatrix.of(matrix, Clipping.atQuantile(matrix, 0.1)));
    DistanceMatrix squared = kl.squaredEuclidean();
    assertThat(squared.get(0, 1)).isEqualTo(329.6875);
    assertThat(squared.get(0, 2)).isEqualTo(72754.6875);
    assertThat(squared.get(0, 3)).isEqualTo(75.0);
    assertThat(squared.get(1, 2)).isEqualTo(71512.5);
    assertThat(squared.get(1, 3)).isEqualTo(492.1875);
    assertThat(squared.get(2, 3)).isEqualTo(77467.1875);
    assertThat(kl.in(KlUnit.NATS_PER_TEXT).get(0, 1)).isEqualTo(41.2109375);
    assertThat(kl.in(KlUnit.BITS_PER_BYTE).get(0, 1)).isCloseTo(0.059455, within(5e-7));
    assertThat(kl.euclidean().get(1, 2)).isEqualTo(Math.sqrt(71512.5));
    assertThat(kl.estimator()).isEqualTo(KlEstimator.TEXT_VARIANCE);
  }

  @Property(tries = 50)
  void squaredDistancesEqualDirectDifferencesEvenForNearDuplicates(
      @ForAll @IntRange(min = 2, max = 12) int k,
      @ForAll @IntRange(min = 2, max = 3000) int n,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[][] values = new double[k][n];
    for (int i = 0; i < k; i++) {
      // Every second model is its predecessor moved by anything from 1e-9 to 1 nat.
      double noise = Math.pow(10, -9 * random.nextDouble());
      for (int s = 0; s < n; s++) {
        values[i][s] =
            i % 2 == 1
                ? values[i - 1][s] + noise * random.nextGaussian()
                : -1500 + 120 * random.nextGaussian();
      }
    }
    CenteredMatrix q = CenteredMatrix.of(matrix(values, 900), Clipping.NONE);
    DistanceMatrix squared = KlDistances.of(q).squaredEuclidean();
    for (int i = 0; i < k; i++) {
      assertThat(squared.get(i, i)).isZero();
      for (int j = 0; j < i; j++) {
        double direct = 0;
        for (int s = 0; s < n; s++) {
          direct += Math.pow(q.get(i, s) - q.get(j, s), 2);
        }
        assertThat(squared.get(i, j))
            .isNotNegative()
            .isCloseTo(direct, within(Tolerances.squaredDistance(direct)));
      }
    }
  }

  @Property(tries = 30)
  void aConstantPerModelOrPerTextChangesNoDistance(@ForAll long seed) {
    Random random = new Random(seed);
    double[][] values = random(random, 6, 50);
    double[][] moved = new double[6][50];
    double[] perText = random.doubles(50, -300, 0).toArray();
    for (int i = 0; i < 6; i++) {
      double perModel = -500 * random.nextDouble();
      for (int s = 0; s < 50; s++) {
        moved[i][s] = values[i][s] + perModel + perText[s];
      }
    }
    assertSame(distances(values), distances(moved));
  }

  @Property(tries = 30)
  void rootsOfSquaredDistancesObeyTheTriangleInequality(@ForAll long seed) {
    DistanceMatrix d =
        KlDistances.of(
                CenteredMatrix.of(matrix(random(new Random(seed), 7, 20), 900), Clipping.NONE))
            .euclidean();
    for (int i = 0; i < 7; i++) {
      for (int j = 0; j < 7; j++) {
        for (int m = 0; m < 7; m++) {
          assertThat(d.get(i, j)).isLessThanOrEqualTo((d.get(i, m) + d.get(m, j)) * (1 + 1e-12));
        }
      }
    }
  }

  @Test
  void bitsAreNatsOverLn2AndTheJeffreysDivergenceIsTheSumOfBothDirections() {
    KlDistances kl =
        KlDistances.of(CenteredMatrix.of(matrix(random(new Random(4), 5, 40), 900), Clipping.NONE));
    for (KlUnit unit : KlUnit.values()) {
      DistanceMatrix divergence = kl.in(unit);
      for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 5; j++) {
          assertThat(kl.jeffreys(unit).get(i, j))
              .isEqualTo(divergence.get(i, j) + divergence.get(j, i));
        }
      }
    }
    double nats = kl.in(KlUnit.NATS_PER_TEXT).get(3, 1);
    double bits = kl.in(KlUnit.BITS_PER_TEXT).get(3, 1);
    assertThat(kl.jeffreys(KlUnit.NATS_PER_TEXT).get(3, 1))
        .isCloseTo(kl.squaredEuclidean().get(3, 1) / 40, within(1e-12 * nats));
    assertThat(bits).isCloseTo(nats / 0.6931471805599453, within(1e-14 * bits));
    assertThat(kl.in(KlUnit.BITS_PER_BYTE).get(3, 1)).isCloseTo(bits / 900, within(1e-14 * bits));
  }

  @Test
  void divergencesOnSomeTextsAreHalfTheVarianceOverThose() {
    double[][] values = random(new Random(8), 4, 60);
    LogLikelihoodMatrix all = matrix(values, 900);
    int[] some = {3, 50, 7, 12, 41, 59, 0};
    Clipping clipping = Clipping.atQuantile(all, 0.1);
    DistanceMatrix kl =
        KlDistances.of(CenteredMatrix.of(all.selectTexts(some), clipping)).in(KlUnit.NATS_PER_TEXT);
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < i; j++) {
        double[] x = clipping.apply(values[i]);
        double[] y = clipping.apply(values[j]);
        double mean = IntStream.of(some).mapToDouble(s -> x[s] - y[s]).average().orElseThrow();
        double variance =
            IntStream.of(some)
                .mapToDouble(s -> Math.pow(x[s] - y[s] - mean, 2))
                .average()
                .orElseThrow();
        assertThat(kl.get(i, j))
            .isCloseTo(variance / 2, within(Tolerances.squaredDistance(variance)));
      }
    }
  }

  @Test
  void neighboursAreNearestFirstWithoutTheModelItself() {
    DistanceMatrix d =
        DistanceMatrix.of(
            java.util.List.of("a", "b", "c", "d"),
            new double[][] {{0, 2, 1, 2}, {2, 0, 5, 6}, {1, 5, 0, 7}, {2, 6, 7, 0}});
    assertThat(Neighbours.of(d, 0, 9))
        .extracting(Neighbours.Neighbour::name)
        .containsExactly("c", "b", "d");
    assertThat(Neighbours.of(d, 3, 1)).containsExactly(new Neighbours.Neighbour(0, "a", 2));
  }

  @Property(tries = 30)
  void neighboursOfAllModelsAreThoseOfEachAlsoWhereDistancesAreEqual(@ForAll long seed) {
    Random random = new Random(seed);
    DistanceMatrix d =
        DistanceMatrix.wrap(
            IntStream.range(0, 9).mapToObj(i -> "m" + i).toList(),
            random.ints(36, 0, 4).asDoubleStream().toArray());
    for (int count = 1; count <= 8; count++) {
      int[] all = Neighbours.ofAll(d, count);
      for (int i = 0; i < 9; i++) {
        assertThat(Arrays.copyOfRange(all, i * count, (i + 1) * count))
            .isEqualTo(
                Neighbours.of(d, i, count).stream()
                    .mapToInt(Neighbours.Neighbour::index)
                    .toArray());
      }
    }
  }

  private static DistanceMatrix distances(double[][] values) {
    return KlDistances.of(CenteredMatrix.of(matrix(values, 900), Clipping.NONE)).squaredEuclidean();
  }

  private static void assertSame(DistanceMatrix a, DistanceMatrix b) {
    for (int i = 0; i < a.size(); i++) {
      for (int j = 0; j < i; j++) {
        assertThat(b.get(i, j))
            .isCloseTo(a.get(i, j), within(Tolerances.squaredDistance(a.get(i, j))));
      }
    }
  }

  private static double[][] random(Random random, int k, int n) {
    double[][] values = new double[k][n];
    for (double[] row : values) {
      for (int s = 0; s < n; s++) {
        row[s] = -1500 + 120 * random.nextGaussian();
      }
    }
    return values;
  }

  private static LogLikelihoodMatrix matrix(double[][] values, int bytes) {
    int n = values[0].length;
    int[] textBytes = new int[n];
    Arrays.fill(textBytes, bytes);
    return LogLikelihoodMatrix.of(
        IntStream.range(0, values.length).mapToObj(i -> "m" + i).toList(),
        IntStream.range(0, n).mapToObj(s -> "t" + s).toList(),
        textBytes,
        values);
  }
}
