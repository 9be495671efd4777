package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class TrajectoryTest {
  private static final long[] STEPS = {0, 512, 1000, 2000, 3000, 4000, 6000, 7000, 9000, 9500};

  @Property(tries = 50)
  void aPowerOfTheElapsedStepsIsFoundExactly(
      @ForAll @DoubleRange(min = 0.05, max = 2) double exponent,
      @ForAll @DoubleRange(min = 0.01, max = 1000) double scale) {
    Trajectory trajectory = trajectory(elapsed -> scale * Math.pow(elapsed, exponent));

    Trajectory.Diffusion diffusion = trajectory.diffusion(1000, 4);

    assertThat(diffusion.starts()).containsExactly(1000L, 2000L, 3000L, 4000L);
    assertThat(diffusion.exponents()).allSatisfy(c -> near(c, exponent));
    near(diffusion.median(), exponent);
    near(diffusion.pooled(), exponent);
  }

  private static void near(double actual, double expected) {
    assertThat(actual).isCloseTo(expected, within(1e-12));
  }

  /** A straight way at constant speed, through log-likelihoods and not through its own formula. */
  @Test
  void aStraightWayHasExponentTwoAndNoDetour() {
    double[] direction = new Random(1).doubles(200, -1, 1).toArray();
    double[][] values =
        Arrays.stream(STEPS)
            .mapToObj(step -> Arrays.stream(direction).map(d -> -500 + d * step / 100).toArray())
            .toArray(double[][]::new);
    LogLikelihoodMatrix matrix = matrix(values);
    DistanceMatrix kl =
        KlDistances.of(CenteredMatrix.of(matrix, Clipping.NONE)).in(KlUnit.BITS_PER_BYTE);

    Trajectory trajectory = Trajectory.of(kl, IntStream.range(0, 10).toArray(), STEPS);

    assertThat(trajectory.diffusion(0, 3).exponents())
        .hasSize(7)
        .allSatisfy(c -> assertThat(c).isCloseTo(2, within(1e-9)));
    assertThat(trajectory.displacement())
        .isCloseTo(trajectory.pathLength(), within(1e-9 * trajectory.pathLength()));
  }

  /** In 4000 dimensions a random walk's squared distances are within 5 % of their mean. */
  @Test
  void aRandomWalkHasExponentOne() {
    Random random = new Random(2);
    double[] place = new double[4000];
    Arrays.fill(place, -500);
    double[][] values = new double[40][];
    for (int t = 0; t < 40; t++) {
      values[t] = place.clone();
      Arrays.setAll(place, s -> place[s] + random.nextGaussian());
    }
    DistanceMatrix kl =
        KlDistances.of(CenteredMatrix.of(matrix(values), Clipping.NONE)).in(KlUnit.NATS_PER_TEXT);
    long[] steps = IntStream.range(0, 40).mapToLong(t -> 1000L * t).toArray();

    Trajectory.Diffusion diffusion =
        Trajectory.of(kl, IntStream.range(0, 40).toArray(), steps).diffusion(1000, 10);

    assertThat(diffusion.starts()).hasSize(29).startsWith(1000L).endsWith(29000L);
    assertThat(diffusion.exponents()).allSatisfy(c -> assertThat(c).isBetween(0.9, 1.1));
    assertThat(diffusion.median()).isBetween(0.97, 1.03);
    assertThat(diffusion.pooled()).isBetween(0.97, 1.03);
  }

  @Test
  void distancesAreThoseOfTheCheckpointsInTheirOrder() {
    DistanceMatrix kl =
        DistanceMatrix.wrap(
            List.of("late", "other", "early", "middle"), new double[] {7, 9, 8, 4, 6, 1});

    Trajectory trajectory = Trajectory.of(kl, new int[] {2, 3, 0}, new long[] {1, 10, 100});

    assertThat(trajectory.size()).isEqualTo(3);
    assertThat(trajectory.steps()).containsExactly(1, 10, 100);
    assertThat(trajectory.divergence(0, 2)).isEqualTo(9);
    assertThat(trajectory.consecutive()).containsExactly(1, 4);
    assertThat(trajectory.fromStart()).containsExactly(0, 1, 9);
    assertThat(trajectory.pathLength()).isEqualTo(3);
    assertThat(trajectory.displacement()).isEqualTo(3);
  }

  @Test
  void oneCheckpointHasNoLength() {
    Trajectory trajectory =
        Trajectory.of(DistanceMatrix.wrap(List.of("a"), new double[0]), new int[1], new long[1]);

    assertThat(trajectory.consecutive()).isEmpty();
    assertThat(trajectory.pathLength()).isZero();
    assertThat(trajectory.displacement()).isZero();
  }

  @Test
  void theMedianOfAnEvenNumberIsTheMeanOfTheMiddle() {
    assertThat(
            new Trajectory.Diffusion(List.of(1L, 2L, 3L, 4L), List.of(9.0, 1.0, 2.0, 4.0), 0)
                .median())
        .isEqualTo(3);
    assertThat(new Trajectory.Diffusion(List.of(1L, 2L, 3L), List.of(9.0, 1.0, 2.0), 0).median())
        .isEqualTo(2);
  }

  @Test
  void thePooledExponentWeighsStartsByTheSpreadOfTheirSteps() {
    // Slopes 1 over ln 2 and 0 over ln 4: (1 · ln²2 + 0 · ln²4) / (ln²2 + ln²4) = 1 / 5.
    long[] steps = {0, 1, 2, 5};
    DistanceMatrix kl =
        DistanceMatrix.wrap(List.of("a", "b", "c", "d"), new double[] {3, 6, 7, 1, 7, 2});

    Trajectory.Diffusion diffusion =
        Trajectory.of(kl, new int[] {0, 1, 2, 3}, steps).diffusion(0, 2);

    near(diffusion.exponents().get(0), 1);
    near(diffusion.exponents().get(1), 0);
    near(diffusion.pooled(), 1 / 5.0);
  }

  @Test
  void stepsThatDoNotRiseAreRefused() {
    DistanceMatrix kl = DistanceMatrix.wrap(List.of("a", "b"), new double[] {1});

    assertThatThrownBy(() -> Trajectory.of(kl, new int[] {0, 1}, new long[] {2000, 2000}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("steps must rise, but 2000 (\"b\") follows 2000 (\"a\")");
    assertThatThrownBy(() -> Trajectory.of(kl, new int[] {0, 1}, new long[] {1}))
        .hasMessage("2 checkpoints at 1 steps");
    assertThatThrownBy(() -> Trajectory.of(kl, new int[0], new long[0]))
        .hasMessage("0 checkpoints at 0 steps");
    assertThatThrownBy(() -> Trajectory.of(kl, new int[] {0, 2}, new long[] {1, 2}))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void slopesThatAreNotThereAreRefused() {
    Trajectory still = trajectory(elapsed -> elapsed == 1000 ? 0 : 1);

    assertThatThrownBy(() -> still.diffusion(1000, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the divergence of steps 1000 and 2000 is 0 and has no logarithm");
    assertThatThrownBy(() -> still.diffusion(1000, 1))
        .hasMessage("a slope needs at least 2 targets, got 1");
    assertThatThrownBy(() -> still.diffusion(7000, 3))
        .hasMessage("no checkpoint from step 7000 on has 3 after it; the last step is 9500");
  }

  @Test
  void textsOnWhichARunJumpsAreDropped() {
    double[][] values = new double[5][10];
    for (double[] row : values) {
      Arrays.setAll(row, s -> -100 - s);
    }
    values[1][3] -= 50;
    values[4][7] += 60;
    values[2][5] -= 10;
    // Far below the threshold before and after: no change once it is clipped.
    values[0][8] = -9000;
    values[1][8] = -8000;
    values[2][8] = -9000;
    LogLikelihoodMatrix matrix = matrix(values);
    Clipping clipping = new Clipping(0.02, -500);
    List<int[]> runs = List.of(new int[] {0, 1, 2}, new int[] {3, 4});

    assertThat(Trajectory.steadyTexts(matrix, clipping, runs, 0.2))
        .containsExactly(0, 1, 2, 4, 5, 6, 8, 9);
    assertThat(Trajectory.steadyTexts(matrix, clipping, runs, 0.3))
        .containsExactly(0, 1, 2, 4, 6, 8, 9);
    assertThat(Trajectory.steadyTexts(matrix, Clipping.NONE, runs, 0.1))
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 9);
    assertThat(Trajectory.steadyTexts(matrix, clipping, runs, 0)).hasSize(10);
    assertThatThrownBy(() -> Trajectory.steadyTexts(matrix, clipping, runs, 1))
        .hasMessage("the share of texts to drop must be 0 to below 1, got 1.0");
  }

  private static Trajectory trajectory(DoubleUnaryOperator ofElapsed) {
    int k = STEPS.length;
    double[] triangle = new double[k * (k - 1) / 2];
    for (int i = 1, pair = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        triangle[pair++] = ofElapsed.applyAsDouble(STEPS[i] - STEPS[j]);
      }
    }
    List<String> names = Arrays.stream(STEPS).mapToObj(step -> "step" + step).toList();
    return Trajectory.of(
        DistanceMatrix.wrap(names, triangle), IntStream.range(0, k).toArray(), STEPS);
  }

  private static LogLikelihoodMatrix matrix(double[][] values) {
    int n = values[0].length;
    int[] bytes = new int[n];
    Arrays.fill(bytes, 1000);
    return LogLikelihoodMatrix.of(
        IntStream.range(0, values.length).mapToObj(i -> "m" + i).toList(),
        IntStream.range(0, n).mapToObj(s -> "t" + s).toList(),
        bytes,
        values);
  }
}
