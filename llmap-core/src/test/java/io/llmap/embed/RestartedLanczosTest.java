package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;
import org.junit.jupiter.api.Test;

class RestartedLanczosTest {
  private static NormalizedAdjacency graph(double[][] points, int neighbours) {
    FuzzySet set = FuzzySet.of(NeighborGraph.of(Golden.between(points), neighbours - 1));
    assertThat(set.components()).as("this test needs one component").containsOnly(0);
    return NormalizedAdjacency.of(set, IntStream.range(0, points.length).toArray());
  }

  /** All eigenpairs of a dense copy, larger eigenvalues first. */
  private static double[][] dense(NormalizedAdjacency matrix) {
    int k = matrix.size();
    DMatrixRMaj copy = new DMatrixRMaj(k, k);
    for (int j = 0; j < k; j++) {
      double[] unit = new double[k];
      unit[j] = 1;
      double[] column = matrix.times(unit);
      for (int i = 0; i < k; i++) {
        copy.set(i, j, column[i]);
      }
    }
    EigenDecomposition_F64<DMatrixRMaj> solver = DecompositionFactory_DDRM.eig(k, true, true);
    assertThat(solver.decompose(copy)).isTrue();
    return IntStream.range(0, k)
        .boxed()
        .sorted(
            (a, b) -> Double.compare(solver.getEigenvalue(b).real, solver.getEigenvalue(a).real))
        .map(d -> solver.getEigenVector(d).data)
        .toArray(double[][]::new);
  }

  private static void assertSameUpToSign(double[] actual, double[] expected) {
    double dot = 0;
    for (int i = 0; i < actual.length; i++) {
      dot += actual[i] * expected[i];
    }
    assertThat(Math.abs(dot)).isCloseTo(1, within(1e-9));
  }

  @Test
  void aSmallGraphHasTheEigenvectorsOfADenseSolver() {
    for (int k : new int[] {4, 5, 12, 40}) {
      NormalizedAdjacency matrix = graph(Golden.normal(k, 3, k), Math.min(k, 12));
      double[][] expected = dense(matrix);

      double[][] found = RestartedLanczos.afterStationary(matrix);

      assertSameUpToSign(matrix.stationary(), expected[0]);
      assertSameUpToSign(found[0], expected[1]);
      assertSameUpToSign(found[1], expected[2]);
    }
  }

  @Test
  void aGraphLargerThanTheBasisHasThemToo() {
    double[][] points = Golden.normal(250, 2, 3);
    // Long and thin, so that the leading eigenvalues are near each other and take restarts.
    Arrays.stream(points).forEach(p -> p[0] *= 20);
    NormalizedAdjacency matrix = graph(points, 15);
    double[][] expected = dense(matrix);

    double[][] found = RestartedLanczos.afterStationary(matrix);

    assertSameUpToSign(found[0], expected[1]);
    assertSameUpToSign(found[1], expected[2]);
  }

  @Test
  void aRingHasBothVectorsOfItsDoubleEigenvalue() {
    double[][] ring = new double[120][];
    Arrays.setAll(
        ring, i -> new double[] {Math.cos(2 * Math.PI * i / 120), Math.sin(2 * Math.PI * i / 120)});
    NormalizedAdjacency matrix = graph(ring, 7);

    double[][] found = RestartedLanczos.afterStationary(matrix);

    // On a circle, the plane they span is that of the points themselves.
    for (int i = 0; i < 120; i++) {
      assertThat(Math.hypot(found[0][i], found[1][i]))
          .isCloseTo(Math.sqrt(2 / 120.0), within(1e-3));
    }
  }
}
