package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class FuzzySetTest {
  private static FuzzySet of(DistanceMatrix distances, int neighbours) {
    return FuzzySet.of(NeighborGraph.of(distances, neighbours - 1));
  }

  private static double[][] dense(FuzzySet set) {
    double[][] weights = new double[set.size()][set.size()];
    for (int i = 0; i < set.size(); i++) {
      for (int e = set.start(i); e < set.start(i + 1); e++) {
        weights[i][set.target(e)] = set.weight(e);
      }
    }
    return weights;
  }

  @Test
  void weightsOfTenPointsAreThoseOfTheDefinition() {
    double[][] points = GoldenFiles.matrix("umap_ten_points.npy");
    double[][] expected = GoldenFiles.matrix("umap_ten_weights.npy");

    double[][] weights = dense(of(Golden.between(points), 5));

    for (int i = 0; i < 10; i++) {
      for (int j = 0; j < 10; j++) {
        assertThat(weights[i][j]).isCloseTo(expected[i][j], within(Tolerances.fuzzyWeight()));
      }
    }
  }

  @Property(tries = 50)
  void weightsAreSymmetricWithoutLoopsAndOneForTheNearest(
      @ForAll @IntRange(min = 3, max = 40) int k, @ForAll long seed) {
    DistanceMatrix distances = Golden.between(Golden.normal(k, 3, seed));
    NeighborGraph neighbours = NeighborGraph.of(distances, Math.min(k - 1, 6));
    double[][] weights = dense(FuzzySet.of(neighbours));

    for (int i = 0; i < k; i++) {
      assertThat(weights[i][i]).isZero();
      assertThat(weights[i][neighbours.model(i, 0)]).isEqualTo(1);
      for (int j = 0; j < k; j++) {
        assertThat(weights[i][j]).isEqualTo(weights[j][i]).isBetween(0.0, 1.0);
      }
    }
  }

  @Property(tries = 50)
  void theUnitOfTheDistancesDoesNotMatter(
      @ForAll long seed, @ForAll @IntRange(min = -100, max = 100) int exponent) {
    double factor = Math.pow(10, exponent);
    DistanceMatrix distances = Golden.between(Golden.normal(30, 4, seed));

    double[][] weights = dense(of(distances, 10));
    double[][] scaled = dense(of(distances.map(d -> factor * d), 10));

    for (int i = 0; i < 30; i++) {
      for (int j = 0; j < 30; j++) {
        assertThat(scaled[i][j]).isCloseTo(weights[i][j], within(Tolerances.fuzzyWeight()));
      }
    }
  }

  @Property(tries = 20)
  void permutingModelsPermutesWeights(@ForAll long seed) {
    double[][] points = Golden.normal(25, 4, seed);
    double[][] reversed = new double[25][];
    Arrays.setAll(reversed, i -> points[24 - i]);

    double[][] weights = dense(of(Golden.between(points), 8));
    double[][] permuted = dense(of(Golden.between(reversed), 8));

    for (int i = 0; i < 25; i++) {
      for (int j = 0; j < 25; j++) {
        assertThat(permuted[24 - i][24 - j])
            .isCloseTo(weights[i][j], within(Tolerances.fuzzyWeight()));
      }
    }
  }

  @Test
  void modelsAtOnePlaceAreFullMembersOfEachOther() {
    FuzzySet set = of(Golden.between(new double[6][2]), 4);

    for (int e = 0; e < set.edges(); e++) {
      assertThat(set.weight(e)).isEqualTo(1);
    }
    assertThat(set.components()).containsOnly(0);
  }

  @Test
  void pruningDropsTheLightEdgesOnly() {
    FuzzySet set = of(Golden.between(Golden.normal(40, 3, 5)), 12);
    double[][] weights = dense(set);

    double[][] kept = dense(set.prune(0.3));

    for (int i = 0; i < 40; i++) {
      for (int j = 0; j < 40; j++) {
        assertThat(kept[i][j]).isEqualTo(weights[i][j] >= 0.3 ? weights[i][j] : 0);
      }
    }
  }

  @Test
  void componentsAreNumberedByTheirFirstModel() {
    double[][] points = {{0}, {100}, {1}, {101}, {2}, {200}, {201}, {102}, {202}};

    assertThat(of(Golden.between(points), 3).components())
        .containsExactly(0, 1, 0, 1, 0, 2, 2, 1, 2);
  }

  @Test
  void bitsAreTheSameOnAnyNumberOfThreads() {
    DistanceMatrix distances = Golden.between(Golden.normal(300, 5, 2));
    double[][] expected = Threads.on(1, () -> dense(of(distances, 15)));

    assertThat(Threads.on(2, () -> dense(of(distances, 15)))).isDeepEqualTo(expected);
    assertThat(Threads.on(7, () -> dense(of(distances, 15)))).isDeepEqualTo(expected);
  }
}
