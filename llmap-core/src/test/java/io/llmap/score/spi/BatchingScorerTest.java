package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.ModelSource;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.testing.BigramLm;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BatchingScorerTest {
  private static final ModelSource SOURCE = new ModelSource("bigram", "memory", "f00d", "test");
  private static final OptionalInt NO = OptionalInt.empty();

  private final BigramLm model = new BigramLm(1, 64);

  @Test
  void documentStartScoresEveryTokenAfterBos() {
    TextScore score =
        one(letters(OptionalInt.of(BigramLm.BOS), OptionalInt.of(BigramLm.EOS)), options(), "cab");
    assertThat(score.scoredTokens()).isEqualTo(3);
    assertThat(score.logLikelihood())
        .isCloseTo(
            model.logProb(BigramLm.BOS, 2) + model.logProb(2, 0) + model.logProb(0, 1), near(3));
  }

  @Test
  void documentStartFallsBackToEos() {
    TextScore score = one(letters(NO, OptionalInt.of(BigramLm.EOS)), options(), "ab");
    assertThat(score.logLikelihood())
        .isCloseTo(model.logProb(BigramLm.EOS, 0) + model.logProb(0, 1), near(2));
  }

  @Test
  void documentStartWithoutBosAndEosIsRefused() {
    assertThatThrownBy(() -> one(letters(NO, NO), options(), "ab"))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("bigram")
        .hasMessageContaining("neither a BOS nor an EOS");
  }

  @Test
  void tokenizerPolicyLeavesTheFirstTokenOfTheSequenceUnscored() {
    ScorerOptions paper = ScorerOptions.modelMapPaper();
    TextScore withBos = one(letters(OptionalInt.of(BigramLm.BOS), NO), paper, "ab");
    assertThat(withBos.scoredTokens()).isEqualTo(2);
    assertThat(withBos.logLikelihood())
        .isCloseTo(model.logProb(BigramLm.BOS, 0) + model.logProb(0, 1), near(2));
    TextScore withoutBos = one(letters(NO, NO), paper, "ab");
    assertThat(withoutBos.scoredTokens()).isEqualTo(1);
    assertThat(withoutBos.logLikelihood()).isCloseTo(model.logProb(0, 1), near(1));
  }

  @Test
  void nonePolicyAddsNothing() {
    ScorerOptions none = options().withPrefix(PrefixPolicy.NONE);
    TextScore score = one(letters(OptionalInt.of(BigramLm.BOS), NO), none, "abc");
    assertThat(score.scoredTokens()).isEqualTo(2);
    assertThat(score.logLikelihood()).isCloseTo(model.logProb(0, 1) + model.logProb(1, 2), near(2));
  }

  @Test
  void aOneTokenTextIsScoredAfterAPrefixAndRefusedWithoutOne() {
    assertThat(one(letters(OptionalInt.of(BigramLm.BOS), NO), options(), "a").scoredTokens())
        .isEqualTo(1);
    assertThatThrownBy(() -> one(letters(NO, NO), options().withPrefix(PrefixPolicy.NONE), "a"))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("\"0\" is 1 token(s) long")
        .hasMessageContaining("\"none\" scores none of them");
  }

  @Test
  void aTextWithoutTokensIsRefused() {
    assertThatThrownBy(() -> one(letters(OptionalInt.of(BigramLm.BOS), NO), options(), "123"))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("leave the text out");
  }

  @Test
  void aTextThatExactlyFillsTheContextIsWholeAndOneMoreTokenIsRefused() {
    Tokenizer letters = letters(OptionalInt.of(BigramLm.BOS), NO);
    assertThat(one(letters, options(), "a".repeat(63)).truncated()).isFalse();
    assertThatThrownBy(() -> one(letters, options(), "a".repeat(64)))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("65 tokens")
        .hasMessageContaining("the context of model bigram is 64");
  }

  @Test
  void truncationKeepsTheContextAndSaysSo() {
    Tokenizer letters = letters(OptionalInt.of(BigramLm.BOS), NO);
    ScorerOptions truncate = options().withOverLength(OverLengthPolicy.TRUNCATE);
    TextScore cut = one(letters, truncate, "ab".repeat(50));
    assertThat(cut.truncated()).isTrue();
    assertThat(cut.scoredTokens()).isEqualTo(63);
    assertThat(cut.bytes()).isEqualTo(100);
    assertThat(cut.logLikelihood())
        .isEqualTo(one(letters, options(), "ab".repeat(50).substring(0, 63)).logLikelihood());
  }

  @Test
  void tokenLogProbsComeWithByteOffsetsAndAddUpToTheLogLikelihood() {
    TextScore score =
        one(letters(OptionalInt.of(BigramLm.BOS), NO), options().withTokenLogProbs(true), "a--bc");
    assertThat(score.tokenLogProbs()).isPresent();
    assertThat(score.tokenLogProbs().get().byteOffsets()).containsExactly(0, 3, 4);
    double[] logProbs = score.tokenLogProbs().get().logProbs();
    assertThat(logProbs[0] + logProbs[1] + logProbs[2]).isEqualTo(score.logLikelihood());
    assertThat(one(letters(OptionalInt.of(BigramLm.BOS), NO), options(), "abc").tokenLogProbs())
        .isEmpty();
  }

  @ParameterizedTest
  @EnumSource(PrefixPolicy.class)
  void scoresDoNotDependOnBatchingOrderOrThreads(PrefixPolicy prefix) {
    List<Text> texts = randomTexts(57);
    Map<String, TextScore> expected = new HashMap<>();
    for (Text text : texts) {
      expected.putAll(score(List.of(text), options().withPrefix(prefix)));
    }
    List<Text> shuffled = new ArrayList<>(texts);
    Collections.shuffle(shuffled, new Random(4));
    for (int budget : new int[] {1, 60, 200, 100_000}) {
      for (int threads : new int[] {1, 3}) {
        model.withConcurrency(budget % 3 + 1);
        ScorerOptions options =
            options().withPrefix(prefix).withTokenBudget(budget).withThreads(threads);
        assertThat(score(shuffled, options)).isEqualTo(expected);
      }
    }
  }

  @Test
  void batchesAreLongestFirstAndWithinTheTokenBudget() {
    score(randomTexts(57), options().withTokenBudget(120));
    for (int[] shape : model.shapes) {
      assertThat(shape[1] == 1 || shape[0] * shape[1] <= 120).isTrue();
    }
    assertThat(model.shapes).isSortedAccordingTo((a, b) -> Integer.compare(b[0], a[0]));
    assertThat(model.shapes.stream().mapToInt(shape -> shape[1]).sum()).isEqualTo(57);
  }

  @Test
  void aResumedRunMakesTheSameBatchesAndSkipsThoseThatAreDone() {
    List<Text> texts = randomTexts(40);
    ScorerOptions options = options().withTokenBudget(150);
    score(texts, options);
    List<int[]> all = List.copyOf(model.shapes);
    BitSet done = new BitSet();
    Map<Integer, TextScore> delivered = new HashMap<>();
    try (BatchingScorer scorer = scorer(letters(OptionalInt.of(BigramLm.BOS), NO), options)) {
      scorer.score(
          texts,
          new ScoringListener() {
            @Override
            public void scored(int index, TextScore score) {
              done.set(index);
            }

            @Override
            public boolean cancelled() {
              return done.cardinality() >= 20;
            }
          });
      assertThat(done.cardinality()).isBetween(20, 39);
      model.shapes.clear();
      scorer.score(
          texts,
          new ScoringListener() {
            @Override
            public boolean wants(int index) {
              return !done.get(index);
            }

            @Override
            public void scored(int index, TextScore score) {
              delivered.put(index, score);
            }
          });
    }
    assertThat(model.shapes.toArray(int[][]::new))
        .isDeepEqualTo(
            all.subList(all.size() - model.shapes.size(), all.size()).toArray(int[][]::new));
    assertThat(delivered).hasSize(40 - done.cardinality());
  }

  @Test
  void severalBatchesAtOnceAreDeliveredInTheOrderOfThePlan() {
    List<Text> texts = randomTexts(57);
    model.withConcurrency(4);
    ScorerOptions options = options().withTokenBudget(100).withThreads(4);
    List<Integer> order = new ArrayList<>();
    try (BatchingScorer scorer = scorer(letters(OptionalInt.of(BigramLm.BOS), NO), options)) {
      scorer.score(texts, (index, score) -> order.add(index));
    }
    List<Integer> plan = new ArrayList<>();
    int[] lengths = texts.stream().mapToInt(text -> text.content().length() + 1).toArray();
    BatchPlan.of(lengths, new int[lengths.length], 100)
        .forEach(batch -> Arrays.stream(batch).forEach(plan::add));
    assertThat(order).isEqualTo(plan);
  }

  @Test
  void afterAFailureNoBatchIsRunningAndEarlierScoresWereDelivered() {
    List<Text> texts = new ArrayList<>(randomTexts(57));
    texts.set(30, Text.of("bad", "zq"));
    model.withConcurrency(3).with(25, 16, Float.NEGATIVE_INFINITY);
    for (int n = 0; n < texts.size(); n++) {
      texts.set(
          n, n == 30 ? texts.get(n) : Text.of("t" + n, texts.get(n).content().replace("zq", "zz")));
    }
    ScorerOptions options = options().withTokenBudget(100).withThreads(3);
    List<Integer> delivered = new ArrayList<>();
    try (BatchingScorer scorer = scorer(letters(OptionalInt.of(BigramLm.BOS), NO), options)) {
      assertThatThrownBy(() -> scorer.score(texts, (index, score) -> delivered.add(index)))
          .isInstanceOf(ScoringException.class)
          .hasMessageContaining("\"bad\"");
      assertThat(model.running).hasValue(0);
    }
    // The shortest texts are in the last batch.
    assertThat(delivered).hasSizeGreaterThan(40).doesNotContain(30);
  }

  @Test
  void aNaNLogitNamesModelTextAndToken() {
    model.with(0, 5, Float.NaN);
    assertThatThrownBy(() -> one(letters(OptionalInt.of(BigramLm.BOS), NO), options(), "bab"))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("model bigram gives token 3 (id 1) of text \"0\"")
        .hasMessageContaining("NaN");
  }

  @Test
  void anImpossibleTokenIsRefused() {
    model.with(0, 1, Float.NEGATIVE_INFINITY);
    assertThatThrownBy(() -> one(letters(OptionalInt.of(BigramLm.BOS), NO), options(), "ab"))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("-Infinity");
  }

  @Test
  void closingClosesModelAndTokenizer() {
    BigramLm.Letters letters = letters(NO, NO);
    scorer(letters, options()).close();
    assertThat(model.closed).isTrue();
    assertThat(letters.closed).isTrue();
  }

  private static ScorerOptions options() {
    return ScorerOptions.defaults();
  }

  private static BigramLm.Letters letters(OptionalInt bos, OptionalInt eos) {
    return new BigramLm.Letters(bos, eos);
  }

  private static org.assertj.core.data.Offset<Double> near(int tokens) {
    return within(tokens * Tolerances.singlePrecisionKernel(10, 28));
  }

  private static List<Text> randomTexts(int count) {
    Random random = new Random(9);
    List<Text> texts = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      StringBuilder content = new StringBuilder();
      int length = 2 + random.nextInt(60);
      for (int t = 0; t < length; t++) {
        content.append((char) ('a' + random.nextInt(26)));
      }
      texts.add(Text.of("t" + n, content.toString()));
    }
    return texts;
  }

  private BatchingScorer scorer(Tokenizer tokenizer, ScorerOptions options) {
    return new BatchingScorer(SOURCE, tokenizer, model, options);
  }

  private TextScore one(Tokenizer tokenizer, ScorerOptions options, String content) {
    List<TextScore> scores = new ArrayList<>();
    try (BatchingScorer scorer = scorer(tokenizer, options)) {
      scorer.score(List.of(Text.of("0", content)), (index, score) -> scores.add(score));
    }
    assertThat(scores).hasSize(1);
    return scores.get(0);
  }

  private Map<String, TextScore> score(List<Text> texts, ScorerOptions options) {
    Map<String, TextScore> scores = new HashMap<>();
    try (BatchingScorer scorer = scorer(letters(OptionalInt.of(BigramLm.BOS), NO), options)) {
      scorer.score(texts, (index, score) -> scores.put(texts.get(index).id(), score));
    }
    assertThat(scores).hasSize(texts.size());
    return scores;
  }
}
