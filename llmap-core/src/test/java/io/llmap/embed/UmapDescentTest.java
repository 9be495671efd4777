package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.Test;

class UmapDescentTest {
  private static final UmapCurve CURVE = UmapCurve.fit(0.1, 1);
  private static final DistanceMatrix PAIR = Golden.between(new double[][] {{0}, {1}});

  private static double[] afterEpochs(int epochs, long seed, double... xy) {
    double[] moved = xy.clone();
    new UmapDescent(FuzzySet.of(NeighborGraph.of(PAIR, 1)), CURVE, 1, seed, moved).run(epochs);
    return moved;
  }

  private static double membership(double dx, double dy) {
    return 1 / (1 + CURVE.a() * Math.pow(dx * dx + dy * dy, CURVE.b()));
  }

  /** Moves the first point along the slope of a function of the difference between the points. */
  private static void climb(
      DoubleBinaryOperator f, double rate, double[] xy, int i, int j, boolean both) {
    double h = 1e-5;
    double dx = xy[i] - xy[j];
    double dy = xy[i + 1] - xy[j + 1];
    double stepX = rate * (f.applyAsDouble(dx + h, dy) - f.applyAsDouble(dx - h, dy)) / (2 * h);
    double stepY = rate * (f.applyAsDouble(dx, dy + h) - f.applyAsDouble(dx, dy - h)) / (2 * h);
    xy[i] += stepX;
    xy[i + 1] += stepY;
    if (both) {
      xy[j] -= stepX;
      xy[j + 1] -= stepY;
    }
  }

  private static void pull(double rate, double[] xy, int i, int j) {
    climb((dx, dy) -> Math.log(membership(dx, dy)), rate, xy, i, j, true);
  }

  private static void push(double rate, double[] xy, int i, int j) {
    climb((dx, dy) -> Math.log(1 - membership(dx, dy)), rate, xy, i, j, false);
  }

  @Test
  void anEdgePullsItsEndsAlongTheGradientOfItsLogMembership() {
    double[] expected = {0, 0, 3, -2};
    pull(1, expected, 0, 2);
    pull(1, expected, 2, 0);

    // Epoch 0 is before the first sample of any edge, and the first push is an epoch later.
    assertThat(afterEpochs(2, 1, 0, 0, 3, -2)).containsExactly(expected, within(1e-8));
  }

  @Test
  void aDrawnModelPushesAlongTheGradientOfTheLogNonMembership() {
    // Of three epochs: 1 in the first two.
    double rate = 1 - 1.0 / 3;
    List<double[]> possible = new ArrayList<>();
    for (int drawn = 0; drawn < 4; drawn++) {
      double[] xy = afterEpochs(2, 1, 0, 0, 6, -4);
      pull(rate, xy, 0, 2);
      if ((drawn & 1) == 1) {
        push(rate, xy, 0, 2);
      }
      pull(rate, xy, 2, 0);
      if ((drawn & 2) == 2) {
        push(rate, xy, 2, 0);
      }
      possible.add(xy);
    }

    int[] counts = new int[4];
    for (long seed = 0; seed < 100; seed++) {
      double[] xy = afterEpochs(3, seed, 0, 0, 6, -4);
      for (int drawn = 0; drawn < 4; drawn++) {
        double[] candidate = possible.get(drawn);
        boolean same = true;
        for (int c = 0; c < 4; c++) {
          // A push is softened by 0.001 beside the squared distance.
          same &= Math.abs(xy[c] - candidate[c]) < 1e-5;
        }
        counts[drawn] += same ? 1 : 0;
      }
    }
    assertThat(counts[0] + counts[1] + counts[2] + counts[3]).isEqualTo(100);
    assertThat(Arrays.stream(counts).min().orElseThrow()).isGreaterThan(5);
  }
}
