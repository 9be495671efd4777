package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class NeighborAffinitiesTest {
  @Test
  void withAllModelsForNeighboursTheyAreTheAffinitiesOfAllPairs() {
    DistanceMatrix distances = Golden.distances();
    Affinities all = Affinities.of(distances, Tsne.Metric.EUCLIDEAN, 20);

    NeighborAffinities near = NeighborAffinities.of(distances, Tsne.Metric.EUCLIDEAN, 20);

    assertThat(near.neighbors()).isEqualTo(59);
    double[][] values = toArray(near);
    for (int i = 0; i < 60; i++) {
      for (int j = 0; j < 60; j++) {
        assertThat(values[i][j]).isCloseTo(all.get(i, j), within(1e-11));
      }
    }
  }

  @Test
  void aRowSeesItsNearestThreeForEachOfThePerplexityAndOneMore() {
    DistanceMatrix distances = Golden.between(Golden.normal(70, 3, 9));
    double[][] expected = new double[70][70];
    for (int i = 0; i < 70; i++) {
      int model = i;
      double[] sorted = Arrays.stream(distances.toArray()[i]).sorted().toArray();
      // The model itself comes first.
      double farthest = sorted[14];
      double[] row =
          ReferenceTsne.conditional(
              j -> j != model && distances.get(model, j) <= farthest, distances.toArray()[i], 4.5);
      for (int j = 0; j < 70; j++) {
        expected[i][j] += row[j] / 140;
        expected[j][i] += row[j] / 140;
      }
    }

    NeighborAffinities near = NeighborAffinities.of(distances, Tsne.Metric.EUCLIDEAN, 4.5);

    assertThat(near.neighbors()).isEqualTo(14);
    double[][] values = toArray(near);
    for (int i = 0; i < 70; i++) {
      assertThat(values[i]).containsExactly(expected[i], within(1e-11));
    }
  }

  @Property(tries = 300)
  void theyAreASymmetricProbability(
      @ForAll @IntRange(min = 2, max = 40) int k,
      @ForAll @DoubleRange(min = 0, max = 1) double share,
      @ForAll long seed) {
    double[][] points = Golden.normal(k, 2, seed);
    for (int i = 1; i < k; i += 2) {
      points[i] = points[i / 2].clone();
    }

    NeighborAffinities near =
        NeighborAffinities.of(
            Golden.between(points), Tsne.Metric.EUCLIDEAN, 1 + share * (k - 2) / 3.0);

    double[][] values = toArray(near);
    double sum = 0;
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        assertThat(values[i][j]).isBetween(0.0, 1.0).isEqualTo(values[j][i]);
        sum += values[i][j];
      }
      assertThat(values[i][i]).isZero();
    }
    assertThat(sum).isCloseTo(1, within(1e-12));
  }

  private static double[][] toArray(NeighborAffinities near) {
    double[][] values = new double[near.size()][near.size()];
    for (int i = 0; i < near.size(); i++) {
      for (int entry = near.start(i); entry < near.start(i + 1); entry++) {
        assertThat(values[i][near.model(entry)]).as("entry %s twice", entry).isZero();
        values[i][near.model(entry)] = near.value(entry);
      }
    }
    return values;
  }
}
