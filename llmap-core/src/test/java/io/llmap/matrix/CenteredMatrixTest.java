package io.llmap.matrix;

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
import java.util.concurrent.ForkJoinPool;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CenteredMatrixTest {
  /** Method 10. */
  private static final double[][] METHOD = {
    {-600, -500, -700, -400},
    {-610, -490, -720, -410},
    {-590, -530, -690, -3000},
    {-605, -505, -705, -395}
  };

  @Test
  void thresholdsAreThoseOfTheMethodExactly() {
    assertThat(Clipping.atQuantile(matrix(METHOD), 0.02)).isEqualTo(new Clipping(0.02, -2316.0));
    assertThat(Clipping.atQuantile(matrix(METHOD), 0.10)).isEqualTo(new Clipping(0.10, -712.5));
  }

  @Test
  void coordinatesAreThoseOfTheMethodExactly() {
    LogLikelihoodMatrix matrix = matrix(METHOD);

    CenteredMatrix q = CenteredMatrix.of(matrix, Clipping.atQuantile(matrix, 0.10));

    assertThat(q.toFlatArray())
        .containsExactly(
            -20.9375, -15.9375, -20.3125, 57.1875, -25.3125, -0.3125, -27.1875, 52.8125, 69.6875,
            34.6875, 70.3125, -174.6875, -23.4375, -18.4375, -22.8125, 64.6875);
    assertThat(q.meanLogLikelihood(0)).isEqualTo(-550);
    assertThat(q.meanLogLikelihood(2)).isEqualTo((-590 - 530 - 690 - 712.5) / 4);
    assertThat(q.clipping().threshold()).isEqualTo(-712.5);
    assertThat(q.row(2)).containsExactly(69.6875, 34.6875, 70.3125, -174.6875);
    assertThat(q.get(1, 3)).isEqualTo(52.8125);
    assertThat(q.names()).isEqualTo(matrix.names());
    assertThat(q.models()).isEqualTo(4);
    assertThat(q.texts()).isEqualTo(4);
    assertThat(q.meanBytes()).isEqualTo(1000);
  }

  @Test
  void thresholdIsThatOfNumpyToTheBit() {
    assertThat(Clipping.atQuantile(GoldenFiles.logLikelihoods(), Clipping.DEFAULT_QUANTILE))
        .isEqualTo(new Clipping(0.02, GoldenFiles.numbers("clip_threshold")[0]));
  }

  @Test
  void coordinatesAreThoseOfNumpy() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    double[] expected =
        Arrays.stream(GoldenFiles.matrix("q.npy")).flatMapToDouble(DoubleStream::of).toArray();

    CenteredMatrix q = CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02));

    assertThat(q.toFlatArray())
        .containsExactly(expected, within(Tolerances.centring(largest(raw))));
  }

  @Test
  void everyRowAndColumnHasMeanZero() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    CenteredMatrix q = CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02));
    double bound = Tolerances.centring(largest(raw));

    for (int i = 0; i < q.models(); i++) {
      assertThat(Arrays.stream(q.row(i)).average()).hasValueCloseTo(0.0, within(bound));
    }
    for (int n = 0; n < q.texts(); n++) {
      int text = n;
      assertThat(IntStream.range(0, q.models()).mapToDouble(i -> q.get(i, text)).average())
          .hasValueCloseTo(0.0, within(bound));
    }
  }

  @Test
  void oneModelIsAtTheOriginAndTwoAreOpposite() {
    CenteredMatrix one = CenteredMatrix.of(matrix(new double[][] {{-1.5, -2, -7}}), Clipping.NONE);
    assertThat(one.toFlatArray()).containsExactly(0, 0, 0);

    CenteredMatrix two =
        CenteredMatrix.of(matrix(new double[][] {{-1, -2, -6}, {-8, -1, -3}}), Clipping.NONE);
    for (int n = 0; n < 3; n++) {
      assertThat(two.get(0, n)).isEqualTo(-two.get(1, n)).isNotZero();
    }
  }

  /** Method 8.10. The new row stays above the kept threshold or is clipped at it, as in a refit. */
  @Property(tries = 50)
  void aProjectedModelHasTheDistancesOfARefit(@ForAll long seed) {
    Random random = new Random(seed);
    double[][] all = random(random, 7, 40);
    all[6][3] = -30_000;
    LogLikelihoodMatrix fitted = matrix(Arrays.copyOf(all, 6));
    Clipping clipping = Clipping.atQuantile(fitted, 0.05);
    CenteredMatrix q = CenteredMatrix.of(fitted, clipping);
    CenteredMatrix refit = CenteredMatrix.of(matrix(all), clipping);

    double[] projected = q.project(all[6]);

    for (int i = 0; i < 6; i++) {
      double expected = squaredDistance(refit.row(i), refit.row(6));
      assertThat(squaredDistance(q.row(i), projected))
          .isCloseTo(expected, within(Tolerances.squaredDistance(expected)));
    }
  }

  @Test
  void aModelOfTheMatrixIsProjectedOntoItself() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    CenteredMatrix q = CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02));

    assertThat(q.project(raw.row(3))).isEqualTo(q.row(3));
  }

  @Test
  void projectingChangesNeitherTheArgumentNorTheMatrix() {
    CenteredMatrix q = CenteredMatrix.of(matrix(METHOD), new Clipping(0.1, -712.5));
    double[] before = q.toFlatArray();
    double[] row = {-1000, -2, -3, -4};

    double[] projected = q.project(row);
    projected[0] = 99;

    assertThat(row).containsExactly(-1000, -2, -3, -4);
    assertThat(q.toFlatArray()).isEqualTo(before);
  }

  @Test
  void aRowOfAnotherLengthOrWithAnImpossibleValueIsNotProjected() {
    CenteredMatrix q = CenteredMatrix.of(matrix(METHOD), Clipping.NONE);

    assertThatThrownBy(() -> q.project(new double[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the new row has 3 texts and 4 marks, the matrix 4 texts");
    assertThatThrownBy(() -> q.project(new double[] {-1, -2, Double.NEGATIVE_INFINITY, -4}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the new row's log-likelihood of text 2 is -Infinity");
  }

  @Property(tries = 50)
  void permutingModelsAndTextsPermutesCoordinates(@ForAll long seed) {
    Random random = new Random(seed);
    double[][] values = random(random, 6, 25);
    List<Integer> models = shuffled(6, random);
    List<Integer> texts = shuffled(25, random);
    double[][] permuted = new double[6][25];
    for (int i = 0; i < 6; i++) {
      for (int n = 0; n < 25; n++) {
        permuted[i][n] = values[models.get(i)][texts.get(n)];
      }
    }
    Clipping clipping = Clipping.atQuantile(matrix(values), 0.1);
    CenteredMatrix q = CenteredMatrix.of(matrix(values), clipping);
    CenteredMatrix moved = CenteredMatrix.of(matrix(permuted), clipping);

    assertThat(Clipping.atQuantile(matrix(permuted), 0.1)).isEqualTo(clipping);
    double bound = Tolerances.centring(largest(matrix(values)));
    for (int i = 0; i < 6; i++) {
      for (int n = 0; n < 25; n++) {
        assertThat(moved.get(i, n)).isCloseTo(q.get(models.get(i), texts.get(n)), within(bound));
      }
    }
  }

  @Test
  void clippingRaisesWhatIsBelowAndLeavesTheRest() {
    double[] row = {-3, -1, -2, -2.5};

    assertThat(new Clipping(0.5, -2).apply(row)).containsExactly(-2, -1, -2, -2);
    assertThat(Clipping.NONE.apply(row)).isEqualTo(row).isNotSameAs(row);
    assertThat(Clipping.atQuantile(matrix(METHOD), 0)).isEqualTo(Clipping.NONE);
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.01, 1, Double.NaN})
  void aQuantileOutsideTheHalfOpenUnitIntervalIsRefused(double quantile) {
    assertThatThrownBy(() -> Clipping.atQuantile(matrix(METHOD), quantile))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the clipping quantile must be in [0, 1), got " + quantile);
    assertThatThrownBy(() -> new Clipping(quantile, -1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
  void aThresholdThatWouldEraseTheMatrixIsRefused(double threshold) {
    assertThatThrownBy(() -> new Clipping(0.1, threshold))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the clipping threshold is " + threshold);
  }

  @Test
  void coordinatesHaveTheSameBitsOnAnyNumberOfThreads() throws Exception {
    LogLikelihoodMatrix raw = matrix(random(new Random(1), 150, 333));
    double[] one = onThreads(1, raw);

    assertThat(onThreads(2, raw)).isEqualTo(one);
    assertThat(onThreads(7, raw)).isEqualTo(one);
  }

  private static double[] onThreads(int threads, LogLikelihoodMatrix raw) throws Exception {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(() -> CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02)).toFlatArray())
          .get();
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void selectedModelsKeepTheirCoordinatesAndStillTakeNewcomers() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    CenteredMatrix q = CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02));

    CenteredMatrix some = q.selectModels(new int[] {5, 2});

    assertThat(some.names()).containsExactly(q.names().get(5), q.names().get(2));
    assertThat(some.row(0)).isEqualTo(q.row(5));
    assertThat(some.row(1)).isEqualTo(q.row(2));
    assertThat(some.meanLogLikelihood(1)).isEqualTo(q.meanLogLikelihood(2));
    assertThat(some.clipping()).isEqualTo(q.clipping());
    assertThat(some.meanBytes()).isEqualTo(q.meanBytes());
    assertThat(some.project(raw.row(9))).isEqualTo(q.row(9));
    assertThatThrownBy(() -> q.selectModels(new int[] {1, 1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a selection needs at least one model, each once, got [1, 1]");
    assertThatThrownBy(() -> q.selectModels(new int[0]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static List<Integer> shuffled(int size, Random random) {
    List<Integer> order = new ArrayList<>(IntStream.range(0, size).boxed().toList());
    Collections.shuffle(order, random);
    return order;
  }

  private static double squaredDistance(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(n -> (a[n] - b[n]) * (a[n] - b[n])).sum();
  }

  private static double largest(LogLikelihoodMatrix matrix) {
    return Arrays.stream(matrix.toFlatArray()).map(Math::abs).max().orElseThrow();
  }

  private static double[][] random(Random random, int k, int n) {
    double[][] values = new double[k][n];
    for (double[] row : values) {
      Arrays.setAll(row, s -> -1500 + 120 * random.nextGaussian());
    }
    return values;
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
