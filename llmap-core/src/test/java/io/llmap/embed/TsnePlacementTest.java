package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** New models on a finished map: every tenth golden model is held out, one of each family. */
class TsnePlacementTest {
  private static final Tsne TSNE = Tsne.defaults().withPerplexity(5);
  private static final int[] OLD = IntStream.range(0, 60).filter(i -> i % 10 != 4).toArray();
  private static final int[] NEW = IntStream.range(0, 60).filter(i -> i % 10 == 4).toArray();
  private static final List<String> NAMES = Arrays.stream(NEW).mapToObj(i -> "m" + i).toList();

  private static Embedding map;
  private static double[][] distances;

  @BeforeAll
  static void drawTheOthers() {
    double[][] all = Golden.distances().toArray();
    map =
        TSNE.embed(
            DistanceMatrix.of(Arrays.stream(OLD).mapToObj(i -> "m" + i).toList(), rows(all, OLD)));
    distances = rows(all, NEW);
  }

  private static double[][] rows(double[][] all, int[] models) {
    return Arrays.stream(models)
        .mapToObj(i -> Arrays.stream(OLD).mapToDouble(j -> all[i][j]).toArray())
        .toArray(double[][]::new);
  }

  @Test
  void aModelIsPlacedAmongItsFamily() {
    Embedding placed = TSNE.place(map, NAMES, distances);

    assertThat(placed.names()).isEqualTo(NAMES);
    for (int n = 0; n < 6; n++) {
      double[] point = placed.toArray()[n];
      int nearest =
          IntStream.range(0, map.size())
              .boxed()
              .min((a, b) -> Double.compare(distance(point, a), distance(point, b)))
              .orElseThrow();
      assertThat(OLD[nearest] / 10).isEqualTo(NEW[n] / 10);
    }
  }

  private static double distance(double[] point, int j) {
    return Math.hypot(point[0] - map.get(j, 0), point[1] - map.get(j, 1));
  }

  @Test
  void aPlaceIsALocalMinimumOfTheObjectiveWithOneMoreModel() {
    Embedding placed = TSNE.place(map, NAMES, distances);

    double[][] all = Arrays.copyOf(map.toArray(), 55);
    for (int n = 0; n < 6; n++) {
      double[] p = ReferenceTsne.conditional(j -> true, distances[n], 5);
      double[] point = placed.toArray()[n];
      double reached = objective(all, p, point[0], point[1]);
      for (int angle = 0; angle < 360; angle += 15) {
        double dx = 1e-3 * Math.cos(Math.toRadians(angle));
        double dy = 1e-3 * Math.sin(Math.toRadians(angle));
        assertThat(objective(all, p, point[0] + dx, point[1] + dy)).isGreaterThan(reached);
      }
    }
  }

  /** What depends on the last point, with p_j for both p(j|i) and p(i|j). */
  private static double objective(double[][] all, double[] p, double x, double y) {
    int last = p.length;
    all[last] = new double[] {x, y};
    double[][] joint = new double[last + 1][last + 1];
    for (int j = 0; j < last; j++) {
      joint[last][j] = joint[j][last] = p[j] / (last + 1);
    }
    // Here the reference lacks the affinities within the map, whose Σ p·ln Σ w is part of it.
    return ReferenceTsne.objective(joint, all, 1)
        + (1 - 2.0 / (last + 1)) * ReferenceTsne.logTotalWeight(all);
  }

  @Test
  void modelsAddedTogetherAreWhereTheyWouldBeOneByOne() {
    Embedding together = TSNE.place(map, NAMES, distances);

    for (int n = 0; n < 6; n++) {
      assertThat(TSNE.place(map, List.of(NAMES.get(n)), new double[][] {distances[n]}).toArray()[0])
          .isEqualTo(together.toArray()[n]);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void anyNumberOfThreadsGivesTheSameBits(int threads) throws Exception {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      assertThat(pool.submit(() -> TSNE.place(map, NAMES, distances).toArray()).get())
          .isDeepEqualTo(TSNE.place(map, NAMES, distances).toArray());
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void aModelOfTheMapIsPlacedWhereItAlreadyIs() {
    // The descent of the map balances the same forces up to the normalisation.
    double[][] own = Golden.distances().toArray();
    double width =
        Arrays.stream(map.toArray())
            .mapToDouble(point -> Math.hypot(point[0], point[1]))
            .max()
            .orElseThrow();
    for (int j = 0; j < map.size(); j += 7) {
      double[] row = rows(own, OLD)[j];
      double[] point = TSNE.place(map, List.of("twin"), new double[][] {row}).toArray()[0];

      assertThat(distance(point, j)).isLessThan(0.02 * width);
    }
  }

  @Property(tries = 200)
  void anyMapAndAnyDistancesGiveAFinitePlace(
      @ForAll @IntRange(min = 1, max = 12) int k,
      @ForAll @IntRange(min = -6, max = 6) int mapExponent,
      @ForAll @IntRange(min = -100, max = 100) int exponent,
      @ForAll long seed) {
    double[][] points = Golden.normal(k, 2, seed);
    double[][] row = Golden.normal(1, k, seed + 1);
    for (int j = 0; j < k; j++) {
      points[j] = j % 3 == 2 ? points[j / 2].clone() : points[j];
      points[j][0] *= Math.pow(10, mapExponent);
      points[j][1] *= Math.pow(10, mapExponent);
      row[0][j] = Math.abs(row[0][j]) * Math.pow(10, exponent);
    }
    Embedding any = Embedding.of(Golden.names(k), points, "any");

    double[] place = Tsne.defaults().place(any, List.of("new"), row).toArray()[0];

    double far = Arrays.stream(points).mapToDouble(p -> Math.hypot(p[0], p[1])).max().orElseThrow();
    assertThat(Math.hypot(place[0], place[1])).isLessThan(10 + 10 * far);
  }

  @Test
  void theOnlyModelOfAMapIsWhereANewOneGoes() {
    Embedding one = Embedding.of(List.of("a"), new double[][] {{3, 4}}, "by hand");

    assertThat(TSNE.place(one, List.of("b"), new double[][] {{2}}).toArray()[0])
        .containsExactly(new double[] {3, 4}, within(1e-9));
  }

  @Test
  void noNewModelsAreNoPoints() {
    assertThat(TSNE.place(map, List.of(), new double[0][]).size()).isZero();
  }

  @Test
  void theMethodLineSaysOnWhichMap() {
    assertThat(TSNE.withPerplexity(30).place(map, NAMES, distances).method())
        .startsWith(
            "t-SNE on distances, perplexity 18 (capped from 30), placed on a map of 54 models (t-SNE"
                + " on distances, perplexity 5, ");
  }

  @Test
  void whatCannotBePlacedIsNamed() {
    assertThatThrownBy(() -> TSNE.place(map, List.of("x", "m7"), new double[2][54]))
        .hasMessage("\"m7\" is on the map already");
    assertThatThrownBy(() -> TSNE.place(map, List.of("x", "x"), new double[2][54]))
        .hasMessage("\"x\" is named twice");
    assertThatThrownBy(() -> TSNE.place(map, List.of("x"), new double[2][54]))
        .hasMessage("1 names but distances of 2 models");
    assertThatThrownBy(() -> TSNE.place(map, List.of("x"), new double[1][53]))
        .hasMessage("\"x\" has 53 distances, but the map has 54 models");
    for (double bad : new double[] {Double.NaN, -1, Double.POSITIVE_INFINITY}) {
      double[][] row = {distances[0].clone()};
      row[0][2] = bad;
      assertThatThrownBy(() -> TSNE.place(map, List.of("x"), row))
          .hasMessage("the distance of \"x\" and \"m2\" is " + bad);
    }
    Embedding line = Embedding.of(List.of("a"), new double[1][1], "a line");
    assertThatThrownBy(() -> TSNE.place(line, List.of("x"), new double[1][1]))
        .hasMessageContaining("1 dimensions");
    Embedding empty = Embedding.of(List.of(), new double[0][], "nothing");
    assertThatThrownBy(() -> TSNE.place(empty, List.of("x"), new double[1][0]))
        .hasMessageContaining("0 models");
  }
}
