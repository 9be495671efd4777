package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.testing.GoldenFiles;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PerplexitySearchTest {
  @ParameterizedTest
  @ValueSource(doubles = {1.5, 5, 15, 58})
  void everyRowHasThePerplexityAskedFor(double perplexity) {
    for (double[] squares : GoldenFiles.matrix("d2.npy")) {
      double[] row = Arrays.stream(squares).filter(d2 -> d2 > 0).map(Math::sqrt).toArray();

      PerplexitySearch.toProbabilities(row, row.length, Tsne.Metric.EUCLIDEAN, perplexity);

      assertThat(Arrays.stream(row).sum()).isCloseTo(1, within(1e-12));
      assertThat(ReferenceTsne.perplexity(row))
          .isCloseTo(perplexity, within(2 * PerplexitySearch.TOLERANCE * perplexity));
    }
  }

  /** Distances over up to 30 orders of magnitude: the entropy is flat nearly everywhere. */
  @Property(tries = 2000)
  void rowsOfAnySpreadHaveThePerplexityAskedFor(
      @ForAll @IntRange(min = 3, max = 60) int count,
      @ForAll @DoubleRange(min = 0, max = 1) double share,
      @ForAll @DoubleRange(min = 0.01, max = 15) double spread,
      @ForAll long seed) {
    double[] row = new double[count];
    double[][] normal = Golden.normal(1, count, seed);
    Arrays.setAll(row, j -> Math.pow(10, spread * normal[0][j] / 3));
    double perplexity = 1.01 + share * (count - 1.5);

    PerplexitySearch.toProbabilities(row, count, Tsne.Metric.EUCLIDEAN, perplexity);

    assertThat(ReferenceTsne.perplexity(row)).isCloseTo(perplexity, within(1e-8 * perplexity));
  }

  @Test
  void moreEquallyNearModelsThanThePerplexityShareTheRow() {
    double[] row = {2, 2, 2, 10, 10, -1};

    PerplexitySearch.toProbabilities(row, 5, Tsne.Metric.EUCLIDEAN, 2);

    assertThat(row)
        .containsExactly(new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0, 0, 0, -1}, within(1e-12));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 7, 1e-300, 1e300})
  void equallyFarModelsAreEquallyLikely(double distance) {
    double[] row = {distance, distance, distance, distance};

    PerplexitySearch.toProbabilities(row, 4, Tsne.Metric.SQUARED_EUCLIDEAN, 2);

    assertThat(row).containsExactly(0.25, 0.25, 0.25, 0.25);
  }

  @Test
  void aModelBeyondMeasureChangesNothingForTheNearOnes() {
    double[] near = {1, 2, 3, 4};
    double[] withFar = {1, 2, 3, 4, 1e120};

    PerplexitySearch.toProbabilities(near, 4, Tsne.Metric.EUCLIDEAN, 2.5);
    PerplexitySearch.toProbabilities(withFar, 5, Tsne.Metric.EUCLIDEAN, 2.5);

    assertThat(Arrays.copyOf(withFar, 4)).containsExactly(near, within(1e-9));
    assertThat(withFar[4]).isZero();
  }
}
