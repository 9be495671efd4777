package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** A score is the text's and the model's: not that of the batch, the order or the threads. */
class EqualHoweverRunTest {
  private static final ScorerOptions ALONE =
      ScorerOptions.defaults()
          .withOverLength(OverLengthPolicy.rolling(30))
          .withTokenLogProbs(true)
          .withTokenBudget(1)
          .withThreads(1);

  /** Family to text id to the token log-probabilities of the text in a batch of its own. */
  private static final Map<String, Map<String, double[]>> ALONE_BY_FAMILY = new HashMap<>();

  @Provide
  Arbitrary<String> families() {
    return Arbitraries.of(Golden.FAMILIES);
  }

  @Property(tries = 40)
  void aTextsTokensKeepTheirLogProbabilitiesInAnyBatch(
      @ForAll("families") String family,
      @ForAll @IntRange(min = 1, max = 2048) int budget,
      @ForAll @IntRange(min = 1, max = 4) int threads,
      @ForAll Random random) {
    Map<String, double[]> alone =
        ALONE_BY_FAMILY.computeIfAbsent(family, f -> score(f, ALONE, texts(f)));
    List<Text> some = new ArrayList<>(texts(family));
    Collections.shuffle(some, random);
    some = some.subList(0, 1 + random.nextInt(some.size()));

    Map<String, double[]> together =
        score(family, ALONE.withTokenBudget(budget).withThreads(threads), some);

    assertThat(together).hasSameSizeAs(some);
    together.forEach(
        (id, logProbs) ->
            assertThat(logProbs)
                .as(id)
                .containsExactly(alone.get(id), within(Tolerances.batchEffectPerToken())));
  }

  /** The plan is the same, and a small model runs every batch on one thread. */
  @Property(tries = 20)
  void theNumberOfThreadsChangesNoBit(
      @ForAll("families") String family,
      @ForAll @IntRange(min = 1, max = 2048) int budget,
      @ForAll @IntRange(min = 2, max = 4) int threads) {
    List<Text> texts = texts(family);
    Map<String, double[]> one = score(family, ALONE.withTokenBudget(budget), texts);
    Map<String, double[]> several =
        score(family, ALONE.withTokenBudget(budget).withThreads(threads), texts);

    several.forEach((id, logProbs) -> assertThat(logProbs).as(id).isEqualTo(one.get(id)));
  }

  /** Every golden text, those that are long enough once more in two halves, and one in windows. */
  private static List<Text> texts(String family) {
    List<Text> texts = new ArrayList<>();
    texts.add(Text.of("in windows", "All happy families are alike. ".repeat(25)));
    for (Golden golden : Golden.read(family)) {
      texts.add(golden.asText());
      String text = golden.text();
      int cut = text.offsetByCodePoints(0, text.codePointCount(0, text.length()) / 2);
      if (cut > 0) {
        texts.add(new Text(golden.id() + "+", text.substring(0, cut), text.substring(cut)));
      }
    }
    return texts;
  }

  private static Map<String, double[]> score(
      String family, ScorerOptions options, List<Text> texts) {
    Map<String, double[]> scores = new HashMap<>();
    ModelSpec spec = new ModelSpec("onnx", Golden.folder(family), family);
    try (LogLikelihoodScorer scorer = new OnnxScorerProvider().open(spec, options)) {
      scorer.score(
          texts,
          (n, score) ->
              scores.put(texts.get(n).id(), score.tokenLogProbs().orElseThrow().logProbs()));
    }
    return scores;
  }
}
