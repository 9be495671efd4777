package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.TextScore;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Contents after prompts, and texts in windows, with real tokenizers and models. */
class PromptedScoresTest {
  private static final List<String> FAMILIES = Golden.FAMILIES;
  private static final ScorerOptions OPTIONS =
      ScorerOptions.defaults().withTokenLogProbs(true).withThreads(2);

  /** The chain rule: log p(content | prompt) = log p(prompt, content) − log p(prompt). */
  @ParameterizedTest
  @FieldSource("FAMILIES")
  void contentAfterAPromptIsWorthTheWholeLessThePrompt(String family) {
    List<Text> texts = new ArrayList<>();
    for (Golden golden : Golden.read(family)) {
      String text = golden.text();
      if (golden.ids().length > 90) {
        // A token that is split takes the room of two.
        continue;
      }
      for (int part = 1; part < 5; part++) {
        int codePoints = text.codePointCount(0, text.length());
        int cut = text.offsetByCodePoints(0, codePoints * part / 5);
        if (cut > 0) {
          String id = golden.id() + part;
          texts.add(Text.of(id + " whole", text));
          texts.add(Text.of(id + " prompt", text.substring(0, cut)));
          texts.add(new Text(id + " content", text.substring(0, cut), text.substring(cut)));
        }
      }
    }
    List<TextScore> scores = score(family, OPTIONS, texts);

    int unsplit = 0;
    for (int n = 0; n < texts.size(); n += 3) {
      TextScore whole = scores.get(n);
      TextScore prompt = scores.get(n + 1);
      TextScore content = scores.get(n + 2);
      String id = texts.get(n + 2).id();
      assertThat(content.bytes()).as(id).isEqualTo(whole.bytes() - prompt.bytes());
      assertThat(content.scoredTokens() + prompt.scoredTokens())
          .as(id)
          .isGreaterThanOrEqualTo(whole.scoredTokens());
      int[] offsets = content.tokenLogProbs().orElseThrow().byteOffsets();
      assertThat(offsets[0]).as(id).isZero();
      if (startsWith(whole, prompt)) {
        unsplit++;
        double[] ofWhole = whole.tokenLogProbs().orElseThrow().logProbs();
        int from = prompt.scoredTokens();
        assertThat(content.tokenLogProbs().orElseThrow().logProbs())
            .as(id)
            .containsExactly(
                Arrays.copyOfRange(ofWhole, from, ofWhole.length),
                within(Tolerances.batchEffectPerToken()));
      }
    }
    assertThat(unsplit).isGreaterThan(texts.size() / 3 / 4);
  }

  /** The same tokens have the same log-probabilities. */
  private static boolean startsWith(TextScore whole, TextScore prompt) {
    double[] ofWhole = whole.tokenLogProbs().orElseThrow().logProbs();
    double[] ofPrompt = prompt.tokenLogProbs().orElseThrow().logProbs();
    for (int t = 0; t < ofPrompt.length; t++) {
      if (t >= ofWhole.length || Math.abs(ofWhole[t] - ofPrompt[t]) > 1e-3) {
        return false;
      }
    }
    return true;
  }

  @ParameterizedTest
  @FieldSource("FAMILIES")
  void aLongTextIsScoredWholeInWindows(String family) {
    Golden longest =
        Golden.read(family).stream()
            .filter(g -> g.id().equals("at-context"))
            .findAny()
            .orElseThrow();
    Text text = Text.of("long", longest.text().repeat(3));
    int context = 96;
    int stride = 40;
    TextScore cut =
        score(family, OPTIONS.withOverLength(OverLengthPolicy.TRUNCATE), List.of(text)).get(0);
    TextScore rolled =
        score(family, OPTIONS.withOverLength(OverLengthPolicy.rolling(stride)), List.of(text))
            .get(0);

    assertThat(rolled.truncated()).isFalse();
    assertThat(rolled.scoredTokens()).isGreaterThan(2 * context);
    assertThat(rolled.windows())
        .isEqualTo(1 + (rolled.scoredTokens() - (context - 1) + stride - 1) / stride);
    double[] logProbs = rolled.tokenLogProbs().orElseThrow().logProbs();
    assertThat(Arrays.copyOf(logProbs, context - 1))
        .containsExactly(
            cut.tokenLogProbs().orElseThrow().logProbs(), within(Tolerances.batchEffectPerToken()));
  }

  private static List<TextScore> score(String family, ScorerOptions options, List<Text> texts) {
    TreeMap<Integer, TextScore> scores = new TreeMap<>();
    ModelSpec spec = new ModelSpec("onnx", Golden.folder(family), family);
    try (LogLikelihoodScorer scorer = new OnnxScorerProvider().open(spec, options)) {
      scorer.score(texts, scores::put);
    }
    assertThat(scores).hasSize(texts.size());
    return new ArrayList<>(scores.values());
  }
}
