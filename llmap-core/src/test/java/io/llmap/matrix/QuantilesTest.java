package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

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
}
