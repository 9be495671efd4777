package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.GoldenFiles;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class EmbeddingQualityTest {
  private static Embedding map(double[][] points) {
    return Embedding.of(Golden.names(points.length), points, "test");
  }

  private static EmbeddingQuality of(double[][] points, double[][] onMap) {
    return EmbeddingQuality.of(Golden.between(points), map(onMap));
  }

  @Test
  void numbersAreThoseOfScikitLearnAndScipy() {
    double[] expected = GoldenFiles.vector("quality.npy");
    int[] neighbours = {5, 12, 29};

    EmbeddingQuality quality =
        EmbeddingQuality.of(Golden.distances(), map(GoldenFiles.matrix("quality_map.npy")));

    for (int n = 0; n < 3; n++) {
      int k = neighbours[n];
      assertThat(quality.trustworthiness(k)).isCloseTo(expected[n], within(1e-12));
      assertThat(quality.continuity(k)).isCloseTo(expected[3 + n], within(1e-12));
      assertThat(quality.neighbourOverlap(k)).isCloseTo(expected[6 + n], within(1e-12));
    }
    assertThat(quality.shepardCorrelation()).isCloseTo(expected[9], within(1e-12));
  }

  @Property(tries = 30)
  void aMapThatKeepsTheOrderOfDistancesIsPerfect(
      @ForAll @IntRange(min = 5, max = 40) int models, @ForAll long seed) {
    double[][] points = Golden.normal(models, 2, seed);
    EmbeddingQuality quality =
        EmbeddingQuality.of(Golden.between(points).map(d -> Math.exp(d) - 1), map(points));

    int k = (models - 1) / 2;
    assertThat(quality.trustworthiness(k)).isEqualTo(1);
    assertThat(quality.continuity(k)).isEqualTo(1);
    assertThat(quality.neighbourOverlap(k)).isEqualTo(1);
    assertThat(quality.shepardCorrelation()).isCloseTo(1, within(1e-12));
  }

  @Property(tries = 30)
  void distancesAndMapChangePlacesInTheirTwoMeasures(@ForAll long seed) {
    double[][] points = Golden.normal(31, 2, seed);
    double[][] other = Golden.normal(31, 2, seed + 1);

    assertThat(of(points, other).continuity(7)).isEqualTo(of(other, points).trustworthiness(7));
    assertThat(of(points, other).neighbourOverlap(7))
        .isEqualTo(of(other, points).neighbourOverlap(7));
    assertThat(of(points, other).shepardCorrelation())
        .isCloseTo(of(other, points).shepardCorrelation(), within(1e-12));
  }

  @Property(tries = 30)
  void theOrderOfModelsDoesNotMatter(@ForAll long seed) {
    double[][] points = Golden.normal(30, 3, seed);
    double[][] onMap = Golden.normal(30, 2, seed + 1);
    double[][] reversedPoints = new double[30][];
    double[][] reversedMap = new double[30][];
    for (int i = 0; i < 30; i++) {
      reversedPoints[i] = points[29 - i];
      reversedMap[i] = onMap[29 - i];
    }
    EmbeddingQuality quality = of(points, onMap);
    EmbeddingQuality reversed = of(reversedPoints, reversedMap);

    assertThat(reversed.trustworthiness(4)).isEqualTo(quality.trustworthiness(4));
    assertThat(reversed.continuity(4)).isEqualTo(quality.continuity(4));
    assertThat(reversed.neighbourOverlap(4)).isEqualTo(quality.neighbourOverlap(4));
    assertThat(reversed.shepardCorrelation())
        .isCloseTo(quality.shepardCorrelation(), within(1e-12));
  }

  @Test
  void theWorstMapHasTrustworthinessZero() {
    // On the map the nearest model is the farthest by distance, for each of the four.
    double[][] distances = {{0, 1, 2, 9}, {1, 0, 9, 2}, {2, 9, 0, 1}, {9, 2, 1, 0}};
    double[][] onMap = {{0}, {10}, {11}, {1}};

    EmbeddingQuality quality =
        EmbeddingQuality.of(DistanceMatrix.of(Golden.names(4), distances), map(onMap));

    assertThat(quality.trustworthiness(1)).isEqualTo(0);
    assertThat(quality.neighbourOverlap(1)).isEqualTo(0);
  }

  @Test
  void equalDistancesShareTheirMeanRank() {
    double[][] distances = {{0, 1, 1}, {1, 0, 2}, {1, 2, 0}};
    double[][] onMap = {{0}, {1}, {3}};

    // Ranks 1.5, 1.5, 3 of the pairs (1,0), (2,0), (2,1) against 1, 3, 2: no covariance.
    assertThat(
            EmbeddingQuality.of(DistanceMatrix.of(Golden.names(3), distances), map(onMap))
                .shepardCorrelation())
        .isCloseTo(0, within(1e-15));
  }

  @Test
  void bitsAreTheSameOnAnyNumberOfThreads() {
    EmbeddingQuality quality = of(Golden.normal(400, 5, 1), Golden.normal(400, 2, 2));
    double[] expected = Threads.on(1, () -> all(quality));

    assertThat(Threads.on(2, () -> all(quality))).containsExactly(expected);
    assertThat(Threads.on(7, () -> all(quality))).containsExactly(expected);
  }

  private static double[] all(EmbeddingQuality quality) {
    return new double[] {
      quality.trustworthiness(12),
      quality.continuity(12),
      quality.neighbourOverlap(12),
      quality.shepardCorrelation()
    };
  }

  @Test
  void ranksCountEqualDistancesInTheOrderOfTheRow() {
    double[] row = {3, 0, 1, 3, 1, 7};
    int[] ranks = new int[6];

    new NeighborRanks(6).of(row, 1, ranks);

    assertThat(ranks).containsExactly(3, 0, 1, 4, 2, 5);
  }

  @Test
  void whatCannotBeMeasuredIsRefusedWithItsValues() {
    EmbeddingQuality quality = of(Golden.normal(10, 3, 1), Golden.normal(10, 2, 1));

    assertThatThrownBy(() -> quality.trustworthiness(5))
        .hasMessage("neighbours must be at least 1 and less than half of the 10 models, got 5");
    assertThatThrownBy(() -> quality.continuity(0)).hasMessageContaining("got 0");
    assertThatThrownBy(() -> quality.neighbourOverlap(10))
        .hasMessage("each of 10 models has 9 others, asked for 10 neighbours");
    assertThatThrownBy(() -> of(new double[3][1], Golden.normal(3, 2, 1)).shepardCorrelation())
        .hasMessageContaining("the 3 pairs are all equally far by distance");
    assertThatThrownBy(() -> of(Golden.normal(3, 2, 1), new double[3][2]).shepardCorrelation())
        .hasMessageContaining("on the map");
    assertThatThrownBy(() -> of(Golden.normal(3, 2, 1), Golden.normal(4, 2, 1)))
        .hasMessage("3 models have distances but 4 are on the map");
    Embedding renamed = Embedding.of(List.of("m0", "x"), new double[2][2], "test");
    assertThatThrownBy(() -> EmbeddingQuality.of(Golden.between(new double[2][1]), renamed))
        .hasMessage("model 1 is \"m1\" in the distances but \"x\" on the map");
  }
}
