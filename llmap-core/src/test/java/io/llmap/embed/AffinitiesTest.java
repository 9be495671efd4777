package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.GoldenFiles;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AffinitiesTest {
  @ParameterizedTest
  @ValueSource(doubles = {1.5, 5, 15, 58})
  void everyRowHasThePerplexityAskedFor(double perplexity) {
    double[][] squares = GoldenFiles.matrix("d2.npy");

    for (int i = 0; i < squares.length; i++) {
      Affinities.toConditional(squares[i], i, perplexity);
      assertThat(squares[i][i]).isZero();
      assertThat(Arrays.stream(squares[i]).sum()).isCloseTo(1, within(1e-12));
      assertThat(ReferenceTsne.perplexity(squares[i]))
          .isCloseTo(perplexity, within(2 * Affinities.TOLERANCE * perplexity));
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {5, 15})
  void affinitiesAreThoseOfTheReference(double perplexity) {
    DistanceMatrix distances = Golden.distances();
    double[][] expected = ReferenceTsne.affinities(distances, perplexity);

    Affinities affinities = Affinities.of(distances.map(d -> d * d), perplexity);

    for (int i = 0; i < 60; i++) {
      for (int j = 0; j < 60; j++) {
        assertThat(affinities.get(i, j)).isCloseTo(expected[i][j], within(1e-11));
      }
    }
  }

  @Property(tries = 1000)
  void affinitiesOfAnythingAreAProbability(
      @ForAll @IntRange(min = 2, max = 12) int k,
      @ForAll @DoubleRange(min = 0, max = 1) double share,
      @ForAll @IntRange(min = -70, max = 70) int exponent,
      @ForAll long seed) {
    double[][] points = Golden.normal(k, 2, seed);
    for (int i = 0; i < k; i++) {
      // Every second model repeats another one, or nearly so.
      points[i] = i % 2 == 1 ? points[i / 2].clone() : points[i];
      points[i][0] += i % 4 == 3 ? 1e-9 : 0;
    }
    double scale = Math.pow(10, exponent);
    DistanceMatrix squares = Golden.between(points).map(d -> scale * d * d);

    Affinities affinities = Affinities.of(squares, 1 + share * (k - 2));

    double sum = 0;
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        assertThat(affinities.get(i, j)).isBetween(0.0, 1.0).isEqualTo(affinities.get(j, i));
        sum += affinities.get(i, j);
      }
    }
    assertThat(sum).isCloseTo(1, within(1e-12));
  }

  @Test
  void moreEquallyNearModelsThanThePerplexityShareTheRow() {
    double[] row = {0, 4, 4, 4, 100, 100};

    Affinities.toConditional(row, 0, 2);

    assertThat(row)
        .containsExactly(new double[] {0, 1 / 3.0, 1 / 3.0, 1 / 3.0, 0, 0}, within(1e-12));
  }

  @Test
  void equallyFarModelsAreEquallyLikely() {
    double[] row = {7, 7, 0, 7, 7};

    Affinities.toConditional(row, 2, 2);

    assertThat(row).containsExactly(0.25, 0.25, 0, 0.25, 0.25);
  }
}
