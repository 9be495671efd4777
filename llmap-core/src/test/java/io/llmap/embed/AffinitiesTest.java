package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AffinitiesTest {
  @ParameterizedTest
  @ValueSource(doubles = {5, 15})
  void affinitiesAreThoseOfTheReference(double perplexity) {
    DistanceMatrix distances = Golden.distances();
    double[][] expected = ReferenceTsne.affinities(distances, perplexity);

    Affinities affinities = Affinities.of(distances, Tsne.Metric.EUCLIDEAN, perplexity);

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
      @ForAll @IntRange(min = -290, max = 290) int exponent,
      @ForAll long seed) {
    double[][] points = Golden.normal(k, 2, seed);
    for (int i = 0; i < k; i++) {
      // Every second model repeats another one, or nearly so.
      points[i] = i % 2 == 1 ? points[i / 2].clone() : points[i];
      points[i][0] += i % 4 == 3 ? 1e-9 : 0;
    }
    double scale = Math.pow(10, exponent);
    DistanceMatrix distances = Golden.between(points).map(d -> scale * d);

    Affinities affinities =
        Affinities.of(distances, Tsne.Metric.SQUARED_EUCLIDEAN, 1 + share * (k - 2));

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
  void panelsHoldEveryPairOfManyModels() {
    DistanceMatrix distances = Golden.between(Golden.normal(150, 4, 5));
    double[][] expected = ReferenceTsne.affinities(distances, 12);

    Affinities affinities = Affinities.of(distances, Tsne.Metric.EUCLIDEAN, 12);

    for (int i = 0; i < 150; i++) {
      for (int j = 0; j < 150; j++) {
        assertThat(affinities.get(i, j)).isCloseTo(expected[i][j], within(1e-11));
      }
    }
  }

  @Test
  void fourthPowersAreTheSquaresOfSquares() {
    DistanceMatrix distances = Golden.distances();

    Affinities affinities = Affinities.of(distances, Tsne.Metric.SQUARED_EUCLIDEAN, 9);

    double[][] expected = ReferenceTsne.affinities(distances.map(d -> d * d), 9);
    for (int i = 0; i < 60; i++) {
      for (int j = 0; j < 60; j++) {
        assertThat(affinities.get(i, j)).isCloseTo(expected[i][j], within(1e-11));
      }
    }
  }
}
