package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.score.TextScore;
import io.llmap.text.TextSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Estimates beside exact teacher-forced divergences. */
class SegmentTruthTest {
  /** Four levels of closeness, and models that are better in the first domain or in the second. */
  private static LetterChains models(long seed) {
    LetterChains chains = new LetterChains(seed);
    for (double scale : new double[] {0.05, 0.2, 0.5, 1}) {
      chains.model(0.3 * scale, scale).model(scale, 0.3 * scale).model(scale / 2, scale);
    }
    return chains;
  }

  private static List<Double> ratios(LetterChains chains, TextSet texts, KlDistances distances) {
    DistanceMatrix kl = distances.in(KlUnit.NATS_PER_TEXT);
    return IntStream.range(1, chains.size())
        .boxed()
        .flatMap(i -> IntStream.range(0, i).mapToObj(j -> new int[] {i, j}))
        .map(p -> kl.get(p[0], p[1]) / chains.divergence(p[0], p[1], texts))
        .sorted()
        .toList();
  }

  private static double median(List<Double> sorted) {
    return sorted.get(sorted.size() / 2);
  }

  private static List<Double> perToken(LetterChains chains, TextSet texts) {
    double tokens = texts.meanBytes() - 1;
    return IntStream.range(1, chains.size())
        .boxed()
        .flatMap(i -> IntStream.range(0, i).mapToObj(j -> chains.divergence(i, j, texts) / tokens))
        .toList();
  }

  static SegmentMatrix segments(LetterChains chains, TextSet texts, int target) {
    SegmentMatrixBuilder builder = SegmentMatrix.builder(texts).targetTokens(target);
    for (int i = 0; i < chains.size(); i++) {
      builder.add("m" + i, chains.scores(i, texts));
    }
    return builder.build();
  }

  static KlDistances textVariance(LetterChains chains, TextSet texts) {
    double[][] values = new double[chains.size()][];
    for (int i = 0; i < values.length; i++) {
      values[i] = chains.scores(i, texts).stream().mapToDouble(TextScore::logLikelihood).toArray();
    }
    LogLikelihoodMatrix matrix =
        LogLikelihoodMatrix.of(
            IntStream.range(0, values.length).mapToObj(i -> "m" + i).toList(),
            texts.ids(),
            texts.texts().stream().mapToInt(t -> t.bytes()).toArray(),
            values);
    return KlDistances.of(CenteredMatrix.of(matrix, Clipping.NONE));
  }

  @Test
  void everyPairIsEstimatedAtItsDivergenceOnLongTextsOfTwoDomains() {
    LetterChains chains = models(1);
    TextSet texts = chains.texts(80, 1024);
    assertThat(perToken(chains, texts))
        .allMatch(kl -> kl > 5e-4 && kl < 0.7)
        .anyMatch(kl -> kl > 0.4);

    for (int target : new int[] {1, 4, 16, 64}) {
      List<Double> ratios = ratios(chains, texts, KlDistances.of(segments(chains, texts, target)));

      assertThat(ratios).as("%d tokens", target).allMatch(r -> r > 0.75 && r < 1.35);
      assertThat(median(ratios)).as("%d tokens", target).isBetween(0.9, 1.1);
    }
  }

  /** Models that are better in different domains: the gap of their means grows with the length. */
  @Test
  void textVarianceIsHighByAFactorThatGrowsWithTheTextsLengthAndSegmentsAreNot() {
    LetterChains chains = new LetterChains(2).model(0.3, 0.9).model(0.9, 0.3);
    double[] variance = new double[3];
    double[] segments = new double[3];
    for (int l = 0; l < 3; l++) {
      TextSet texts = chains.texts(1024 >> (2 * l), 64 << (2 * l));
      variance[l] = ratios(chains, texts, textVariance(chains, texts)).get(0);
      SegmentMatrix cut = segments(chains, texts, 16);
      segments[l] = ratios(chains, texts, KlDistances.of(cut)).get(0) / cut.centredShare();
    }
    assertThat(variance[0]).isGreaterThan(4);
    assertThat(variance[1] / variance[0]).isBetween(3.0, 5.0);
    assertThat(variance[2] / variance[1]).isBetween(3.0, 5.0);
    assertThat(segments[1] / segments[0]).isBetween(0.9, 1.1);
    assertThat(segments[2]).isBetween(0.75, 1.35);
    assertThat(segments[2] / segments[0]).isBetween(0.9, 1.1);
  }

  @Test
  void centringTakesFromShortTextsTheShareThatIsSaid() {
    LetterChains chains = models(3);
    TextSet texts = chains.texts(1280, 65);
    SegmentMatrix segments = segments(chains, texts, 16);

    List<Double> ratios = ratios(chains, texts, KlDistances.of(segments));

    assertThat(segments.centredShare()).isCloseTo(0.75, within(1e-12));
    assertThat(median(ratios) / segments.centredShare()).isBetween(0.95, 1.05);
  }

  @Test
  void modelsWithDifferentTokenizersAreEstimatedAtTheirDivergence() {
    LetterChains chains = models(4);
    TextSet texts = chains.texts(80, 1024);
    SegmentMatrixBuilder builder = SegmentMatrix.builder(texts);
    for (int i = 0; i < chains.size(); i++) {
      int tokenizer = i % 3;
      builder.add(
          "m" + i,
          tokenizer == 0
              ? chains.scores(i, texts)
              : chains.scores(i, texts, 2 * tokenizer, new Random(tokenizer)));
    }

    List<Double> ratios = ratios(chains, texts, KlDistances.of(builder.build()));

    assertThat(ratios).allMatch(r -> r > 0.75 && r < 1.35);
    assertThat(median(ratios)).isBetween(0.9, 1.1);
  }

  /** Tokens of two letters have boundaries at every second letter: the cuts of 16 letters stay. */
  @Test
  void aTokenizerThatAllowsTheSameCutsGivesTheSameDivergences() {
    LetterChains chains = models(5);
    TextSet texts = chains.texts(10, 500);
    SegmentMatrix letters = segments(chains, texts, 16);
    SegmentMatrixBuilder builder = SegmentMatrix.builder(texts);
    for (int i = 0; i < chains.size(); i++) {
      List<TextScore> scores = chains.scores(i, texts);
      builder.add(
          "m" + i,
          i % 2 == 0
              ? scores
              : scores.stream().map(score -> LetterChains.inGroups(score, 2)).toList());
    }
    SegmentMatrix mixed = builder.build();

    DistanceMatrix expected = KlDistances.of(letters).euclidean();
    DistanceMatrix actual = KlDistances.of(mixed).euclidean();
    assertThat(mixed.segments()).isEqualTo(letters.segments());
    for (int i = 0; i < chains.size(); i++) {
      for (int j = 0; j < i; j++) {
        assertThat(actual.get(i, j))
            .isCloseTo(expected.get(i, j), within(2 * SegmentMatrixTest.storage(letters, i, j)));
      }
    }
  }
}
