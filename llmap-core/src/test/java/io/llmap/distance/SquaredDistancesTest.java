package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.testing.Tolerances;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SquaredDistancesTest {
  private static List<String> names(int k) {
    return IntStream.range(0, k).mapToObj(i -> "m" + i).toList();
  }

  private static DistanceMatrix squared(double[][] rows, GramKernel kernel) {
    return SquaredDistances.of(names(rows.length), RowSource.wrap(rows), kernel);
  }

  private static double[] noise(Random random, double[] around, double size) {
    return Arrays.stream(around).map(v -> v + size * random.nextGaussian()).toArray();
  }

  private static double[][] rows(int k, IntFunction<double[]> row) {
    return IntStream.range(0, k).mapToObj(row).toArray(double[][]::new);
  }

  /** Differences of doubles are exact here, or right to half a unit in the last place. */
  private static double direct(double[] x, double[] y) {
    BigDecimal sum = BigDecimal.ZERO;
    for (int n = 0; n < x.length; n++) {
      BigDecimal difference = new BigDecimal(x[n]).subtract(new BigDecimal(y[n]));
      sum = sum.add(difference.multiply(difference));
    }
    return sum.doubleValue();
  }

  private static void assertDirect(double[][] rows, GramKernel kernel) {
    DistanceMatrix squared = squared(rows, kernel);
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < i; j++) {
        double expected = direct(rows[i], rows[j]);
        if (!(Math.abs(squared.get(i, j) - expected) <= Tolerances.squaredDistance(expected))) {
          assertThat(squared.get(i, j))
              .as("(%d,%d)", i, j)
              .isCloseTo(expected, within(Tolerances.squaredDistance(expected)));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.llmap.distance.GramKernelTest#kernels")
  void aTwinAThousandthOfANatAwayKeepsTenDigits(GramKernel kernel) {
    Random random = new Random(1);
    double[][] rows = rows(12, i -> noise(random, new double[300], 600));
    rows[7] = noise(random, rows[2], 1e-3);
    rows[11] = noise(random, rows[2], 1e-7);

    assertDirect(rows, kernel);
  }

  @ParameterizedTest
  @MethodSource("io.llmap.distance.GramKernelTest#kernels")
  void manyCheckpointsOfFewRunsKeepTenDigits(GramKernel kernel) {
    Random random = new Random(2);
    double[][] starts = rows(3, i -> noise(random, new double[40], 600));
    // Families within families: each level is near-duplicates of the level above.
    double[][] runs = rows(9, i -> noise(random, starts[i % 3], 1));
    double[][] checkpoints = rows(90, i -> noise(random, runs[i % 9], 1e-3));

    assertDirect(checkpoints, kernel);
  }

  @Test
  void aLongDriftKeepsTenDigits() {
    Random random = new Random(3);
    double[] start = noise(random, new double[30], 600);
    double[] drift = noise(random, new double[30], 1);

    assertDirect(
        rows(150, i -> IntStream.range(0, 30).mapToDouble(n -> start[n] + i * drift[n]).toArray()),
        GramKernels.best());
  }

  @Test
  void equalRowsAreAtNoDistanceFromEachOther() {
    Random random = new Random(4);
    double[] one = noise(random, new double[50], 600);
    double[] other = noise(random, one, 1e-9);

    DistanceMatrix squared = squared(rows(60, i -> i % 2 == 0 ? one : other), GramKernels.best());

    for (int i = 0; i < 60; i++) {
      for (int j = 0; j < i; j++) {
        if (i % 2 == j % 2) {
          assertThat(squared.get(i, j)).isZero();
        } else {
          assertThat(squared.get(i, j))
              .isCloseTo(
                  direct(one, other), within(Tolerances.squaredDistance(direct(one, other))));
        }
      }
    }
  }

  @Test
  void rowsFarFromTheOriginAreAsGoodAsRowsAroundIt() {
    Random random = new Random(5);
    double[] far = new double[3];
    Arrays.fill(far, 1e6);

    assertDirect(rows(80, i -> noise(random, far, 1)), GramKernels.best());
  }

  @Test
  void nothingAndOneRowHaveNoPair() {
    assertThat(squared(new double[0][], GramKernels.best()).size()).isZero();
    assertThat(squared(new double[1][5], GramKernels.best()).toArray())
        .isDeepEqualTo(new double[1][1]);
    assertThat(squared(new double[2][0], GramKernels.best()).get(1, 0)).isZero();
  }

  @ParameterizedTest
  @MethodSource("io.llmap.distance.GramKernelTest#kernels")
  void theBitsDoNotDependOnTheNumberOfThreads(GramKernel kernel) {
    Random random = new Random(6);
    double[][] starts = rows(7, i -> noise(random, new double[40], 600));
    double[][] rows = rows(140, i -> noise(random, starts[i % 7], Math.pow(10, -i % 5)));
    double[][] expected = squared(rows, kernel).toArray();

    for (int threads : new int[] {1, 2, 7}) {
      ForkJoinPool pool = new ForkJoinPool(threads);
      assertThat(pool.submit(() -> squared(rows, kernel).toArray()).join()).isDeepEqualTo(expected);
      pool.shutdown();
    }
  }
}
