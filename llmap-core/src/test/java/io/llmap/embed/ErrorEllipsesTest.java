package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ErrorEllipsesTest {
  private static final double[][] CROSS = {{5, 0}, {-5, 0}, {0, 4}, {0, -4}, {2, 2}};

  private static Embedding map(double[][] points) {
    return Embedding.of(Golden.names(points.length), points, "test");
  }

  /**
   * Two opposite models move by δ and the other two by −δ: neither the mean nor the best rotation
   * of the cross changes, so that alignment gives the moves back. Each map is then turned, mirrored
   * and shifted.
   */
  private static List<Embedding> scattered(double[][] moves) {
    Random random = new Random(1);
    List<Embedding> maps = new ArrayList<>();
    for (double[] move : moves) {
      double angle = 2 * Math.PI * random.nextDouble();
      double mirror = random.nextBoolean() ? 1 : -1;
      double[][] points = new double[CROSS.length][2];
      for (int i = 0; i < CROSS.length; i++) {
        double sign = i < 2 ? 1 : i < 4 ? -1 : 0;
        double x = CROSS[i][0] + sign * move[0];
        double y = mirror * (CROSS[i][1] + sign * move[1]);
        points[i][0] = Math.cos(angle) * x - Math.sin(angle) * y + 9;
        points[i][1] = Math.sin(angle) * x + Math.cos(angle) * y - 3;
      }
      maps.add(map(points));
    }
    return maps;
  }

  /** Moves with mean 0 and, with one less than their number, the covariance of an ellipse. */
  private static double[][] moves(double semiMajor, double semiMinor, double angle) {
    // Four moves ±u and ±v have Σ = 2·u² along u; divided by 3 it is semiMajor².
    double u = semiMajor * Math.sqrt(1.5);
    double v = semiMinor * Math.sqrt(1.5);
    return new double[][] {
      {u * Math.cos(angle), u * Math.sin(angle)},
      {-u * Math.cos(angle), -u * Math.sin(angle)},
      {-v * Math.sin(angle), v * Math.cos(angle)},
      {v * Math.sin(angle), -v * Math.cos(angle)}
    };
  }

  @Test
  void anEllipseIsTheScatterThatTheMapsWereMadeWith() {
    for (double angle : new double[] {0, 0.4, 1.5, -0.7, -1.5}) {
      ErrorEllipses found = ErrorEllipses.of(map(CROSS), scattered(moves(0.3, 0.1, angle)));

      assertThat(found.ellipses()).hasSize(5);
      for (int i = 0; i < 4; i++) {
        ErrorEllipse ellipse = found.ellipses().get(i);
        assertThat(ellipse.name()).isEqualTo("m" + i);
        assertThat(ellipse.x()).isCloseTo(CROSS[i][0], within(1e-12));
        assertThat(ellipse.y()).isCloseTo(CROSS[i][1], within(1e-12));
        assertThat(ellipse.semiMajor()).isCloseTo(0.3, within(1e-12));
        assertThat(ellipse.semiMinor()).isCloseTo(0.1, within(1e-12));
        assertThat(ellipse.angle()).isCloseTo(angle, within(1e-12));
      }
      assertThat(found.ellipses().get(4).semiMajor()).isLessThan(1e-7);
      // Of five models four move; per map and coordinate by (0.09 + 0.01)·3/4/2 on average.
      assertThat(found.meanSquaredError()).isCloseTo(0.8 * 0.1 * 0.75 / 2, within(1e-12));
    }
  }

  @Test
  void aModelThatStaysHasAPoint() {
    ErrorEllipses found =
        ErrorEllipses.of(map(CROSS), scattered(new double[][] {{0, 0}, {0, 0}, {0, 0}}));

    for (ErrorEllipse ellipse : found.ellipses()) {
      assertThat(ellipse.semiMajor()).isLessThan(1e-12);
      assertThat(ellipse.semiMinor()).isLessThan(1e-12);
    }
    assertThat(found.meanSquaredError()).isLessThan(1e-24);
  }

  @Test
  void mapsThatDoNotFitAreRefused() {
    Embedding reference = map(CROSS);

    assertThatThrownBy(() -> ErrorEllipses.of(reference, List.of(reference)))
        .hasMessage("a scatter needs at least two resampled maps, got 1");
    assertThatThrownBy(
            () -> ErrorEllipses.of(reference, List.of(reference, map(Arrays.copyOf(CROSS, 4)))))
        .hasMessage("map 1 lacks \"m4\" of the reference");
    Embedding line = map(new double[][] {{1}, {2}});
    assertThatThrownBy(() -> ErrorEllipses.of(line, List.of(line, line)))
        .hasMessage("ellipses need a map with 2 dimensions, the reference has 1");
  }
}
