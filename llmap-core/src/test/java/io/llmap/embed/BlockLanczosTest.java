package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockLanczosTest {
  private static final int K = 220;

  /** Twelve groups of points in 30 dimensions. */
  private static DistanceMatrix groups() {
    double[][] centres = Golden.normal(12, 30, 1);
    double[][] points = Golden.normal(K, 30, 2);
    for (int i = 0; i < K; i++) {
      for (int d = 0; d < 30; d++) {
        points[i][d] += 3 * centres[i % 12][d];
      }
    }
    return Golden.between(points);
  }

  private static SymmetricEigen leading(DistanceMatrix distances, int count) {
    return BlockLanczos.leading(new CenteredSquares(distances), count).orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void theLeadingPairsAreThoseOfTheFullDecomposition(int count) {
    DistanceMatrix distances = groups();
    SymmetricEigen all = SymmetricEigen.of(new CenteredSquares(distances).toMatrix());
    double[][] expected = all.axes(count);

    SymmetricEigen few = leading(distances, count);
    double[][] axes = few.axes(count);

    assertThat(few.values())
        .containsExactly(
            Arrays.copyOf(all.values(), count), within(Tolerances.eigenvalue(all.largest())));
    for (int d = 0; d < count; d++) {
      assertThat(axes[d])
          .containsExactly(expected[d], within(Tolerances.golden(Math.sqrt(all.largest()))));
    }
  }

  @Test
  void anEigenvalueOfHighMultiplicityIsFoundAsOftenAsItIsWanted() {
    // All distances 1: the eigenvalue 1/2, K − 1 times.
    double[] ones = new double[K * (K - 1) / 2];
    Arrays.fill(ones, 1);

    SymmetricEigen eigen = leading(DistanceMatrix.wrap(Golden.names(K), ones), 3);

    assertThat(eigen.values()).containsExactly(new double[] {0.5, 0.5, 0.5}, within(1e-13));
    double[][] axes = eigen.axes(3);
    for (int d = 0; d < 3; d++) {
      for (int e = 0; e <= d; e++) {
        assertThat(CenteredSquares.dot(axes[d], axes[e], K))
            .isCloseTo(d == e ? 0.5 : 0, within(1e-13));
      }
    }
  }

  @Test
  void noAxisIsMadeOfRoundingErrors() {
    double[][] line = new double[K][1];
    Arrays.setAll(line, i -> new double[] {i * i});

    assertThat(leading(Golden.between(line), 2).axes(2)).hasNumberOfRows(1);
    assertThat(leading(Golden.between(new double[K][1]), 2).axes(2)).isEmpty();
  }

  @Test
  void negativeEigenvaluesAreNotLeadingHoweverLarge() {
    // Two groups, far apart inside and close between: −K²/8 and smaller ones of both signs.
    double[] distances = new double[K * (K - 1) / 2];
    Random random = new Random(3);
    int pair = 0;
    for (int i = 0; i < K; i++) {
      for (int j = 0; j < i; j++) {
        distances[pair++] = (i + j) % 2 == 0 ? 2 + 0.1 * random.nextDouble() : 0.5;
      }
    }
    DistanceMatrix matrix = DistanceMatrix.wrap(Golden.names(K), distances);
    double[] expected = ClassicalMds.eigenvalues(matrix);

    SymmetricEigen eigen = leading(matrix, 2);

    assertThat(-expected[K - 1]).isGreaterThan(10 * expected[0]);
    assertThat(eigen.values())
        .containsExactly(
            Arrays.copyOf(expected, 2), within(Tolerances.eigenvalue(eigen.largest())));
  }

  @Test
  void whatDoesNotConvergeIsNotAnswered() {
    Random random = new Random(4);
    SymmetricOperator noise =
        new SymmetricOperator() {
          @Override
          public int size() {
            return K;
          }

          @Override
          public double[][] multiply(double[][] vectors) {
            return Golden.normal(vectors.length, K, random.nextLong());
          }
        };

    assertThat(BlockLanczos.leading(noise, 2)).isEmpty();
  }

  @Test
  void theBitsDoNotDependOnTheNumberOfThreads() {
    DistanceMatrix distances = groups();
    double[][] expected = ClassicalMds.axes(distances, 2);

    for (int threads : new int[] {1, 2, 7}) {
      ForkJoinPool pool = new ForkJoinPool(threads);
      assertThat(pool.submit(() -> ClassicalMds.axes(distances, 2)).join()).isDeepEqualTo(expected);
      pool.shutdown();
    }
  }

  @Test
  void theShareOfManyModelsIsThatOfAllEigenvalues() {
    DistanceMatrix distances = groups();
    double[] all = ClassicalMds.eigenvalues(distances);
    double squares = Arrays.stream(all).map(v -> v * v).sum();

    assertThat(new ClassicalMds(2).embed(distances).method())
        .isEqualTo(
            String.format(
                Locale.ROOT,
                "classical MDS, 2 dimensions, %.1f %% of the eigenvalues' sum of squares",
                100 * (all[0] * all[0] + all[1] * all[1]) / squares));
  }
}
