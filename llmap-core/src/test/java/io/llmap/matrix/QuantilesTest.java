package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.DoubleStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuantilesTest {
  @Property(tries = 500)
  void selectionGivesTheBitsOfSorting(
      @ForAll @IntRange(min = 1, max = 300) int size,
      @ForAll @IntRange(min = 1, max = 300) int different,
      @ForAll @DoubleRange(min = 0, max = 1) double q,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[] pool = random.doubles(different, -20000, -1).toArray();
    double[] values = random.ints(size, 0, different).mapToDouble(i -> pool[i]).toArray();

    assertThat(Quantiles.linear(values.clone(), q)).isEqualTo(sorting(values, q));
  }

  /** numpy.quantile, method 'linear', as numpy/lib/_function_base_impl.py computes it. */
  private static double sorting(double[] values, double q) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double virtual = (sorted.length - 1) * q;
    int previous = (int) virtual;
    int next = Math.min(previous + 1, sorted.length - 1);
    double gamma = virtual - previous;
    double difference = sorted[next] - sorted[previous];
    return gamma >= 0.5
        ? sorted[next] - difference * (1 - gamma)
        : sorted[previous] + difference * gamma;
  }

  @Test
  void orderedReversedAndOrganPipeValuesAreSelectedRight() {
    int size = 10_001;
    double[] rising = new double[size];
    Arrays.setAll(rising, i -> i);
    double[] falling = new double[size];
    Arrays.setAll(falling, i -> size - 1 - i);
    double[] pipes = new double[size];
    Arrays.setAll(pipes, i -> Math.min(i, size - 1 - i));

    assertThat(Quantiles.linear(rising, 0.02)).isEqualTo(200);
    assertThat(Quantiles.linear(falling, 0.02)).isEqualTo(200);
    assertThat(Quantiles.linear(pipes, 0.02)).isEqualTo(100);
  }

  @Test
  void theEndsAreTheExtremesAndOneValueIsEveryQuantile() {
    assertThat(Quantiles.linear(new double[] {3, 1, 2}, 0)).isEqualTo(1);
    assertThat(Quantiles.linear(new double[] {3, 1, 2}, 1)).isEqualTo(3);
    assertThat(Quantiles.linear(new double[] {-7}, 0.3)).isEqualTo(-7);
  }

  @Property(tries = 30)
  void whatIsTooMuchToCollectIsCountedAndGivesTheBitsOfSorting(
      @ForAll @IntRange(min = 32_769, max = 120_000) int size,
      @ForAll @IntRange(min = 1, max = 100_000) int different,
      @ForAll @DoubleRange(min = 0, max = 1) double q,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[] pool = random.doubles(different, -20000, -1).toArray();
    double[] values = random.ints(size, 0, different).mapToDouble(i -> pool[i]).toArray();
    double[] before = values.clone();

    assertThat(Quantiles.linear(values, q)).isEqualTo(sorting(values, q));
    assertThat(values).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-9, 0.02, 0.5, 0.98, 1})
  void rowsOfAnyLengthWithMissingCellsAreOneSetOfNumbers(double q) {
    Random random = new Random(7);
    double[][] rows = new double[97][];
    double[] present = new double[0];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = new double[i == 50 ? 70_000 : random.nextInt(1000)];
      Arrays.setAll(
          rows[i], n -> random.nextInt(10) == 0 ? Double.NaN : -600 + 100 * random.nextGaussian());
      present =
          DoubleStream.concat(
                  Arrays.stream(present), Arrays.stream(rows[i]).filter(v -> !Double.isNaN(v)))
              .toArray();
    }

    assertThat(Quantiles.linear(rows, q)).isEqualTo(sorting(present, q));
  }

  @Test
  void aSampleThatMissesIsDrawnWider() {
    // One value in 200,000 is low, too rare for a sample: the bracket at 0 must still reach it.
    double[] values = new double[200_000];
    Arrays.setAll(values, i -> i % 1000);
    values[123_456] = -5;

    assertThat(Quantiles.linear(values, 0)).isEqualTo(-5);
    assertThat(Quantiles.linear(values, 1)).isEqualTo(999);
  }

  @Test
  void nothingHasNoQuantile() {
    assertThat(Quantiles.linear(new double[][] {{Double.NaN}, {}}, 0.5)).isNaN();
  }

  @Test
  void theBitsDoNotDependOnTheNumberOfThreads() {
    double[] values = new Random(8).doubles(300_000, -2000, 0).toArray();
    double expected = sorting(values, 0.02);
    for (int threads : new int[] {1, 2, 7}) {
      ForkJoinPool pool = new ForkJoinPool(threads);
      assertThat(pool.submit(() -> Quantiles.linear(values, 0.02)).join()).isEqualTo(expected);
      pool.shutdown();
    }
  }
}
