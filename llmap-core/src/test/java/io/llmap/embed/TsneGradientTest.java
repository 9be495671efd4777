package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The exact gradient and Barnes and Hut's. */
class TsneGradientTest {
  @ParameterizedTest
  @CsvSource({"1e-4, 12", "1, 1", "1, 12", "20, 1"})
  void bothAreTheDerivativeOfTheObjective(double spread, double exaggeration) {
    DistanceMatrix distances = Golden.between(Golden.normal(14, 5, 1));
    // Three times the perplexity are all of them.
    double perplexity = 13 / 3.0 + 0.01;
    double[][] p = ReferenceTsne.affinities(distances, perplexity);
    double[][] points = Golden.normal(14, 2, 2);
    for (double[] point : points) {
      point[0] *= spread;
      point[1] *= spread;
    }
    double[][] expected = new double[2][14];
    double largest = 0;
    double step = 1e-4 * Math.max(spread, 0.1);
    for (int i = 0; i < 14; i++) {
      for (int axis = 0; axis < 2; axis++) {
        expected[axis][i] = derivative(p, points, exaggeration, i, axis, step);
        largest = Math.max(largest, Math.abs(expected[axis][i]));
      }
    }

    for (TsneGradient gradient :
        List.of(exact(distances, perplexity), barnesHut(distances, perplexity, 0))) {
      double[][] found = at(gradient, points, exaggeration);

      for (int axis = 0; axis < 2; axis++) {
        assertThat(found[axis])
            .containsExactly(expected[axis], within(Tolerances.tsneGradient(largest)));
      }
    }
  }

  /**
   * Central difference of fourth order. The exaggerated p adds up to more than 1, while t-SNE's
   * force has the repulsion of Σ p = 1: what the objective has too much is (exaggeration − 1)·ln Σ
   * w.
   */
  private static double derivative(
      double[][] p, double[][] points, double exaggeration, int i, int axis, double step) {
    double[] f = new double[4];
    double[] offsets = {-2, -1, 1, 2};
    double at = points[i][axis];
    for (int o = 0; o < 4; o++) {
      points[i][axis] = at + offsets[o] * step;
      f[o] =
          ReferenceTsne.objective(p, points, exaggeration)
              - (exaggeration - 1) * ReferenceTsne.logTotalWeight(points);
    }
    points[i][axis] = at;
    return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * step);
  }

  @Test
  void bothObjectivesAreTheDivergenceOfTheReference() {
    DistanceMatrix distances = Golden.distances();
    double[][] points = Golden.normal(60, 2, 3);
    double expected = ReferenceTsne.objective(ReferenceTsne.affinities(distances, 20), points, 1);

    for (TsneGradient gradient : List.of(exact(distances, 20), barnesHut(distances, 20, 0.7))) {
      assertThat(gradient.objective(column(points, 0), column(points, 1)))
          .isCloseTo(expected, within(1e-9));
    }
  }

  /** Clusters, duplicates and outliers on the map; K from one group to many. */
  @Property(tries = 30)
  void barnesHutWithThetaZeroIsExact(
      @ForAll @IntRange(min = 2, max = 300) int k,
      @ForAll @IntRange(min = -4, max = 4) int exponent,
      @ForAll long seed) {
    DistanceMatrix distances = Golden.between(Golden.normal(k, 3, seed));
    double[][] points = Golden.normal(k, 2, seed + 1);
    for (int i = 0; i < k; i++) {
      if (i % 5 == 4) {
        points[i] = points[i / 2].clone();
      } else if (i % 17 == 0) {
        points[i][0] *= 1000;
      }
      points[i][0] *= Math.pow(10, exponent);
      points[i][1] *= Math.pow(10, exponent);
    }
    double perplexity = Math.max(1, (k - 0.5) / 3);

    double[][] exact = at(exact(distances, perplexity), points, 1);
    double[][] barnesHut = at(barnesHut(distances, perplexity, 0), points, 1);

    double largest = largest(exact);
    for (int axis = 0; axis < 2; axis++) {
      assertThat(barnesHut[axis])
          .containsExactly(exact[axis], within(Tolerances.barnesHutWithoutGroups(largest)));
    }
  }

  @ParameterizedTest
  @CsvSource({"0.2, 1e-3", "0.5, 1e-2", "1, 5e-2"})
  void theErrorOfBarnesHutShrinksWithTheta(double theta, double bound) {
    // Spread like a finished map, some hundred units wide, without attraction: with it, what is
    // left near a minimum is a small difference of large forces.
    double[][] points = Golden.normal(2000, 2, 4);
    for (double[] point : points) {
      point[0] *= 20;
      point[1] *= 20;
    }
    DistanceMatrix distances = Golden.between(points);

    double[][] exact = at(barnesHut(distances, 2, 0), points, 0);
    double[][] coarse = at(barnesHut(distances, 2, theta), points, 0);

    double error = 0;
    double size = 0;
    for (int axis = 0; axis < 2; axis++) {
      for (int i = 0; i < 2000; i++) {
        error += Math.pow(coarse[axis][i] - exact[axis][i], 2);
        size += Math.pow(exact[axis][i], 2);
      }
    }
    assertThat(Math.sqrt(error / size)).isLessThan(bound).isPositive();
  }

  @Test
  void barnesHutFollowsPointsThatMoveBetweenSorts() {
    DistanceMatrix distances = Golden.between(Golden.normal(400, 3, 1));
    TsneGradient gradient = barnesHut(distances, 30, 0.3);
    double[][] points = Golden.normal(400, 2, 2);
    at(gradient, points, 1);
    // Everybody elsewhere, in boxes of the old order.
    double[][] moved = Golden.normal(400, 2, 3);

    double[][] found = at(gradient, moved, 1);

    double[][] exact = at(barnesHut(distances, 30, 0), moved, 1);
    for (int axis = 0; axis < 2; axis++) {
      assertThat(found[axis]).containsExactly(exact[axis], within(1e-3 * largest(exact)));
    }
  }

  @Test
  void allPointsInOnePlaceHaveNoForce() {
    DistanceMatrix distances = Golden.between(Golden.normal(200, 3, 6));
    for (TsneGradient gradient : List.of(exact(distances, 20), barnesHut(distances, 20, 0.5))) {
      assertThat(at(gradient, new double[200][2], 12)).isDeepEqualTo(new double[2][200]);
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "7"})
  void anyNumberOfThreadsGivesTheSameBits(int threads) throws Exception {
    DistanceMatrix distances = Golden.between(Golden.normal(500, 5, 7));
    double[][] points = Golden.normal(500, 2, 8);
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      assertThat(pool.submit(() -> everything(distances, points)).get())
          .isDeepEqualTo(everything(distances, points));
    } finally {
      pool.shutdown();
    }
  }

  private static double[][] everything(DistanceMatrix distances, double[][] points) {
    return Stream.of(exact(distances, 20), barnesHut(distances, 20, 0.5))
        .flatMap(
            gradient ->
                Stream.concat(
                    Arrays.stream(at(gradient, points, 3)),
                    Stream.of(
                        new double[] {gradient.objective(column(points, 0), column(points, 1))})))
        .toArray(double[][]::new);
  }

  private static TsneGradient exact(DistanceMatrix distances, double perplexity) {
    return new ExactGradient(Affinities.of(distances, Tsne.Metric.EUCLIDEAN, perplexity));
  }

  private static TsneGradient barnesHut(DistanceMatrix distances, double perplexity, double theta) {
    return new BarnesHutGradient(
        NeighborAffinities.of(distances, Tsne.Metric.EUCLIDEAN, perplexity), theta);
  }

  private static double[][] at(TsneGradient gradient, double[][] points, double exaggeration) {
    double[][] result = new double[2][points.length];
    gradient.at(column(points, 0), column(points, 1), exaggeration, result[0], result[1]);
    return result;
  }

  private static double largest(double[][] gradient) {
    return Arrays.stream(gradient)
        .flatMapToDouble(Arrays::stream)
        .map(Math::abs)
        .max()
        .orElseThrow();
  }

  private static double[] column(double[][] points, int axis) {
    return Arrays.stream(points).mapToDouble(point -> point[axis]).toArray();
  }
}
