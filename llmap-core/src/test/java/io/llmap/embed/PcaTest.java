package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PcaTest {
  @Test
  void singularValuesAreThoseOfNumpy() {
    double[] expected = GoldenFiles.vector("pca_singular_values.npy");

    assertThat(Pca.of(Golden.centered()).singularValues())
        .containsExactly(expected, within(Tolerances.golden(expected[0])));
  }

  @Test
  void explainedVarianceIsThatOfNumpy() {
    double[] ratios = Pca.of(Golden.centered()).explainedVarianceRatios();

    assertThat(Arrays.copyOf(ratios, 10))
        .containsExactly(
            GoldenFiles.numbers("explained_variance_ratio_10"), within(Tolerances.golden(1)));
  }

  @Test
  void coordinatesAreThoseOfNumpyUpToSign() {
    double[][] expected = GoldenFiles.matrix("pca_abs_coordinates_10.npy");
    double largest = GoldenFiles.vector("pca_singular_values.npy")[0];

    Embedding embedding = Pca.of(Golden.centered()).embedding(10);

    for (int i = 0; i < expected.length; i++) {
      for (int d = 0; d < 10; d++) {
        assertThat(Math.abs(embedding.get(i, d)))
            .isCloseTo(expected[i][d], within(Tolerances.golden(largest)));
      }
    }
  }

  @Test
  void theLargestCoordinateOfAnAxisIsPositive() {
    Embedding embedding = Pca.of(Golden.centered()).embedding(10);

    for (int d = 0; d < 10; d++) {
      double[] axis = column(embedding, d);
      double max = Arrays.stream(axis).max().orElseThrow();
      double min = Arrays.stream(axis).min().orElseThrow();
      assertThat(max).isGreaterThanOrEqualTo(-min * (1 - 1e-9));
    }
  }

  @Property(tries = 60)
  void theAxesOfAnyMatrixAreItsPrincipalComponents(
      @ForAll @IntRange(min = 1, max = 12) int k,
      @ForAll @IntRange(min = 1, max = 12) int n,
      @ForAll @IntRange(min = 1, max = 4) int factors,
      @ForAll long seed) {
    // A product of thin factors, so that rank is often below both K and N.
    CenteredMatrix q =
        Golden.unclipped(
            product(Golden.normal(k, factors, seed), Golden.normal(factors, n, ~seed)));
    Pca pca = Pca.of(q);
    double[] s = pca.singularValues();
    Embedding embedding = pca.embedding(12);

    double squares = 0;
    for (int i = 0; i < k; i++) {
      squares += Arrays.stream(q.row(i)).map(v -> v * v).sum();
    }
    double tolerance = 1e-10 * Math.max(squares, 1e-20);
    assertThat(s).hasSize(Math.min(k, n));
    assertThat(Arrays.stream(s).map(v -> v * v).sum()).isCloseTo(squares, within(tolerance));
    for (int d = 0; d < 12; d++) {
      for (int e = 0; e <= d; e++) {
        double expected = d == e && d < s.length ? s[d] * s[d] : 0;
        assertThat(dot(column(embedding, d), column(embedding, e)))
            .isCloseTo(expected, within(tolerance));
      }
      if (d > 0 && d < s.length) {
        assertThat(s[d]).isBetween(0.0, s[d - 1]);
      }
    }
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        // All components together keep every inner product of rows.
        assertThat(dot(embedding.toArray()[i], embedding.toArray()[j]))
            .isCloseTo(dot(q.row(i), q.row(j)), within(tolerance));
      }
    }
  }

  @Test
  void oneModelIsAtTheOriginAndExplainsNothing() {
    Pca pca = Pca.of(Golden.unclipped(new double[][] {{-3, -1, -2}}));

    assertThat(pca.embedding(2).toArray()).isDeepEqualTo(new double[][] {{0, 0}});
    assertThat(pca.singularValues()).containsExactly(0);
    assertThat(pca.explainedVarianceRatios()).containsExactly(0);
  }

  @Test
  void twoModelsAreOppositeAndTheFirstIsPositive() {
    // Rows (−1, 1, 0) and (1, −1, 0) after centring, √2 from the origin.
    Pca pca = Pca.of(Golden.unclipped(new double[][] {{-3, -1, -2}, {-1, -3, -2}}));

    Embedding embedding = pca.embedding(2);
    assertThat(embedding.get(0, 0)).isCloseTo(Math.sqrt(2), within(1e-12));
    assertThat(embedding.get(1, 0)).isCloseTo(-Math.sqrt(2), within(1e-12));
    assertThat(column(embedding, 1)).containsExactly(0, 0);
    assertThat(pca.singularValues()).containsExactly(new double[] {2, 0}, within(1e-12));
  }

  @Test
  void rankIsLostToCenteringAndReportedAsZero() {
    double[] s = Pca.of(Golden.centered()).singularValues();

    assertThat(s[58]).isPositive();
    assertThat(s[59]).isZero();
  }

  @Test
  void theSameMatrixGivesTheSameBits() {
    assertThat(Pca.of(Golden.centered()).embedding(60).toArray())
        .isDeepEqualTo(Pca.of(Golden.centered()).embedding(60).toArray());
  }

  @Test
  void theMethodLineSaysHowMuchIsShown() {
    assertThat(Pca.of(Golden.centered()).embedding(2).method())
        .isEqualTo("PCA, 2 dimensions, 39.1 % of the variance");
  }

  @Test
  void noDimensionIsRefused() {
    Pca pca = Pca.of(Golden.centered());

    assertThatThrownBy(() -> pca.embedding(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("dimensions must be at least 1, got 0");
  }

  private static double[][] product(double[][] a, double[][] b) {
    double[][] c = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < b[0].length; j++) {
        for (int l = 0; l < b.length; l++) {
          c[i][j] += a[i][l] * b[l][j];
        }
      }
    }
    return c;
  }

  private static double[] column(Embedding embedding, int axis) {
    double[] column = new double[embedding.size()];
    Arrays.setAll(column, i -> embedding.get(i, axis));
    return column;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
