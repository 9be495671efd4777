package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.testing.Tolerances;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kernel that can run here, against sums without rounding. */
class GramKernelTest {
  static Stream<GramKernel> kernels() {
    return GramKernels.providers().stream()
        .filter(provider -> provider.availability().available())
        .map(GramKernelProvider::newKernel);
  }

  private static RowSource random(int rows, int columns) {
    Random random = new Random(31L * rows + columns);
    double[][] values = new double[rows][columns];
    for (double[] row : values) {
      Arrays.setAll(row, n -> 40 * random.nextGaussian() - 3);
    }
    return new Rows(values, columns);
  }

  /** Rows in memory; the number of columns stands apart because there may be no row. */
  record Rows(double[][] values, int columns) implements RowSource {
    @Override
    public int rows() {
      return values.length;
    }

    @Override
    public void read(int row, int from, int to, double[] target, int offset) {
      System.arraycopy(values[row], from, target, offset, to - from);
    }
  }

  private static double[] row(RowSource a, int i) {
    double[] row = new double[a.columns()];
    a.read(i, 0, row.length, row, 0);
    return row;
  }

  /** Twice the working precision (Ogita, Rump and Oishi 2005, Dot2). */
  private static double dot(double[] x, double[] y) {
    double sum = 0;
    double lost = 0;
    for (int n = 0; n < x.length; n++) {
      double product = x[n] * y[n];
      double before = sum;
      sum += product;
      double added = sum - before;
      lost += Math.fma(x[n], y[n], -product) + (before - (sum - added)) + (product - added);
    }
    return sum + lost;
  }

  private static void assertGram(GramKernel kernel, int rows, int columns) {
    RowSource a = random(rows, columns);
    double[] triangle = new double[rows * (rows + 1) / 2];
    Arrays.setAll(triangle, at -> at % 7);

    kernel.add(a, triangle);

    int at = 0;
    for (int i = 0; i < rows; i++) {
      double[] left = row(a, i);
      for (int j = 0; j <= i; j++) {
        double[] right = row(a, j);
        double expected = at % 7 + dot(left, right);
        double bound = Tolerances.dotProduct(columns, dot(abs(left), abs(right)) + at % 7);
        // Asserting each of some 100,000 elements takes longer than computing them.
        if (!(Math.abs(triangle[at] - expected) <= bound)) {
          assertThat(triangle[at])
              .as("%d × %d, element (%d,%d)", rows, columns, i, j)
              .isCloseTo(expected, within(bound));
        }
        at++;
      }
    }
  }

  private static double[] abs(double[] values) {
    return Arrays.stream(values).map(Math::abs).toArray();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void productsAreAddedForEveryShape(GramKernel kernel) {
    for (int rows : new int[] {0, 1, 2, 3, 4, 6, 7, 8, 9, 13, 24, 25, 47, 97}) {
      for (int columns : new int[] {0, 1, 2, 5, 8, 127, 255, 256, 257}) {
        assertGram(kernel, rows, columns);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void productsAreAddedAcrossBandsAndBlocks(GramKernel kernel) {
    assertGram(kernel, 207, 1030);
    assertGram(kernel, 13, 4098);
    assertGram(kernel, 303, 7);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void integersComeOutExact(GramKernel kernel) {
    double[][] values = new double[29][261];
    BigDecimal expected = BigDecimal.ZERO;
    for (int i = 0; i < 29; i++) {
      for (int n = 0; n < 261; n++) {
        values[i][n] = (i * 31 + n * 17) % 1001 - 500;
      }
    }
    for (int n = 0; n < 261; n++) {
      expected = expected.add(new BigDecimal(values[28][n]).multiply(new BigDecimal(values[5][n])));
    }
    double[] triangle = new double[29 * 30 / 2];

    kernel.add(new Rows(values, 261), triangle);

    assertThat(triangle[28 * 29 / 2 + 5]).isEqualTo(expected.doubleValue());
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void theBitsDoNotDependOnTheNumberOfThreads(GramKernel kernel) {
    RowSource a = random(207, 700);
    double[] expected = new double[207 * 208 / 2];
    kernel.add(a, expected);
    for (int threads : new int[] {1, 2, 7}) {
      double[] triangle = new double[expected.length];
      ForkJoinPool pool = new ForkJoinPool(threads);
      pool.submit(() -> kernel.add(a, triangle)).join();
      pool.shutdown();
      assertThat(triangle).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aNumberThatIsNotFiniteReachesItsOwnRowOnly(GramKernel kernel) {
    double[][] values = new double[30][20];
    Arrays.stream(values).forEach(row -> Arrays.fill(row, 1));
    values[11][3] = Double.NaN;
    double[] triangle = new double[30 * 31 / 2];

    kernel.add(new Rows(values, 20), triangle);

    double[] expected = new double[triangle.length];
    Arrays.fill(expected, 20);
    for (int i = 0; i < 30; i++) {
      int high = Math.max(i, 11);
      expected[high * (high + 1) / 2 + Math.min(i, 11)] = Double.NaN;
    }
    assertThat(triangle).isEqualTo(expected);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aTriangleOfAnotherLengthIsRefused(GramKernel kernel) {
    assertThatThrownBy(() -> kernel.add(random(4, 3), new double[6]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the triangle of 4 rows has 10 numbers, got 6");
  }
}
