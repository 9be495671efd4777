package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ProcrustesTest {
  private static Embedding map(double[][] points) {
    return Embedding.of(Golden.names(points.length), points, "test");
  }

  /** Turned in every plane of two axes, the first axis mirrored if asked for, then shifted. */
  private static double[][] moved(double[][] points, boolean mirrored, long seed) {
    Random random = new Random(seed);
    int dimensions = points[0].length;
    double[][] result = Arrays.stream(points).map(double[]::clone).toArray(double[][]::new);
    for (int a = 0; a < dimensions; a++) {
      double shift = 10 * random.nextGaussian();
      for (int b = 0; b < a; b++) {
        double angle = 2 * Math.PI * random.nextDouble();
        for (double[] p : result) {
          double pa = Math.cos(angle) * p[a] - Math.sin(angle) * p[b];
          p[b] = Math.sin(angle) * p[a] + Math.cos(angle) * p[b];
          p[a] = pa;
        }
      }
      for (double[] p : result) {
        p[a] += shift;
      }
    }
    for (double[] p : result) {
      p[0] = mirrored ? -p[0] : p[0];
    }
    return result;
  }

  private static double determinant2(double[][] m) {
    return m[0][0] * m[1][1] - m[0][1] * m[1][0];
  }

  @Property(tries = 100)
  void undoesAnyRotationReflectionAndShift(
      @ForAll @IntRange(min = 1, max = 6) int dimensions,
      @ForAll boolean mirrored,
      @ForAll long seed) {
    double[][] points = Golden.normal(20, dimensions, seed);

    Procrustes result = Procrustes.align(map(points), map(moved(points, mirrored, seed)));

    assertThat(result.shared()).isEqualTo(20);
    assertThat(result.residual()).isLessThan(1e-12 * 50);
    for (int i = 0; i < 20; i++) {
      for (int d = 0; d < dimensions; d++) {
        assertThat(result.aligned().get(i, d)).isCloseTo(points[i][d], within(1e-12 * 50));
      }
    }
    if (dimensions == 2) {
      assertThat(determinant2(result.rotation())).isCloseTo(mirrored ? -1 : 1, within(1e-12));
    }
  }

  @Property(tries = 50)
  void theResidualDoesNotDependOnHowTheMapWasTurned(@ForAll boolean mirrored, @ForAll long seed) {
    double[][] reference = Golden.normal(15, 3, seed);
    double[][] points = Golden.normal(15, 3, seed + 1);

    double residual = Procrustes.align(map(reference), map(points)).residual();

    assertThat(Procrustes.align(map(reference), map(moved(points, mirrored, seed + 2))).residual())
        .isCloseTo(residual, within(1e-12 * 50));
    assertThat(Procrustes.align(map(points), map(reference)).residual())
        .isCloseTo(residual, within(1e-12));
  }

  @Test
  void alignsAsScipyDoes() {
    double[][] expected = GoldenFiles.matrix("procrustes_aligned.npy");
    double[][] reference = GoldenFiles.matrix("procrustes_reference.npy");

    Procrustes result =
        Procrustes.align(map(reference), map(GoldenFiles.matrix("procrustes_map.npy")));

    double squares = 0;
    for (int i = 0; i < expected.length; i++) {
      for (int d = 0; d < 3; d++) {
        assertThat(result.aligned().get(i, d))
            .isCloseTo(expected[i][d], within(Tolerances.golden(10)));
        squares += Math.pow(expected[i][d] - reference[i][d], 2);
      }
    }
    assertThat(result.residual())
        .isCloseTo(Math.sqrt(squares / expected.length), within(Tolerances.golden(10)));
  }

  @Test
  void theRotationTurnsTheCentredMap() {
    double[][] points = Golden.normal(9, 2, 3);
    Procrustes result = Procrustes.align(map(Golden.normal(9, 2, 4)), map(points));

    for (int i = 1; i < 9; i++) {
      for (int d = 0; d < 2; d++) {
        double turned = 0;
        for (int a = 0; a < 2; a++) {
          turned += (points[i][a] - points[0][a]) * result.rotation()[a][d];
        }
        assertThat(result.aligned().get(i, d) - result.aligned().get(0, d))
            .isCloseTo(turned, within(1e-12));
      }
    }
  }

  @Test
  void modelsAreMatchedByNameAndNewOnesFollow() {
    double[][] points = Golden.normal(12, 2, 5);
    double[][] turned = moved(points, true, 6);
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      order.add(i);
    }
    Collections.shuffle(order, new Random(7));
    Embedding map =
        Embedding.of(
            order.stream().map(i -> "m" + i).toList(),
            order.stream().map(i -> turned[i]).toArray(double[][]::new),
            "test");

    Procrustes result = Procrustes.align(map(Arrays.copyOf(points, 9)), map);

    assertThat(result.shared()).isEqualTo(9);
    assertThat(result.aligned().names()).isEqualTo(map.names());
    assertThat(result.aligned().method()).isEqualTo("test, aligned on 9 models");
    for (int p = 0; p < 12; p++) {
      assertThat(result.aligned().get(p, 0)).isCloseTo(points[order.get(p)][0], within(1e-11));
      assertThat(result.aligned().get(p, 1)).isCloseTo(points[order.get(p)][1], within(1e-11));
    }
  }

  @Test
  void oneSharedModelIsLaidOnItsPlace() {
    Procrustes result =
        Procrustes.align(map(new double[][] {{3, 4}}), map(new double[][] {{7, 7}, {8, 7}}));

    assertThat(result.aligned().toArray()[0]).containsExactly(3, 4);
    assertThat(Math.hypot(result.aligned().get(1, 0) - 3, result.aligned().get(1, 1) - 4))
        .isCloseTo(1, within(1e-12));
  }

  @Test
  void mapsThatCannotBeAlignedAreRefused() {
    Embedding plane = map(new double[][] {{0, 0}, {1, 0}});

    assertThatThrownBy(() -> Procrustes.align(plane, map(new double[][] {{0, 0, 0}})))
        .hasMessage("the map has 3 dimensions but the reference 2");
    assertThatThrownBy(
            () ->
                Procrustes.align(
                    plane, Embedding.of(List.of("x"), new double[][] {{0, 0}}, "test")))
        .hasMessage("no model is both on the map (\"x\" …) and on the reference (\"m0\" …)");
    assertThatThrownBy(
            () ->
                Procrustes.align(
                    plane,
                    Embedding.of(List.of("x", "x"), new double[][] {{0, 0}, {1, 1}}, "t-SNE")))
        .hasMessage("\"x\" is twice on a map (t-SNE)");
  }
}
