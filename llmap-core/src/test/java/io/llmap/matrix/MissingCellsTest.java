package io.llmap.matrix;

import static java.lang.Double.NaN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MissingCellsTest {
  private static final List<String> NAMES = List.of("gpt", "llama");
  private static final List<String> IDS = List.of("t0", "t1", "t2");
  private static final int[] BYTES = {10, 20, 40};

  private static LogLikelihoodMatrix partial(double[][] values) {
    return LogLikelihoodMatrix.ofPartial(NAMES, IDS, BYTES, values, marks(values));
  }

  private static boolean[][] marks(double[][] values) {
    boolean[][] missing = new boolean[values.length][];
    for (int i = 0; i < values.length; i++) {
      missing[i] = new boolean[values[i].length];
      for (int n = 0; n < missing[i].length; n++) {
        missing[i][n] = Double.isNaN(values[i][n]);
      }
    }
    return missing;
  }

  @Test
  void aMissingCellIsNaNWhereverNumbersComeOut() {
    LogLikelihoodMatrix matrix = partial(new double[][] {{-1, NaN, -3}, {NaN, -5, -6}});

    assertThat(matrix.missingCells()).isEqualTo(2);
    assertThat(matrix.missingTexts(1)).isEqualTo(1);
    assertThat(matrix.isMissing(0, 1)).isTrue();
    assertThat(matrix.isMissing(0, 2)).isFalse();
    assertThat(matrix.get(0, 1)).isNaN();
    assertThat(matrix.row(1)).containsExactly(NaN, -5, -6);
    assertThat(matrix.toFlatArray()).containsExactly(-1, NaN, -3, NaN, -5, -6);
    double[] piece = new double[2];
    matrix.copyRow(0, 1, 3, piece, 0);
    assertThat(piece).containsExactly(NaN, -3);
  }

  @Test
  void aPartialMatrixWithoutMissingCellsIsAComplete() {
    double[][] values = {{-1, -2, -3}, {-4, -5, -6}};

    LogLikelihoodMatrix matrix = partial(values);

    assertThat(matrix.missingCells()).isZero();
    assertThat(matrix.toFlatArray())
        .isEqualTo(LogLikelihoodMatrix.of(NAMES, IDS, BYTES, values).toFlatArray());
  }

  @Test
  void aMaskThatDisagreesWithTheValuesIsRefused() {
    double[][] values = {{-1, NaN, -3}, {-4, -5, -6}};
    boolean[][] none = new boolean[2][3];
    assertRefused(values, none, "the log-likelihood of text \"t1\" under model \"gpt\" is NaN");
    boolean[][] shifted = {{true, false, false}, {false, false, false}};
    assertRefused(
        values,
        shifted,
        "the log-likelihood of text \"t0\" under model \"gpt\" is -1.0, but it is marked as missing");
    assertRefused(values, new boolean[1][3], "2 names but 1 rows of the mask");
    assertRefused(
        values,
        new boolean[][] {{false, true, false}, {false}},
        "model \"llama\" has 1 marks, expected 3");
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY})
  void anInfiniteValueIsNotMissing(double infinite) {
    double[][] values = {{-1, infinite, -3}, {-4, -5, -6}};
    boolean[][] marked = {{false, true, false}, {false, false, false}};
    assertRefused(
        values,
        marked,
        "the log-likelihood of text \"t1\" under model \"gpt\" is %s, but it is marked as missing"
            .formatted(infinite));
    assertRefused(
        values,
        new boolean[2][3],
        "the log-likelihood of text \"t1\" under model \"gpt\" is " + infinite);
  }

  @Test
  void aModelWithoutTextsAndATextWithoutModelsAreRefused() {
    double[][] noTexts = {{-1, -2, -3}, {NaN, NaN, NaN}};
    assertRefused(noTexts, marks(noTexts), "model \"llama\" lacks all 3 texts");
    double[][] noModels = {{-1, -2, NaN}, {-1, NaN, NaN}};
    assertRefused(noModels, marks(noModels), "none of 2 models has the text \"t2\"");
  }

  private static void assertRefused(double[][] values, boolean[][] missing, String problem) {
    assertThatThrownBy(() -> LogLikelihoodMatrix.ofPartial(NAMES, IDS, BYTES, values, missing))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(problem);
  }

  @Test
  void selectionsKeepMissingCellsAndRefuseWhatIsLeftWithoutAny() {
    LogLikelihoodMatrix matrix = partial(new double[][] {{-1, NaN, -3}, {NaN, -5, -6}});

    assertThat(matrix.selectTexts(new int[] {2, 1}).toFlatArray()).containsExactly(-3, NaN, -6, -5);
    assertThat(matrix.selectTexts(new int[] {2}).missingCells()).isZero();
    assertThat(matrix.selectModels(new int[] {1, 0}).row(0)).containsExactly(NaN, -5, -6);
    assertThatThrownBy(() -> matrix.selectTexts(new int[] {1}))
        .hasMessage("model \"gpt\" lacks all 1 texts");
    assertThatThrownBy(() -> matrix.selectModels(new int[] {0}))
        .hasMessage("none of 1 models has the text \"t1\"");
  }

  /** (1/10 + 3/40) / 2 / ln 2 by hand. */
  @Test
  void bitsPerByteIsThatOfTheTextsThatAreThere() {
    LogLikelihoodMatrix matrix = partial(new double[][] {{-1, NaN, -3}, {-4, -5, -6}});

    assertThat(matrix.bitsPerByte(0)).isCloseTo(0.175 / 2 / 0.6931471805599453, within(1e-15));
  }

  @Test
  void theClippingQuantileIsThatOfTheCellsThatAreThere() {
    LogLikelihoodMatrix matrix = partial(new double[][] {{-1, NaN, -3}, {NaN, -5, -7}});

    assertThat(Clipping.atQuantile(matrix, 0.5)).isEqualTo(new Clipping(0.5, -4));
  }

  /** Row means −2 and −6; row-centred {1, ., −1} and {., 1, −1}, so the last column's is −1. */
  @Test
  void meansAreThoseOfTheCellsThatAreThere() {
    LogLikelihoodMatrix matrix = partial(new double[][] {{-1, NaN, -3}, {NaN, -5, -7}});

    CenteredMatrix q = CenteredMatrix.of(matrix, Clipping.NONE);

    assertThat(q.meanLogLikelihood(0)).isEqualTo(-2);
    assertThat(q.meanLogLikelihood(1)).isEqualTo(-6);
    assertThat(q.toFlatArray()).containsExactly(0, NaN, 0, NaN, 0, 0);
    assertThat(q.missingCells()).isEqualTo(2);
    assertThat(q.missingTexts(0)).isEqualTo(1);
    assertThat(q.isMissing(0, 1)).isTrue();
    assertThat(q.isMissing(1, 1)).isFalse();
  }

  @Property(tries = 10)
  void coordinatesAreThoseOfThePlainFormula(@ForAll long seed) {
    double[][] values = values(new Random(seed), 70, 23, 0.2);
    Clipping clipping = Clipping.atQuantile(matrix(values), 0.1);
    double[][] expected = new double[70][];
    for (int i = 0; i < 70; i++) {
      double[] row = values[i].clone();
      Arrays.setAll(row, n -> row[n] < clipping.threshold() ? clipping.threshold() : row[n]);
      double mean = mean(row);
      Arrays.setAll(row, n -> row[n] - mean);
      expected[i] = row;
    }
    for (int n = 0; n < 23; n++) {
      int text = n;
      double mean = mean(Arrays.stream(expected).mapToDouble(row -> row[text]).toArray());
      for (double[] row : expected) {
        row[n] -= mean;
      }
    }

    CenteredMatrix q = CenteredMatrix.of(matrix(values), clipping);

    for (int i = 0; i < 70; i++) {
      for (int n = 0; n < 23; n++) {
        if (Double.isNaN(values[i][n])) {
          assertThat(q.get(i, n)).isNaN();
        } else {
          assertThat(q.get(i, n))
              .isCloseTo(expected[i][n], within(Tolerances.centring(smallest(values))));
        }
      }
    }
  }

  private static double mean(double[] row) {
    return Arrays.stream(row).filter(v -> !Double.isNaN(v)).average().orElseThrow();
  }

  private static double smallest(double[][] values) {
    return Arrays.stream(values)
        .flatMapToDouble(Arrays::stream)
        .filter(v -> !Double.isNaN(v))
        .min()
        .orElseThrow();
  }

  @Test
  void coordinatesHaveTheSameBitsOnAnyNumberOfThreads() throws Exception {
    double[][] values = values(new Random(5), 150, 77, 0.3);
    double[] one = onThreads(1, values);

    assertThat(onThreads(2, values)).isEqualTo(one);
    assertThat(onThreads(7, values)).isEqualTo(one);
  }

  private static double[] onThreads(int threads, double[][] values) throws Exception {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(
              () -> {
                LogLikelihoodMatrix matrix = matrix(values);
                return CenteredMatrix.of(matrix, Clipping.atQuantile(matrix, 0.02)).toFlatArray();
              })
          .get();
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void aModelOfTheMatrixIsProjectedOntoItself() {
    double[][] values = values(new Random(8), 9, 31, 0.25);
    CenteredMatrix q = CenteredMatrix.of(matrix(values), new Clipping(0.1, -700));

    for (int i = 0; i < 9; i++) {
      assertThat(q.project(values[i], marks(values)[i])).isEqualTo(q.row(i));
    }
  }

  @Test
  void aNewcomerWhoseMarksDisagreeOrWhoHasNoTextIsNotProjected() {
    CenteredMatrix q =
        CenteredMatrix.of(partial(new double[][] {{-1, NaN, -3}, {-4, -5, -6}}), Clipping.NONE);
    double[] row = {-1, NaN, -3};

    assertThatThrownBy(() -> q.project(row))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the new row's log-likelihood of text 1 is NaN");
    assertThatThrownBy(() -> q.project(row, new boolean[] {true, true, false}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the new row's log-likelihood of text 0 is -1.0, but it is marked as missing");
    assertThatThrownBy(
            () -> q.project(new double[] {NaN, NaN, NaN}, new boolean[] {true, true, true}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the new row lacks all 3 texts");
    assertThatThrownBy(() -> q.project(row, new boolean[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the new row has 3 texts and 2 marks, the matrix 3 texts");
  }

  @Test
  void aMethodThatNeedsEveryCellNamesAModelThatLacksSome() {
    CenteredMatrix q =
        CenteredMatrix.of(partial(new double[][] {{-1, -2, -3}, {NaN, -5, -6}}), Clipping.NONE);

    assertThatThrownBy(() -> q.requireComplete("PCA"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "PCA needs every cell, but model \"llama\" lacks 1 of 3 texts; select texts or models");
    assertThatCode(() -> q.selectModels(new int[] {0}).requireComplete("PCA"))
        .doesNotThrowAnyException();
  }

  private static double[][] values(Random random, int k, int n, double missing) {
    double[][] values = new double[k][n];
    for (int i = 0; i < k; i++) {
      for (int s = 0; s < n; s++) {
        // Every model has a text and every text a model.
        boolean kept = s == i % n || random.nextDouble() >= missing;
        values[i][s] = kept ? -600 + 50 * random.nextGaussian() : NaN;
      }
    }
    for (int s = 0; s < n; s++) {
      values[s % k][s] = -500 - s;
    }
    return values;
  }

  private static LogLikelihoodMatrix matrix(double[][] values) {
    int n = values[0].length;
    int[] bytes = new int[n];
    Arrays.fill(bytes, 1000);
    return LogLikelihoodMatrix.ofPartial(
        IntStream.range(0, values.length).mapToObj(i -> "m" + i).toList(),
        IntStream.range(0, n).mapToObj(s -> "t" + s).toList(),
        bytes,
        values,
        marks(values));
  }
}
