package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogLikelihoodMatrixTest {
  private static final List<String> NAMES = List.of("gpt", "llama");
  private static final List<String> IDS = List.of("t0", "t1", "t2");
  private static final int[] BYTES = {10, 20, 40};

  private static double[][] values() {
    return new double[][] {{-1, -2, -3}, {-4, -5, -6}};
  }

  private static LogLikelihoodMatrix matrix() {
    return LogLikelihoodMatrix.of(NAMES, IDS, BYTES, values());
  }

  @Test
  void aMatrixIsACopyOfWhatItWasMadeFrom() {
    double[][] values = values();
    int[] bytes = BYTES.clone();
    LogLikelihoodMatrix matrix = LogLikelihoodMatrix.of(NAMES, IDS, bytes, values);
    values[0][0] = 5;
    bytes[0] = 5;
    matrix.row(0)[1] = 5;
    matrix.toFlatArray()[2] = 5;

    assertThat(matrix.models()).isEqualTo(2);
    assertThat(matrix.texts()).isEqualTo(3);
    assertThat(matrix.names()).isEqualTo(NAMES);
    assertThat(matrix.textIds()).isEqualTo(IDS);
    assertThat(matrix.toFlatArray()).containsExactly(-1, -2, -3, -4, -5, -6);
    assertThat(matrix.row(1)).containsExactly(-4, -5, -6);
    assertThat(matrix.get(1, 2)).isEqualTo(-6);
    assertThat(matrix.textBytes(0)).isEqualTo(10);
    assertThat(matrix.meanBytes()).isCloseTo(70 / 3.0, within(1e-14));
  }

  @Test
  void aColumnTooFarIsNotTheNextModels() {
    assertThatThrownBy(() -> matrix().get(0, 3)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> matrix().get(1, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> CenteredMatrix.of(matrix(), Clipping.NONE).get(0, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  /** −log2 p per byte of each text, then the mean over texts: (1/10 + 2/20 + 3/40) / 3 / ln 2. */
  @Test
  void bitsPerByteIsTheMeanOverTextsOfEachTextsOwnRate() {
    assertThat(matrix().bitsPerByte(0)).isCloseTo(0.275 / 3 / 0.6931471805599453, within(1e-15));
    assertThat(matrix().bitsPerByte(1)).isCloseTo(0.8 / 3 / 0.6931471805599453, within(1e-15));
  }

  @Test
  void selectedTextsKeepTheirValuesLengthsAndTheOrderAskedFor() {
    LogLikelihoodMatrix selected = matrix().selectTexts(new int[] {2, 0});

    assertThat(selected.names()).isEqualTo(NAMES);
    assertThat(selected.textIds()).containsExactly("t2", "t0");
    assertThat(selected.toFlatArray()).containsExactly(-3, -1, -6, -4);
    assertThat(selected.textBytes(0)).isEqualTo(40);
    assertThat(selected.meanBytes()).isEqualTo(25);
  }

  @Test
  void aSelectionWithoutTextsWithATextTwiceOrOutOfRangeIsRefused() {
    assertThatThrownBy(() -> matrix().selectTexts(new int[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a matrix needs at least one model and one text, got 2 and 0");
    assertThatThrownBy(() -> matrix().selectTexts(new int[] {1, 1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("two texts have the id \"t1\"");
    assertThatThrownBy(() -> matrix().selectTexts(new int[] {3}))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY})
  void aValueThatIsNotFiniteNamesItsModelAndText(double bad) {
    double[][] values = values();
    values[1][2] = bad;

    assertThatThrownBy(() -> LogLikelihoodMatrix.of(NAMES, IDS, BYTES, values))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the log-likelihood of text \"t2\" under model \"llama\" is " + bad);
  }

  /** Ten bytes are about ten tokens at most, each rounded by less than 1e-4. */
  @Test
  void aValueAboveZeroByMoreThanRoundingIsRefusedAsALoss() {
    double[][] values = values();
    values[0][0] = 1e-3;
    assertThat(LogLikelihoodMatrix.of(NAMES, IDS, BYTES, values).get(0, 0)).isEqualTo(1e-3);
    values[0][0] = 1.1e-3;
    assertThatThrownBy(() -> LogLikelihoodMatrix.of(NAMES, IDS, BYTES, values))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the log-likelihood of text \"t0\" under model \"gpt\" is 0.0011, the logarithm of a"
                + " probability above 1; is it a loss?");
  }

  @Test
  void aPieceOfARowIsCopiedWhereItIsWanted() {
    double[] target = {7, 7, 7, 7};
    matrix().copyRow(1, 1, 3, target, 1);
    assertThat(target).containsExactly(7, -5, -6, 7);
    assertThatThrownBy(() -> matrix().copyRow(0, 0, 4, target, 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> matrix().copyRow(0, 0, 3, target, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void selectedModelsKeepTheirValuesAndTheOrderAskedFor() {
    LogLikelihoodMatrix selected = matrix().selectModels(new int[] {1, 0});

    assertThat(selected.names()).containsExactly("llama", "gpt");
    assertThat(selected.textIds()).isEqualTo(IDS);
    assertThat(selected.toFlatArray()).containsExactly(-4, -5, -6, -1, -2, -3);
    assertThat(selected.textBytes(2)).isEqualTo(40);
    assertThatThrownBy(() -> matrix().selectModels(new int[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a matrix needs at least one model and one text, got 0 and 3");
    assertThatThrownBy(() -> matrix().selectModels(new int[] {1, 1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("two models are named \"llama\"");
    assertThatThrownBy(() -> matrix().selectModels(new int[] {2}))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void badShapesNamesAndLengthsAreRefusedWithTheirValues() {
    assertRefused(
        List.of(), IDS, BYTES, new double[0][], "at least one model and one text, got 0 and 3");
    assertRefused(NAMES, List.of(), new int[0], new double[2][0], "got 2 and 0");
    assertRefused(List.of("a", "a"), IDS, BYTES, values(), "two models are named \"a\"");
    assertRefused(NAMES, List.of("x", "y", "x"), BYTES, values(), "two texts have the id \"x\"");
    assertRefused(
        NAMES, IDS, new int[2], values(), "2 names but 2 rows; 3 text ids but 2 byte counts");
    assertRefused(
        NAMES, IDS, BYTES, new double[1][3], "2 names but 1 rows; 3 text ids but 3 byte counts");
    assertRefused(NAMES, IDS, new int[] {10, 0, 1}, values(), "text \"t1\" has 0 bytes");
    assertRefused(
        NAMES,
        IDS,
        BYTES,
        new double[][] {{-1, -2, -3}, {-4, -5}},
        "model \"llama\" has 2 values, expected 3");
  }

  private static void assertRefused(
      List<String> names, List<String> ids, int[] bytes, double[][] values, String problem) {
    assertThatThrownBy(() -> LogLikelihoodMatrix.of(names, ids, bytes, values))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith(problem);
  }
}
