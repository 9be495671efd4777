package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SegmentMatrixTest {
  private static final TextSet TEN_BYTES = TextSet.of(List.of(Text.of("t", "0123456789")));

  private static TextScore score(int bytes, int[] offsets, double... logProbs) {
    return new TextScore(
        Arrays.stream(logProbs).sum(),
        logProbs.length,
        bytes,
        false,
        Optional.of(new TokenLogProbs(logProbs, offsets)));
  }

  private static TextScore cut(int bytes, int[] offsets, double... logProbs) {
    TextScore whole = score(bytes, offsets, logProbs);
    return new TextScore(
        whole.logLikelihood(), whole.scoredTokens(), bytes, true, whole.tokenLogProbs());
  }

  private static int[] at(int... offsets) {
    return offsets;
  }

  private static SegmentMatrix tenBytes(int target, TextScore... models) {
    SegmentMatrixBuilder builder = SegmentMatrix.builder(TEN_BYTES).targetTokens(target);
    for (int i = 0; i < models.length; i++) {
      builder.add("m" + i, List.of(models[i]));
    }
    return builder.build();
  }

  private static int[] lengths(SegmentMatrix segments) {
    int[] lengths = new int[segments.segments()];
    Arrays.setAll(lengths, segments::segmentBytes);
    return lengths;
  }

  private static double[] row(SegmentMatrix segments, int i) {
    double[] row = new double[segments.segments()];
    Arrays.setAll(row, g -> segments.get(i, g));
    return row;
  }

  /**
   * Differences of the segments 1, −3, −3 over 4, 4 and 2 bytes; −1/2 a byte; centred 3, −1, −2.
   */
  @Test
  void divergenceOfAnExampleByHand() {
    SegmentMatrix segments =
        tenBytes(
            2,
            score(10, at(0, 2, 4, 6, 8), -1, -2, -3, -4, -5),
            score(10, at(0, 2, 4, 6, 8), -2, -2, -2, -2, -2));

    assertThat(lengths(segments)).containsExactly(4, 4, 2);
    assertThat(row(segments, 0)).containsExactly(-3, -7, -5);
    assertThat(row(segments, 1)).containsExactly(-4, -4, -2);
    KlDistances kl = KlDistances.of(segments);
    assertThat(kl.squaredEuclidean().get(0, 1)).isCloseTo(14, within(1e-12));
    assertThat(kl.in(KlUnit.NATS_PER_TEXT).get(0, 1)).isCloseTo(7, within(1e-12));
    assertThat(kl.in(KlUnit.BITS_PER_BYTE).get(0, 1))
        .isCloseTo(7 / (10 * Math.log(2)), within(1e-12));
    assertThat(kl.estimator()).isEqualTo(KlEstimator.SEGMENTS);
    assertThat(kl.description()).isEqualTo("segments (2 tokens)");
    assertThat(segments.centredShare()).isCloseTo(1 - (16 + 16 + 4) / 100.0, within(1e-15));
  }

  @Test
  void cutsAreWhereEveryModelBeginsAToken() {
    SegmentMatrix segments =
        tenBytes(
            1,
            score(10, at(0, 2, 3, 5, 8), -1, -2, -3, -4, -5),
            score(10, at(0, 3, 4, 5, 7, 8, 9), -1, -2, -3, -4, -5, -6, -7));

    assertThat(lengths(segments)).containsExactly(3, 2, 3, 2);
    assertThat(row(segments, 0)).containsExactly(-3, -3, -4, -5);
    assertThat(row(segments, 1)).containsExactly(-1, -5, -9, -13);
    assertThat(segments.segmentTokens(0)).isEqualTo(2);
    assertThat(segments.segmentTokens(3)).isEqualTo(2);
    assertThat(segments.longSegments()).isEqualTo(4);
  }

  @Test
  void aSegmentEndsBeforeAnyModelHasMoreTokensThanTheTarget() {
    SegmentMatrix segments =
        tenBytes(
            3,
            score(10, at(0, 2, 4, 6, 8), -1, -1, -1, -1, -1),
            score(10, at(0, 1, 2, 4, 6, 7, 8), -1, -1, -1, -1, -1, -1, -1));

    assertThat(lengths(segments)).containsExactly(4, 4, 2);
  }

  @Test
  void theFirstSegmentBeginsWhereEveryModelHasBegun() {
    SegmentMatrix segments =
        tenBytes(
            1,
            score(10, at(0, 2, 4, 6), -1, -2, -3, -4),
            score(10, at(3, 4, 6, 8), -5, -6, -7, -8));

    assertThat(segments.firstByte(0)).isEqualTo(4);
    assertThat(segments.coveredBytes(0)).isEqualTo(6);
    assertThat(segments.meanCoveredBytes()).isEqualTo(6);
    assertThat(row(segments, 0)).containsExactly(-3, -4);
    assertThat(row(segments, 1)).containsExactly(-6, -15);
  }

  /** The token at byte 8 of the cut text may have gone on behind the context. */
  @Test
  void theLastSegmentEndsWhereACutTextIsKnownToEnd() {
    SegmentMatrix segments =
        tenBytes(
            1,
            cut(10, at(0, 2, 4, 6, 8), -1, -2, -3, -4, -5),
            score(10, at(0, 4, 8, 9), -1, -2, -3, -4));

    assertThat(lengths(segments)).containsExactly(4, 4);
    assertThat(row(segments, 0)).containsExactly(-3, -7);
    assertThat(row(segments, 1)).containsExactly(-1, -2);
  }

  @Test
  void aCutCharacterCountsWithNoneOfItsTokens() {
    SegmentMatrix segments = tenBytes(1, cut(10, at(0, 2, 4, 6, 6, 6), -1, -2, -3, -4, -5, -6));

    assertThat(row(segments, 0)).containsExactly(-1, -2, -3);
  }

  @Test
  void tokensOfOneCharacterStayTogether() {
    SegmentMatrix segments = tenBytes(1, score(10, at(0, 3, 3, 3, 6), -1, -2, -3, -4, -5));

    assertThat(lengths(segments)).containsExactly(3, 3, 4);
    assertThat(row(segments, 0)).containsExactly(-1, -9, -5);
    assertThat(segments.segmentTokens(1)).isEqualTo(3);
  }

  @Test
  void aSpecialTokenBehindTheTextBelongsToNoSegment() {
    SegmentMatrix segments = tenBytes(1, score(10, at(0, 5, 10), -1, -2, -30));

    assertThat(row(segments, 0)).containsExactly(-1, -2);
  }

  @Test
  void aTextWithOneSegmentIsLeftOutAndSaidToBe() {
    TextSet texts =
        TextSet.of(
            List.of(Text.of("short", "0123"), Text.of("long", "0123456789"), Text.of("s2", "01")));
    SegmentMatrix segments =
        SegmentMatrix.builder(texts)
            .targetTokens(2)
            .add(
                "m",
                List.of(
                    score(4, at(0, 2), -1, -1),
                    score(10, at(0, 2, 4, 6), -1, -2, -3, -4),
                    score(2, at(0), -1)))
            .build();

    assertThat(segments.textIds()).containsExactly("long");
    assertThat(segments.leftOut()).containsExactly("short", "s2");
    assertThat(segments)
        .hasToString(
            "1 models, 1 texts and 2 left out, 2 segments of up to 2 tokens and 0 longer ones, 10"
                + " of 10 bytes covered");
    assertThat(segments.texts()).isEqualTo(1);
    assertThat(KlDistances.of(segments).description())
        .isEqualTo("segments (2 tokens; 2 of 3 texts left out)");
  }

  @Test
  void noTextWithTwoSegmentsIsRefused() {
    assertThatThrownBy(() -> tenBytes(16, score(10, at(0, 5), -1, -1)))
        .isInstanceOf(LlmapException.class)
        .hasMessage(
            "none of the 1 texts has two segments of up to 16 tokens; use longer texts or a smaller"
                + " target");
  }

  private static final TextScore FIVE = score(10, at(0, 2, 4, 6, 8), -1, -2, -3, -4, -5);

  private static SegmentMatrixBuilder builder() {
    return SegmentMatrix.builder(TEN_BYTES).targetTokens(1).add("m", List.of(FIVE));
  }

  @Test
  void aModelWithoutTokenLogProbabilitiesIsNamed() {
    SegmentMatrixBuilder builder = builder().add("sums", List.of(TextScore.of(-3, 5, 10)));
    assertThatThrownBy(builder::build)
        .isInstanceOf(LlmapException.class)
        .hasMessage(
            "model \"sums\" has no token log-probabilities of text \"t\"; score it with"
                + " tokenLogProbs");
  }

  @Test
  void aModelThatScoredOtherTextsIsNamed() {
    SegmentMatrixBuilder longer = builder().add("b", List.of(score(11, at(0, 5), -1, -1)));
    assertThatThrownBy(longer::build)
        .isInstanceOf(LlmapException.class)
        .hasMessage("model \"b\" scored a text of 11 bytes as text \"t\", which has 10");
    assertThatThrownBy(() -> builder().add("b", List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("model \"b\" has 0 scores for 1 texts");
    SegmentMatrixBuilder none = builder().add("b", listener -> {});
    assertThatThrownBy(none::build)
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith(
            "model \"b\" has no score for 1 of 1 texts, the first of them \"t\"");
    SegmentMatrixBuilder twice =
        builder()
            .add(
                "b",
                listener -> {
                  listener.scored(0, FIVE);
                  listener.scored(0, FIVE);
                });
    assertThatThrownBy(twice::build)
        .isInstanceOf(LlmapException.class)
        .hasMessage("model \"b\" has two scores of text \"t\"");
  }

  @Test
  void aTokenThatCannotBeIsQuoted() {
    for (TextScore wrong :
        List.of(
            score(10, at(0, 4, 2), -1, -2, -3),
            score(10, at(0, 11), -1, -3),
            score(10, at(-1, 2), -1, -3))) {
      SegmentMatrixBuilder builder = builder().add("b", List.of(wrong));
      assertThatThrownBy(builder::build)
          .isInstanceOf(LlmapException.class)
          .hasMessageMatching(
              "model \"b\" has the log-probability -\\d.0 at byte -?\\d+, after byte \\d, of text \"t\""
                  + " with 10 bytes");
    }
    TextScore infinite =
        new TextScore(
            -1,
            1,
            10,
            false,
            Optional.of(new TokenLogProbs(new double[] {Double.NEGATIVE_INFINITY}, at(0))));
    SegmentMatrixBuilder builder = builder().add("b", List.of(infinite));
    assertThatThrownBy(builder::build)
        .isInstanceOf(LlmapException.class)
        .hasMessageContaining("-Infinity at byte 0");
  }

  @Test
  void scoresThatChangeBetweenTheTwoReadingsAreNoticed() {
    AtomicInteger readings = new AtomicInteger();
    SegmentMatrixBuilder builder =
        builder()
            .add(
                "b",
                listener ->
                    listener.scored(
                        0,
                        readings.getAndIncrement() == 0
                            ? FIVE
                            : score(10, at(0, 3, 6, 9), -1, -1, -1, -1)));
    assertThatThrownBy(builder::build)
        .isInstanceOf(LlmapException.class)
        .hasMessage(
            "model \"b\" has no token at byte 2 of text \"t\" any more: its scores changed while"
                + " they were read");
  }

  @Test
  void wrongUseIsRefused() {
    assertThatThrownBy(() -> SegmentMatrix.builder(TEN_BYTES).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a segment matrix needs at least one model");
    assertThatThrownBy(() -> SegmentMatrix.builder(TEN_BYTES).targetTokens(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a segment's target is at least 1 token, got 0");
    assertThatThrownBy(() -> builder().add("m", List.of(FIVE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("two models are named \"m\"");
    SegmentMatrix segments = builder().build();
    assertThatThrownBy(() -> segments.extend(TEN_BYTES).add("m", List.of(FIVE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("two models are named \"m\"");
    SegmentLayout layout = segments.layout();
    SegmentMatrix other =
        new SegmentMatrix(
            new SegmentLayout(
                layout.textSetFingerprint(),
                List.of("u"),
                layout.textBytes(),
                layout.firstBytes(),
                layout.starts(),
                layout.bytes(),
                layout.tokens(),
                List.of(),
                1),
            segments.names(),
            List.of(""),
            Map.of(),
            segments.values());
    SegmentMatrixBuilder extending = other.extend(TEN_BYTES).add("n", List.of(FIVE));
    assertThatThrownBy(extending::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "text \"u\" of the matrix to extend, of 10 bytes, is not in its place in the text set");
    assertThatThrownBy(() -> segments.extend(TEN_BYTES).targetTokens(2))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the matrix to extend was cut at 1 tokens, not 2");
    assertThatThrownBy(() -> segments.extend(TextSet.of(List.of(Text.of("t", "other")))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("the segments are of the text set " + TEN_BYTES.fingerprint());
    assertThatThrownBy(() -> segments.get(0, 5)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  /** What single precision may move the distance of two models by. */
  static double storage(SegmentMatrix segments, int i, int j) {
    double variation = 0;
    for (int n = 0; n < segments.texts(); n++) {
      int from = segments.firstSegment(n);
      int to = segments.firstSegment(n + 1);
      double mean = (double) segments.coveredBytes(n) / (to - from);
      double squares =
          IntStream.range(from, to)
              .mapToDouble(g -> Math.pow(segments.segmentBytes(g) / mean, 2))
              .sum();
      variation = Math.max(variation, Math.sqrt(squares / (to - from) - 1));
    }
    return Tolerances.singlePrecisionSegments(
        norm(row(segments, i)) + norm(row(segments, j)), variation);
  }

  private static double norm(double[] row) {
    return Math.sqrt(Arrays.stream(row).map(v -> v * v).sum());
  }
}
