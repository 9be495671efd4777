package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class UmapTest {
  /** For 5 and 15 neighbours, means over so many seeds. */
  private static double[] trustworthiness(DistanceMatrix distances, int seeds) {
    double[] means = new double[2];
    for (int seed = 0; seed < seeds; seed++) {
      EmbeddingQuality quality =
          EmbeddingQuality.of(distances, Umap.defaults().withSeed(seed).embed(distances));
      means[0] += quality.trustworthiness(5) / seeds;
      means[1] += quality.trustworthiness(15) / seeds;
    }
    return means;
  }

  private static void assertAsTrustworthy(double[] means, double[] reference) {
    for (int n = 0; n < 2; n++) {
      assertThat(means[n]).isGreaterThanOrEqualTo(Tolerances.leastTrustworthiness(reference[n]));
    }
  }

  @Test
  void isAsTrustworthyAsUmapLearnOnTheReferenceMatrix() {
    // Families have 10 models, so that the other 5 of 15 neighbours depend on the seed, in
    // umap-learn by ±0.05.
    assertAsTrustworthy(
        trustworthiness(Golden.distances(), 5), GoldenFiles.matrix("umap_trustworthiness.npy")[0]);
  }

  @Test
  void isAsTrustworthyAsUmapLearnOn1018Models() {
    assertAsTrustworthy(
        trustworthiness(Golden.between(GoldenFiles.matrix("synthetic_1018.npy")), 1),
        GoldenFiles.matrix("umap_trustworthiness.npy")[1]);
  }

  @Test
  void bitsAreTheSameOnAnyNumberOfThreads() {
    DistanceMatrix distances = Golden.between(Golden.normal(300, 5, 3));
    Umap umap = Umap.defaults().withEpochs(50);
    double[][] expected = Threads.on(1, () -> umap.embed(distances).toArray());

    assertThat(Threads.on(2, () -> umap.embed(distances).toArray())).isDeepEqualTo(expected);
    assertThat(Threads.on(7, () -> umap.embed(distances).toArray())).isDeepEqualTo(expected);
  }

  @Test
  void anotherSeedIsAnotherMapAsGood() {
    DistanceMatrix distances = Golden.between(Golden.normal(100, 2, 4));

    Embedding one = Umap.defaults().embed(distances);
    Embedding other = Umap.defaults().withSeed(7).embed(distances);

    assertThat(one.toArray()).isNotEqualTo(other.toArray());
    assertThat(EmbeddingQuality.of(distances, one).trustworthiness(10)).isGreaterThan(0.95);
    assertThat(EmbeddingQuality.of(distances, other).trustworthiness(10)).isGreaterThan(0.95);
  }

  @Property(tries = 40)
  void anyFewModelsGetPoints(
      @ForAll @IntRange(min = 0, max = 20) int k, @ForAll boolean repeated, @ForAll long seed) {
    double[][] points = Golden.normal(k, 2, seed);
    if (repeated) {
      Arrays.setAll(points, i -> points[i / 2]);
    }

    Embedding map = Umap.defaults().withEpochs(20).embed(Golden.between(points));

    assertThat(map.size()).isEqualTo(k);
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(map.toArray()[i]).isNotEqualTo(map.toArray()[j]);
      }
    }
  }

  @Test
  void modelsThatAreAllAtOnePlaceGetPoints() {
    for (int k : new int[] {2, 3, 4, 50}) {
      Embedding map = Umap.defaults().embed(Golden.between(new double[k][1]));

      assertThat(map.size()).isEqualTo(k);
    }
  }

  @Test
  void oneModelIsAtTheOrigin() {
    assertThat(Umap.defaults().embed(Golden.between(new double[1][1])).toArray())
        .isDeepEqualTo(new double[][] {{0, 0}});
  }

  @Test
  void twoFamiliesAreTwoPartsInAnyUnit() {
    double[][] points = Golden.normal(40, 3, 6);
    for (int i = 0; i < 20; i++) {
      points[i][0] += 1e3;
    }
    for (double unit : new double[] {1, 1e-200, 1e200}) {
      DistanceMatrix distances = Golden.between(points).map(d -> d * unit);

      Embedding map = Umap.defaults().withNeighbours(10).embed(distances);

      assertThat(map.method()).endsWith(", 2 separate parts");
      NeighborGraph onMap = NeighborGraph.of(Golden.between(map.toArray()), 19);
      for (int i = 0; i < 40; i++) {
        assertThat(onMap.model(i, 18) / 20).isEqualTo(i / 20);
      }
    }
  }

  @Test
  void theMethodHasTheSettingsThatWereUsed() {
    assertThat(Umap.defaults().description())
        .isEqualTo(
            "UMAP, 15 neighbours, minimum distance 0.1, spread 1, epochs auto, 5 negative samples, seed 42");
    assertThat(
            Umap.defaults()
                .withSpread(2)
                .withMinDist(0.25)
                .withEpochs(30)
                .withNegativeSamples(3)
                .withSeed(-1)
                .embed(Golden.between(Golden.normal(10, 2, 1)))
                .method())
        .isEqualTo(
            "UMAP, 9 neighbours (asked for 15), minimum distance 0.25, spread 2, 30 epochs, 3 negative samples, seed -1");
    assertThat(Umap.defaults().embed(Golden.between(new double[2][1])).method())
        .startsWith("UMAP, 2 neighbours (asked for 15), ")
        .contains(", 500 epochs,");
  }

  @Test
  void settingsThatMakeNoSenseAreRefusedWithTheirValues() {
    Umap umap = Umap.defaults();

    assertThatThrownBy(() -> umap.withNeighbours(1)).hasMessageContaining("got 1");
    assertThatThrownBy(() -> umap.withMinDist(1.5))
        .hasMessageContaining("spread 1.0 and minimum distance 1.5");
    assertThatThrownBy(() -> umap.withMinDist(Double.NaN)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> umap.withMinDist(-0.1)).hasMessageContaining("-0.1");
    assertThatThrownBy(() -> umap.withSpread(0)).hasMessageContaining("spread 0.0");
    assertThatThrownBy(() -> umap.withSpread(Double.POSITIVE_INFINITY))
        .hasMessageContaining("Infinity");
    assertThatThrownBy(() -> umap.withEpochs(0)).hasMessageContaining("got 0");
    assertThatThrownBy(() -> umap.withNegativeSamples(0)).hasMessageContaining("got 0");
  }
}
