package io.llmap.matrix;

import static java.lang.Double.NaN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MatrixMergeTest {
  private static final List<String> IDS = List.of("t0", "t1");
  private static final int[] BYTES = {10, 20};
  private static final Map<String, String> OPTIONS = Map.of("prefix", "document-start");

  private static LogLikelihoodMatrix matrix(List<String> names, double[]... rows) {
    boolean[][] missing = new boolean[rows.length][2];
    for (int i = 0; i < rows.length; i++) {
      for (int n = 0; n < 2; n++) {
        missing[i][n] = Double.isNaN(rows[i][n]);
      }
    }
    return LogLikelihoodMatrix.ofPartial(names, IDS, BYTES, rows, missing);
  }

  private static double[] row(double... values) {
    return values;
  }

  private static MatrixProvenance provenance(String textSet, String... names) {
    Map<String, String> fingerprints = new LinkedHashMap<>();
    Arrays.stream(names).forEach(name -> fingerprints.put(name, "sha-" + name));
    return new MatrixProvenance(textSet, OPTIONS, fingerprints);
  }

  private static void assertRefused(
      LogLikelihoodMatrix first, LogLikelihoodMatrix second, String... problems) {
    assertThatThrownBy(() -> first.merge(second))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the matrices cannot be merged: " + String.join("; ", problems));
  }

  @Test
  void modelsOfTheOtherFollowThoseOfTheFirst() {
    LogLikelihoodMatrix first = matrix(List.of("b", "a"), row(-1, -2), row(-3, -4));
    LogLikelihoodMatrix second = matrix(List.of("d", "c"), row(-5, -6), row(-7, -8));

    LogLikelihoodMatrix both = first.merge(second);

    assertThat(both.names()).containsExactly("b", "a", "d", "c");
    assertThat(both.textIds()).isEqualTo(IDS);
    assertThat(both.textBytes(1)).isEqualTo(20);
    assertThat(both.toFlatArray()).containsExactly(-1, -2, -3, -4, -5, -6, -7, -8);
    assertThat(both.provenance()).isEmpty();
    assertThat(first.names()).containsExactly("b", "a");
  }

  @Test
  void aModelThatBothHaveIsOneIfItsLogLikelihoodsAreEqual() {
    LogLikelihoodMatrix first = matrix(List.of("a", "b"), row(-1, -2), row(-3, -4));
    LogLikelihoodMatrix same = matrix(List.of("c", "b"), row(-5, -6), row(-3, -4));
    LogLikelihoodMatrix other = matrix(List.of("b", "a"), row(-3, -4.5), row(-1, -2));

    assertThat(first.merge(same).names()).containsExactly("a", "b", "c");
    assertThat(first.merge(same).toFlatArray()).containsExactly(-1, -2, -3, -4, -5, -6);
    assertRefused(
        first,
        other,
        "model \"b\" has other log-likelihoods of 1 texts, such as -4.0 and -4.5 of \"t1\"");
  }

  @Test
  void cellsThatOneLacksAreThoseOfTheOther() {
    LogLikelihoodMatrix first = matrix(List.of("a", "b"), row(-1, NaN), row(-3, -4));
    LogLikelihoodMatrix second = matrix(List.of("a", "c"), row(NaN, -2), row(-5, NaN));

    LogLikelihoodMatrix both = first.merge(second);

    assertThat(both.toFlatArray()).containsExactly(-1, -2, -3, -4, -5, NaN);
    assertThat(both.missingCells()).isEqualTo(1);
    assertThat(both.missingTexts(0)).isZero();
    assertThat(first.get(0, 1)).isNaN();
  }

  @Test
  void otherTextsAreRefusedWithWhatDiffers() {
    LogLikelihoodMatrix first = matrix(List.of("a"), row(-1, -2));
    double[][] one = {{-1}};
    double[][] two = {{-1, -2}};

    assertRefused(
        first,
        LogLikelihoodMatrix.of(List.of("b"), List.of("t0"), new int[] {10}, one),
        "one has 2 texts, the other 1");
    assertRefused(
        first,
        LogLikelihoodMatrix.of(List.of("b"), List.of("t1", "t0"), BYTES, two),
        "2 of 2 text ids differ, such as \"t0\" and \"t1\"");
    assertRefused(
        first,
        LogLikelihoodMatrix.of(List.of("b"), IDS, new int[] {10, 21}, two),
        "1 of 2 texts differ in length, such as \"t1\" with 20 and 21 bytes");
  }

  @Test
  void provenanceIsUnited() {
    LogLikelihoodMatrix first =
        matrix(List.of("a", "b"), row(-1, -2), row(-3, -4))
            .withProvenance(provenance("set", "b", "a"));
    LogLikelihoodMatrix second =
        matrix(List.of("c", "b"), row(-5, -6), row(-3, -4))
            .withProvenance(provenance("set", "c", "b"));

    assertThat(first.merge(second).provenance()).contains(provenance("set", "a", "b", "c"));
  }

  @Test
  void allThatDiffersInProvenanceIsListed() {
    LogLikelihoodMatrix first =
        matrix(List.of("a"), row(-1, -2)).withProvenance(provenance("set", "a"));
    LogLikelihoodMatrix second =
        matrix(List.of("a"), row(-1, -2))
            .withProvenance(
                new MatrixProvenance(
                    "other set",
                    Map.of("prefix", "none", "over-length", "truncate"),
                    Map.of("a", "sha-of-another")));

    assertRefused(
        first,
        second,
        "the text sets are set and other set",
        "the option over-length is not set and \"truncate\"",
        "the option prefix is \"document-start\" and \"none\"",
        "model \"a\" has the fingerprints sha-a and sha-of-another");
  }

  @Test
  void provenanceOnOneSideOnlyMustBeTakenAwayByTheCaller() {
    LogLikelihoodMatrix known =
        matrix(List.of("a"), row(-1, -2)).withProvenance(provenance("set", "a"));
    LogLikelihoodMatrix unknown = matrix(List.of("b"), row(-3, -4));

    assertRefused(
        known,
        unknown,
        "only one of them has provenance: take it away from that one to vouch for both yourself");
    assertThat(known.withoutProvenance().merge(unknown).names()).containsExactly("a", "b");
  }

  @Test
  void provenanceFollowsASelection() {
    LogLikelihoodMatrix matrix =
        matrix(List.of("a", "b"), row(-1, -2), row(-3, -4))
            .withProvenance(provenance("set", "a", "b"));

    assertThat(matrix.selectModels(new int[] {1}).provenance()).contains(provenance("set", "b"));
    assertThat(matrix.selectTexts(new int[] {1}).provenance())
        .contains(provenance("set", "a", "b"));
    assertRefused(matrix, matrix.selectTexts(new int[] {1}), "one has 2 texts, the other 1");
  }

  @Test
  void provenanceOfOtherModelsOrWithoutAHashIsRefused() {
    LogLikelihoodMatrix matrix = matrix(List.of("a", "b"), row(-1, -2), row(-3, -4));

    assertThatThrownBy(() -> matrix.withProvenance(provenance("set", "a")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the provenance is of the models [a], the matrix of [a, b]");
    assertThatThrownBy(() -> provenance(" ", "a"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the text set has a blank fingerprint");
    assertThatThrownBy(() -> new MatrixProvenance("set", Map.of("a=b", ""), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the scoring option \"a=b\" has no name or an equals sign in it");
    assertThatThrownBy(() -> new MatrixProvenance("set", Map.of(), Map.of("a", "")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("model \"a\" has a blank fingerprint");
  }
}
