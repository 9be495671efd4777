package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.internal.ScoreRow.MalformedException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScoreRowTest {
  private static byte[] bytes(ScoreRow row) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    row.write(out);
    return out.toByteArray();
  }

  private static ScoreRow parse(String line, boolean withTokens) throws MalformedException {
    byte[] bytes = ("junk" + line + "junk").getBytes(StandardCharsets.UTF_8);
    return ScoreRow.parse(bytes, 4, bytes.length - 8, withTokens);
  }

  @Test
  void rowHasTheFieldsOfThePublishedDataAndOurs() {
    ScoreRow row =
        new ScoreRow(
            7, "é\"x", 2, 11, true, 3, -1.5, new double[] {-1, -0.5}, new int[] {0, 3}, null);
    assertThat(new String(bytes(row), StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"index\":7,\"id\":\"é\\\"x\",\"num-tokens\":3,\"num-bytes\":11,\"truncated\":true,"
                + "\"windows\":3,\"log-likelihood\":-1.5,\"token-log-probs\":[-1.0,-0.5],"
                + "\"token-byte-offsets\":[0,3]}\n");
  }

  @Property
  void everyFiniteFloatIsReadBackToTheSameBits(@ForAll List<Integer> bits)
      throws MalformedException {
    float[] sketches = new float[bits.size()];
    for (int t = 0; t < sketches.length; t++) {
      float any = Float.intBitsToFloat(bits.get(t));
      sketches[t] = Float.isFinite(any) ? any : -0.0f;
    }
    double[] logProbs = new double[sketches.length];
    int[] offsets = new int[sketches.length];
    ScoreRow row =
        new ScoreRow(1, "a", sketches.length, 9, false, 1, -1, logProbs, offsets, sketches);
    byte[] line = bytes(row);
    float[] back = ScoreRow.parse(line, 0, line.length - 1, true).tokenSketches();
    assertThat(back).hasSize(sketches.length);
    for (int t = 0; t < sketches.length; t++) {
      assertThat(Float.floatToRawIntBits(back[t])).isEqualTo(Float.floatToRawIntBits(sketches[t]));
    }
    assertThat(ScoreRow.parse(line, 0, line.length - 1, false).tokenSketches()).isNull();
  }

  @Test
  void sketchesThatAreNotOneATokenAreRefused() {
    String row =
        "{\"index\":0,\"num-tokens\":2,\"log-likelihood\":-1,\"token-log-probs\":[-1],"
            + "\"token-sketches\":%s}";
    for (String wrong : List.of("[]", "[1,2]", "[\"x\"]", "{}")) {
      assertThatThrownBy(() -> parse(row.formatted(wrong), true))
          .isInstanceOf(MalformedException.class)
          .hasMessageContaining("token-sketches");
    }
  }

  @Test
  void rowWithoutPerTokenValuesHasNoFieldForThem() {
    assertThat(
            new String(
                bytes(new ScoreRow(0, "a", 4, 1, false, 1, -2, null, null, null)),
                StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"index\":0,\"id\":\"a\",\"num-tokens\":5,\"num-bytes\":1,\"truncated\":false,"
                + "\"log-likelihood\":-2.0}\n");
  }

  @Test
  void windowsAreOneWhereARowDoesNotSayAndNeverNone() throws MalformedException {
    String row = "{\"index\":0,\"num-tokens\":2,%s\"log-likelihood\":-1}";
    assertThat(parse(row.formatted(""), false).windows()).isEqualTo(1);
    assertThat(parse(row.formatted("\"windows\":4,"), false).windows()).isEqualTo(4);
    assertThatThrownBy(() -> parse(row.formatted("\"windows\":0,"), false))
        .isInstanceOf(MalformedException.class)
        .hasMessage("windows is 0");
  }

  @Test
  void rowOfThePublishedDataIsRead() throws MalformedException {
    ScoreRow row =
        parse(
            "{\"index\": 3, \"num-tokens\": 3, \"log-likelihood\": -7, \"x\": {\"y\": [1]},"
                + " \"token-log-probs\": [-3, -4e0]}",
            true);
    assertThat(row.index()).isEqualTo(3);
    assertThat(row.id()).isNull();
    assertThat(row.scoredTokens()).isEqualTo(2);
    assertThat(row.bytes()).isEqualTo(-1);
    assertThat(row.logLikelihood()).isEqualTo(-7);
    assertThat(row.tokenLogProbs()).containsExactly(-3, -4);
    assertThat(row.tokenByteOffsets()).isNull();
  }

  @Provide
  Arbitrary<Double> anyFinite() {
    return Arbitraries.oneOf(
        Arbitraries.longs().map(Double::longBitsToDouble).filter(Double::isFinite),
        Arbitraries.of(
            -0.0,
            0.0,
            Double.MIN_VALUE,
            -Double.MIN_VALUE,
            Double.MIN_NORMAL,
            Math.nextDown(Double.MIN_NORMAL),
            Double.MAX_VALUE,
            -Double.MAX_VALUE,
            2e-323,
            0x1p53 + 2,
            -1.0 / 3));
  }

  @Provide
  Arbitrary<double[]> manyFinite() {
    return anyFinite()
        .array(Double[].class)
        .ofMaxSize(150)
        .map(boxed -> Arrays.stream(boxed).mapToDouble(d -> d).toArray());
  }

  @Property
  void everyFiniteDoubleIsReadBackToTheSameBits(
      @ForAll("anyFinite") double logLikelihood, @ForAll("manyFinite") double[] logProbs)
      throws MalformedException {
    int[] offsets = new int[logProbs.length];
    Arrays.setAll(offsets, t -> 3 * t);
    byte[] line =
        bytes(
            new ScoreRow(
                1, "a", logProbs.length, 9, false, 1, logLikelihood, logProbs, offsets, null));
    ScoreRow with = ScoreRow.parse(line, 0, line.length - 1, true);
    assertThat(bits(with.logLikelihood())).containsExactly(bits(logLikelihood));
    assertThat(bits(with.tokenLogProbs())).containsExactly(bits(logProbs));
    assertThat(with.tokenByteOffsets()).containsExactly(offsets);
    assertThat(bytes(with)).isEqualTo(line);

    ScoreRow without = ScoreRow.parse(line, 0, line.length - 1, false);
    assertThat(bits(without.logLikelihood())).containsExactly(bits(logLikelihood));
    assertThat(without.scoredTokens()).isEqualTo(logProbs.length);
    assertThat(without.tokenLogProbs()).isNull();
    assertThat(without.tokenByteOffsets()).isNull();
  }

  private static long[] bits(double... values) {
    return Arrays.stream(values).mapToLong(Double::doubleToRawLongBits).toArray();
  }

  @Test
  void pythonsNamesForWhatIsNotANumberAreReadToBeRefusedLater() throws MalformedException {
    String line = "{\"index\": 0, \"num-tokens\": 1, \"log-likelihood\": %s}";
    assertThat(parse(line.formatted("NaN"), false).logLikelihood()).isNaN();
    assertThat(parse(line.formatted("-Infinity"), false).logLikelihood())
        .isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(parse(line.formatted("-1e999"), false).logLikelihood())
        .isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @Test
  void inputWithoutAnyTokenHasNoScoredToken() throws MalformedException {
    assertThat(parse("{\"index\":0,\"num-tokens\":0,\"log-likelihood\":0}", true).scoredTokens())
        .isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``                                                                  | the line is not an object",
        "[]                                                                  | the line is not an object",
        "{\"num-tokens\":1,\"log-likelihood\":0}                             | there is no \"index\"",
        "{\"index\":0,\"log-likelihood\":0}                                  | there is no \"num-tokens\"",
        "{\"index\":0,\"num-tokens\":1}                                      | there is no \"log-likelihood\"",
        "{\"index\":-1,\"num-tokens\":1,\"log-likelihood\":0}                | \"index\" is -1",
        "{\"index\":\"0\"}                                                   | \"index\" is not a whole number",
        "{\"index\":0.0}                                                     | \"index\" is not a whole number",
        "{\"index\":99999999999}                                             | out of range of int",
        "{\"log-likelihood\":null}                                           | \"log-likelihood\" is not a number",
        "{\"id\":5}                                                          | \"id\" is not a string",
        "{\"truncated\":0}                                                   | \"truncated\" is not true or false",
        "{\"token-log-probs\":0}                                             | \"token-log-probs\" is not an array",
        "{\"token-log-probs\":[[]]}                                          | \"token-log-probs\" is not a",
        "{\"token-byte-offsets\":{}}                                         | \"token-byte-offsets\" is not an array",
        "{\"index\":0,\"num-tokens\":3,\"log-likelihood\":0,\"token-log-probs\":[-1]} | num-tokens is 3, so 2 tokens are scored, but token-log-probs has 1",
        "{\"index\":0,\"num-tokens\":1,\"log-likelihood\":0} {}              | there is more than one value",
        "{\"index\":0,\"num-tok                                              | nexpected end-of-input",
        "{\"index\":0,\"num-tokens\":1,\"log-likelihood\":-1.                | ",
      })
  void lineThatIsNotARowIsRefusedWithTheReason(String line, String reason) {
    for (boolean withTokens : new boolean[] {true, false}) {
      assertThatThrownBy(() -> parse(line, withTokens))
          .isInstanceOf(MalformedException.class)
          .hasMessageContaining(reason == null ? "" : reason);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"token-byte-offsets\":[1]",
        "\"token-log-probs\":[-1],\"token-byte-offsets\":[1,2]",
        "\"token-log-probs\":[-1],\"token-byte-offsets\":[-2]",
        "\"token-log-probs\":[-1],\"token-byte-offsets\":[0.5]"
      })
  void byteOffsetsThatDoNotFitTheTokensAreRefused(String fields) {
    String line = "{\"index\":0,\"num-tokens\":2,\"log-likelihood\":-1," + fields + "}";
    assertThatThrownBy(() -> parse(line, true))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("token-byte-offsets");
  }

  @Property
  void bytesAtRandomAreMalformedAndNothingWorse(@ForAll byte[] noise) {
    assertThatThrownBy(() -> ScoreRow.parse(noise, 0, noise.length, true))
        .isInstanceOf(MalformedException.class);
  }
}
