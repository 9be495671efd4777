package io.llmap.predict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CorrelationTest {
  /** scipy.stats.pearsonr and spearmanr. */
  @Test
  void correlationsAreThoseOfScipy() {
    double[] x = {3, 1, 4, 1, 5, 9, 2, 6};
    double[] y = {2, 7, 1, 8, 2, 8, 1, 8};

    assertThat(Correlation.pearson(x, y)).isCloseTo(0.2096553190730121, within(1e-14));
    assertThat(Correlation.spearman(x, y)).isCloseTo(0.19885368120992467, within(1e-14));
  }

  @Property(tries = 50)
  void aLineHasOneAndAnyRiseHasRankCorrelationOne(
      @ForAll @IntRange(min = 2, max = 30) int count, @ForAll long seed) {
    double[] x = new Random(seed).doubles(count, -5, 5).toArray();

    assertThat(Correlation.pearson(x, map(x, v -> 3 * v + 1))).isCloseTo(1, within(1e-12));
    assertThat(Correlation.pearson(x, map(x, v -> -v / 7))).isCloseTo(-1, within(1e-12));
    assertThat(Correlation.spearman(x, map(x, Math::exp))).isCloseTo(1, within(1e-12));
    assertThat(Correlation.spearman(x, map(x, v -> -v * v * v))).isCloseTo(-1, within(1e-12));
  }

  @Test
  void sizeDoesNotMatter() {
    double[] x = {1, 2, 4};
    double[] y = {1, 5, 3};

    double expected = Correlation.pearson(x, y);
    assertThat(Correlation.pearson(map(x, v -> 1e-150 * v), map(y, v -> 1e150 * v)))
        .isCloseTo(expected, within(1e-14));
  }

  @Test
  void equalNumbersHaveNoCorrelation() {
    double[] equal = {0.1, 0.1, 0.1};

    assertThat(Correlation.pearson(equal, new double[] {1, 2, 3})).isNaN();
    assertThat(Correlation.spearman(new double[] {1, 2, 3}, equal)).isNaN();
    assertThat(Correlation.pearson(new double[0], new double[0])).isNaN();
  }

  @Test
  void listsOfDifferentLengthsAreRefused() {
    assertThatThrownBy(() -> Correlation.spearman(new double[3], new double[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("cannot correlate 3 numbers with 2");
  }

  private static double[] map(double[] x, DoubleUnaryOperator function) {
    return Arrays.stream(x).map(function).toArray();
  }
}
