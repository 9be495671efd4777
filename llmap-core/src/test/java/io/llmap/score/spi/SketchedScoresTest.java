package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.ModelSource;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.testing.BigramLm;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sketches through the scorer, over a model with distributions in closed form. */
class SketchedScoresTest {
  private static final int V = 28;
  private static final ScorerOptions SKETCHES = ScorerOptions.defaults().withSketches(true);

  private final BigramLm model = new BigramLm(3, 64);

  private TextScore[] score(CausalLm lm, ScorerOptions options, List<Text> texts) {
    TextScore[] scores = new TextScore[texts.size()];
    try (BatchingScorer scorer =
        new BatchingScorer(
            new ModelSource("bigram", "memory", "f00d", "test"),
            new BigramLm.Letters(OptionalInt.of(BigramLm.BOS), OptionalInt.empty()),
            lm,
            options)) {
      scorer.score(texts, (n, score) -> scores[n] = score);
    }
    return scores;
  }

  /** By the definition; of this model only the token before counts. */
  private void assertSketches(TextScore score, Text text, int tokens) {
    float[] sketches = score.tokenLogProbs().flatMap(TokenLogProbs::sketches).orElseThrow();
    assertThat(sketches).hasSize(tokens);
    String all = text.prompt() + text.content();
    long key = RandomSigns.key(text);
    for (int t = 0; t < tokens; t++) {
      int at = text.prompt().length() + t;
      int previous = at == 0 ? BigramLm.BOS : all.charAt(at - 1) - 'a';
      double expected = 0;
      double roots = 0;
      for (int v = 0; v < V; v++) {
        double root = Math.exp(model.logProb(previous, v) / 2);
        expected += RandomSigns.isNegative(RandomSigns.row(key, t), v) ? -root : root;
        roots += root;
      }
      assertThat((double) sketches[t])
          .isCloseTo(expected, within(Tolerances.singlePrecisionSketch(roots, V)));
    }
  }

  private static String letters(Random random, int count) {
    StringBuilder letters = new StringBuilder();
    for (int t = 0; t < count; t++) {
      letters.append((char) ('a' + random.nextInt(26)));
    }
    return letters.toString();
  }

  private static List<Text> texts(int count, int longest) {
    Random random = new Random(12);
    List<Text> texts = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      String prompt = letters(random, random.nextInt(4));
      texts.add(new Text("t" + n, prompt, letters(random, 1 + random.nextInt(longest))));
    }
    return texts;
  }

  @Test
  void everyTokenHasTheSketchOfTheDistributionThatItWasPredictedWith() {
    List<Text> texts = texts(12, 50);
    TextScore[] scores = score(model, SKETCHES, texts);
    for (int n = 0; n < scores.length; n++) {
      assertSketches(scores[n], texts.get(n), texts.get(n).bytes());
    }
  }

  @Test
  void windowsAndTruncationKeepTheSignsOfATokensPlaceInItsText() {
    Text text = new Text("long", "ab", letters(new Random(1), 150));
    ScorerOptions rolling = SKETCHES.withOverLength(OverLengthPolicy.rolling(17));
    assertSketches(score(model, rolling, List.of(text))[0], text, 150);
    // A cut text has lost its prompt.
    text = Text.of("long", text.content());
    ScorerOptions truncate = SKETCHES.withOverLength(OverLengthPolicy.TRUNCATE);
    TextScore cut = score(model, truncate, List.of(text))[0];
    assertThat(cut.truncated()).isTrue();
    assertSketches(cut, text, cut.scoredTokens());
  }

  @Test
  void sketchesDoNotDependOnBatchesOrderOrThreads() {
    List<Text> texts = texts(40, 50);
    TextScore[] expected = score(model, SKETCHES.withTokenBudget(1).withThreads(1), texts);
    List<Text> reversed = new ArrayList<>(texts);
    Collections.reverse(reversed);
    for (int threads : new int[] {1, 3}) {
      TextScore[] scores =
          score(model, SKETCHES.withTokenBudget(300).withThreads(threads), reversed);
      for (int n = 0; n < scores.length; n++) {
        TokenLogProbs actual = scores[scores.length - 1 - n].tokenLogProbs().orElseThrow();
        TokenLogProbs tokens = expected[n].tokenLogProbs().orElseThrow();
        assertThat(actual.sketches().orElseThrow()).isEqualTo(tokens.sketches().orElseThrow());
        assertThat(actual.logProbs()).isEqualTo(tokens.logProbs());
      }
    }
  }

  @Test
  void logProbsAreThoseWithoutSketchesToTheKernelsPrecision() {
    List<Text> texts = texts(12, 50);
    TextScore[] with = score(model, SKETCHES, texts);
    TextScore[] without = score(model, ScorerOptions.defaults().withTokenLogProbs(true), texts);
    for (int n = 0; n < with.length; n++) {
      TokenLogProbs plain = without[n].tokenLogProbs().orElseThrow();
      assertThat(plain.sketches()).isEmpty();
      double[] logProbs = with[n].tokenLogProbs().orElseThrow().logProbs();
      for (int t = 0; t < logProbs.length; t++) {
        double bound = 2 * Tolerances.singlePrecisionKernel(logProbs[t], V);
        assertThat(logProbs[t]).isCloseTo(plain.logProbs()[t], within(bound));
      }
    }
  }

  @Test
  void aBackendThatHandsOverReadyLogProbsIsToldThatSketchesNeedLogits() {
    CausalLm ready =
        new CausalLm() {
          @Override
          public int contextLength() {
            return 64;
          }

          @Override
          public int vocabularySize() {
            return V;
          }

          @Override
          public void forward(TokenBatch batch, LogitsSink sink) {
            sink.tokenLogProbs(0, 1, new double[batch.targets(0)]);
          }

          @Override
          public void close() {}
        };
    List<Text> one = List.of(Text.of("0", "abc"));
    assertThatThrownBy(() -> score(ready, SKETCHES, one))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("model bigram")
        .hasMessageContaining("sketches need all logits");
    assertThat(score(ready, ScorerOptions.defaults(), one)[0].logLikelihood()).isZero();
  }
}
