package io.llmap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.distance.Neighbours;
import io.llmap.embed.ClassicalMds;
import io.llmap.embed.Embedding;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.GoldenFiles;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelMapTest {
  /** Six families of ten; model 3 has outliers that clipping has to tame. */
  @Test
  void familiesAreFoundAmongTheNearestAndOnTheMap() {
    ModelMap map = ModelMap.of(GoldenFiles.logLikelihoods());
    DistanceMatrix kl = map.distances().in(KlUnit.BITS_PER_BYTE);
    int pure = 0;
    int pureOnMap = 0;
    for (int i = 0; i < 60; i++) {
      int model = i;
      pure +=
          Neighbours.of(kl, i, 5).stream().allMatch(near -> near.index() / 10 == model / 10)
              ? 1
              : 0;
      pureOnMap += nearestOnMap(map.embedding(), i, 5).allMatch(j -> j / 10 == model / 10) ? 1 : 0;
    }

    assertThat(pure).isGreaterThanOrEqualTo(59);
    assertThat(pureOnMap).isGreaterThanOrEqualTo(57);
  }

  private static IntStream nearestOnMap(Embedding map, int i, int count) {
    return IntStream.range(0, map.names().size())
        .filter(j -> j != i)
        .boxed()
        .sorted(
            Comparator.comparingDouble(
                j -> Math.hypot(map.get(i, 0) - map.get(j, 0), map.get(i, 1) - map.get(j, 1))))
        .limit(count)
        .mapToInt(Integer::intValue);
  }

  @Test
  void theMapHoldsWhatItWasMadeFromAndWithWhichSettings() {
    LogLikelihoodMatrix matrix = GoldenFiles.logLikelihoods();
    ModelMap map = ModelMap.builder(matrix).clip(0.1).embedding(new ClassicalMds(3)).build();

    assertThat(map.matrix()).isSameAs(matrix);
    assertThat(map.coordinates().clipping()).isEqualTo(Clipping.atQuantile(matrix, 0.1));
    assertThat(map.distances().squaredEuclidean().names()).isEqualTo(matrix.names());
    assertThat(map.embedding().names()).isEqualTo(matrix.names());
    assertThat(map.embedding().method())
        .isEqualTo(new ClassicalMds(3).embed(map.distances().euclidean()).method());
    assertThat(ModelMap.of(matrix).coordinates().clipping().quantile()).isEqualTo(0.02);
  }

  @Test
  void theSameMatrixGivesTheSameBits() {
    LogLikelihoodMatrix matrix = GoldenFiles.logLikelihoods();
    Embedding a = ModelMap.of(matrix).embedding();
    Embedding b = ModelMap.of(matrix).embedding();
    for (int i = 0; i < 60; i++) {
      assertThat(b.get(i, 0)).isEqualTo(a.get(i, 0));
      assertThat(b.get(i, 1)).isEqualTo(a.get(i, 1));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 7})
  void aFewModelsAreEnough(int k) {
    ModelMap map = ModelMap.of(matrix(k, 5));

    for (int i = 0; i < k; i++) {
      assertThat(map.embedding().get(i, 0)).isFinite();
      assertThat(map.embedding().get(i, 1)).isFinite();
    }
  }

  @Test
  void fewerThanTwoModelsOrTextsAreNoMap() {
    assertThatThrownBy(() -> ModelMap.of(matrix(1, 5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a map needs at least two models and two texts, got 1 and 5");
    assertThatThrownBy(() -> ModelMap.of(matrix(5, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a map needs at least two models and two texts, got 5 and 1");
  }

  @Test
  void otherDistancesReplaceThePapersInTheMap() {
    LogLikelihoodMatrix matrix = matrix(5, 40);
    int[] half = IntStream.range(0, 20).toArray();
    KlDistances other = KlDistances.of(CenteredMatrix.of(matrix.selectTexts(half), Clipping.NONE));
    ModelMap map = ModelMap.builder(matrix).distances(other).embedding(new ClassicalMds(2)).build();

    assertThat(map.distances()).isSameAs(other);
    assertThat(map.embedding().toArray())
        .isDeepEqualTo(new ClassicalMds(2).embed(other.euclidean()).toArray());
    assertThatThrownBy(() -> ModelMap.builder(matrix(4, 40)).distances(other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(matrix.names().toString());
  }

  @Test
  void aClippingQuantileOutOfRangeIsRefused() {
    ModelMap.Builder builder = ModelMap.builder(matrix(3, 4)).clip(1);
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the clipping quantile must be in [0, 1), got 1.0");
  }

  private static LogLikelihoodMatrix matrix(int k, int n) {
    LogLikelihoodMatrix golden = GoldenFiles.logLikelihoods();
    List<String> names = golden.names().subList(0, k);
    double[][] rows = IntStream.range(0, k).mapToObj(golden::row).toArray(double[][]::new);
    int[] bytes = new int[golden.texts()];
    Arrays.setAll(bytes, golden::textBytes);
    return LogLikelihoodMatrix.of(names, golden.textIds(), bytes, rows)
        .selectTexts(IntStream.range(0, n).toArray());
  }
}
