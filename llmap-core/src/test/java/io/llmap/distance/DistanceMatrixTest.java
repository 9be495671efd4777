package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DistanceMatrixTest {
  private static final List<String> NAMES = List.of("a", "b", "c");

  @Test
  void packedAndFullFormsAgree() {
    double[][] full = {{0, 1, 2}, {1, 0, 3}, {2, 3, 0}};
    DistanceMatrix fromFull = DistanceMatrix.of(NAMES, full);
    DistanceMatrix packed = DistanceMatrix.wrap(NAMES, new double[] {1, 2, 3});
    assertThat(fromFull.toArray()).isDeepEqualTo(full);
    assertThat(packed.toArray()).isDeepEqualTo(full);
    assertThat(packed.map(d -> 2 * d).get(2, 1)).isEqualTo(6);
  }

  @Test
  void oneModelHasNoPairs() {
    assertThat(DistanceMatrix.wrap(List.of("a"), new double[0]).get(0, 0)).isZero();
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1e-300, Double.NaN, Double.POSITIVE_INFINITY})
  void anImpossibleDistanceNamesItsPair(double bad) {
    assertThatThrownBy(() -> DistanceMatrix.wrap(NAMES, new double[] {1, 2, bad}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the distance of \"c\" and \"b\" is " + bad);
  }

  @Test
  void badShapesAndNamesAreRefused() {
    assertThatThrownBy(() -> DistanceMatrix.wrap(NAMES, new double[2]))
        .hasMessage("3 models have 3 pairs, got 2");
    assertThatThrownBy(() -> DistanceMatrix.wrap(List.of("a", "b", "a"), new double[3]))
        .hasMessage("two models are named \"a\"");
    assertThatThrownBy(
            () -> DistanceMatrix.of(NAMES, new double[][] {{0, 1, 2}, {1.1, 0, 3}, {2, 3, 0}}))
        .hasMessageContaining("not symmetric: (1,0) is 1.1 but (0,1) is 1.0");
    assertThatThrownBy(
            () -> DistanceMatrix.of(NAMES, new double[][] {{0, 1, 2}, {1, 5, 3}, {2, 3, 0}}))
        .hasMessage("the distance of \"b\" to itself is 5.0");
  }

  @Test
  void pointsHaveTheirEuclideanDistances() {
    DistanceMatrix distances =
        DistanceMatrix.euclidean(NAMES, new double[][] {{1e9, 2}, {1e9 + 3, 6}, {1e9, 2}});

    assertThat(distances.toArray()).isDeepEqualTo(new double[][] {{0, 5, 0}, {5, 0, 5}, {0, 5, 0}});
  }

  @Test
  void badPointsAreRefused() {
    assertThatThrownBy(() -> DistanceMatrix.euclidean(NAMES, new double[2][2]))
        .hasMessage("3 names but 2 points");
    assertThatThrownBy(() -> DistanceMatrix.euclidean(NAMES, new double[][] {{1, 2}, {1, 2}, {1}}))
        .hasMessage("point 2 has 1 coordinates, point 0 has 2");
    assertThatThrownBy(
            () -> DistanceMatrix.euclidean(NAMES, new double[][] {{1}, {2}, {Double.NaN}}))
        .hasMessage("the distance of \"c\" and \"a\" is NaN");
    assertThatThrownBy(() -> DistanceMatrix.euclidean(NAMES, new double[][] {{1}, {1e200}, {2}}))
        .hasMessageStartingWith("the distance of \"b\" and \"a\" is ");
  }

  @Test
  void theFirstImpossibleDistanceOfManyIsNamed() {
    int k = 700;
    double[] triangle = new double[k * (k - 1) / 2];
    triangle[650 * 649 / 2 + 17] = -1;
    triangle[690 * 689 / 2 + 3] = -2;
    List<String> names = IntStream.range(0, k).mapToObj(i -> "m" + i).toList();

    assertThatThrownBy(() -> DistanceMatrix.wrap(names, triangle))
        .hasMessage("the distance of \"m650\" and \"m17\" is -1.0");
  }
}
