package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ClassicalMdsTest {
  @Test
  void euclideanDistancesGiveThePrincipalComponents() {
    CenteredMatrix q = Golden.centered();
    Pca pca = Pca.of(q);
    double[][] expected = pca.embedding(10).toArray();

    Embedding embedding = new ClassicalMds(10).embed(Golden.between(q));

    for (int i = 0; i < expected.length; i++) {
      assertThat(embedding.toArray()[i])
          .containsExactly(expected[i], within(Tolerances.golden(pca.singularValues()[0])));
    }
  }

  @Test
  void eigenvaluesOfEuclideanDistancesAreSquaredSingularValues() {
    CenteredMatrix q = Golden.centered();
    double[] s = GoldenFiles.vector("pca_singular_values.npy");

    assertThat(ClassicalMds.eigenvalues(Golden.between(q)))
        .containsExactly(Arrays.stream(s).map(v -> v * v).toArray(), within(1e-10 * s[0] * s[0]));
  }

  @Property(tries = 60)
  void planarPointsAreRecoveredUpToRotation(
      @ForAll @IntRange(min = 2, max = 25) int k, @ForAll long seed) {
    DistanceMatrix distances = Golden.between(Golden.normal(k, 2, seed));

    DistanceMatrix recovered = Golden.between(new ClassicalMds(2).embed(distances).toArray());

    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(recovered.get(i, j)).isCloseTo(distances.get(i, j), within(1e-7));
      }
    }
  }

  @Property(tries = 20)
  void theUnitOfTheDistancesIsTheUnitOfThePoints(
      @ForAll @IntRange(min = -60, max = 60) int exponent, @ForAll long seed) {
    DistanceMatrix distances = Golden.between(Golden.normal(9, 3, seed));
    double scale = Math.pow(10, exponent);

    double[][] scaled = new ClassicalMds(3).embed(distances.map(d -> scale * d)).toArray();

    double[][] expected = new ClassicalMds(3).embed(distances).toArray();
    for (int i = 0; i < 9; i++) {
      double[] unscaled = Arrays.stream(scaled[i]).map(c -> c / scale).toArray();
      assertThat(unscaled).containsExactly(expected[i], within(1e-10));
    }
  }

  @Test
  void whatIsNotEuclideanIsReportedAndHasNoAxis() {
    // A claw: three leaves at 2 from each other and at 1 from the middle. Its eigenvalues are
    // 2, 2, 0 and −1/4.
    double[][] claw = {{0, 1, 1, 1}, {1, 0, 2, 2}, {1, 2, 0, 2}, {1, 2, 2, 0}};
    DistanceMatrix distances = DistanceMatrix.of(Golden.names(4), claw);

    assertThat(ClassicalMds.eigenvalues(distances))
        .containsExactly(new double[] {2, 2, 0, -0.25}, within(1e-12));
    Embedding embedding = new ClassicalMds(4).embed(distances);
    assertThat(embedding.method())
        .isEqualTo("classical MDS, 4 dimensions, 99.2 % of the eigenvalues' sum of squares");
    for (int i = 0; i < 4; i++) {
      assertThat(embedding.get(i, 2)).isZero();
      assertThat(embedding.get(i, 3)).isZero();
    }
  }

  @Test
  void identicalModelsAreAtOnePoint() {
    double[][] zero = new double[5][5];

    Embedding embedding = new ClassicalMds(2).embed(DistanceMatrix.of(Golden.names(5), zero));

    assertThat(embedding.toArray()).isDeepEqualTo(new double[5][2]);
  }

  @Test
  void noneOneAndTwoModelsHaveAPlace() {
    ClassicalMds mds = new ClassicalMds(2);
    double[][] two = {{0, 3}, {3, 0}};

    assertThat(mds.embed(DistanceMatrix.of(List.of(), new double[0][])).size()).isZero();
    assertThat(mds.embed(DistanceMatrix.of(List.of("a"), new double[1][1])).toArray())
        .isDeepEqualTo(new double[1][2]);
    double[][] points = mds.embed(DistanceMatrix.of(List.of("a", "b"), two)).toArray();
    assertThat(points[0]).containsExactly(new double[] {1.5, 0}, within(1e-12));
    assertThat(points[1]).containsExactly(new double[] {-1.5, 0}, within(1e-12));
  }

  @Test
  void distancesTooLargeToSquareAreRefused() {
    double[][] huge = {{0, 1e200}, {1e200, 0}};
    DistanceMatrix distances = DistanceMatrix.of(List.of("a", "b"), huge);

    assertThatThrownBy(() -> new ClassicalMds(2).embed(distances))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the largest distance, 1.0E200, is too large to be squared");
  }

  @Test
  void noDimensionIsRefused() {
    assertThatThrownBy(() -> new ClassicalMds(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("dimensions must be at least 1, got 0");
  }
}
