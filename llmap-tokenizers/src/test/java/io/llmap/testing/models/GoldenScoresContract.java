package io.llmap.testing.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Scores from end to end against PyTorch, for a backend that has the weights of every {@link
 * TinyModel} in its own format: a text's log-likelihood to a relative 1e-5, each token's to 1e-4.
 */
public abstract class GoldenScoresContract {
  private static final ScorerOptions OPTIONS =
      ScorerOptions.defaults().withTokenLogProbs(true).withThreads(2);

  /** Opens the backend's copy of a model; the contract closes the scorer. */
  protected abstract LogLikelihoodScorer open(TinyModel model, ScorerOptions options);

  static Stream<Arguments> modelsAndPolicies() {
    return Arrays.stream(TinyModel.values())
        .flatMap(model -> Arrays.stream(PrefixPolicy.values()).map(p -> Arguments.of(model, p)));
  }

  @ParameterizedTest
  @MethodSource("modelsAndPolicies")
  protected final void textsScoredTogetherEqualPyTorch(TinyModel model, PrefixPolicy policy) {
    assertGolden(model, policy, OPTIONS, goldens(model, policy));
  }

  @ParameterizedTest
  @MethodSource("modelsAndPolicies")
  protected final void textsScoredAloneEqualPyTorch(TinyModel model, PrefixPolicy policy) {
    assertGolden(model, policy, OPTIONS.withTokenBudget(1), goldens(model, policy));
  }

  @ParameterizedTest
  @MethodSource("modelsAndPolicies")
  protected final void textsScoredInAnotherOrderAndSmallBatchesEqualPyTorch(
      TinyModel model, PrefixPolicy policy) {
    List<GoldenText> reversed = new ArrayList<>(goldens(model, policy));
    Collections.reverse(reversed);
    assertGolden(model, policy, OPTIONS.withTokenBudget(100), reversed);
  }

  @ParameterizedTest
  @EnumSource
  protected final void aTextThatFillsTheContextIsScoredAndOneTokenMoreIsNot(TinyModel model) {
    GoldenText full =
        model.goldens().stream().filter(g -> g.id().equals("at-context")).findAny().orElseThrow();
    assertThat(full.documentStart()).hasSize(TinyModel.CONTEXT - 1);
    Text longer = Text.of("longer", full.text() + "\u2603");
    assertThatThrownBy(() -> score(model, OPTIONS, List.of(longer)))
        .isInstanceOf(ScoringException.class)
        .hasMessageContainingAll("\"longer\"", model.family(), "" + TinyModel.CONTEXT);
    TextScore cut =
        score(model, OPTIONS.withOverLength(OverLengthPolicy.TRUNCATE), List.of(longer)).get(0);
    assertThat(cut.truncated()).isTrue();
    double expected = Arrays.stream(full.documentStart()).sum();
    assertThat(cut.logLikelihood())
        .isCloseTo(expected, within(Tolerances.textAcrossRuntimes(expected)));
  }

  private static List<GoldenText> goldens(TinyModel model, PrefixPolicy policy) {
    // One token without a prefix has nothing to be scored.
    List<GoldenText> goldens =
        model.goldens().stream().filter(g -> g.logProbs(policy).length > 0).toList();
    assertThat(goldens).hasSizeGreaterThan(10);
    return goldens;
  }

  private void assertGolden(
      TinyModel model, PrefixPolicy policy, ScorerOptions options, List<GoldenText> goldens) {
    List<TextScore> scores =
        score(model, options.withPrefix(policy), goldens.stream().map(GoldenText::asText).toList());
    for (int n = 0; n < goldens.size(); n++) {
      GoldenText golden = goldens.get(n);
      TextScore score = scores.get(n);
      double[] expected = golden.logProbs(policy);
      double sum = Arrays.stream(expected).sum();
      assertThat(score.scoredTokens()).as(golden.id()).isEqualTo(expected.length);
      assertThat(score.logLikelihood())
          .as(golden.id())
          .isCloseTo(sum, within(Tolerances.textAcrossRuntimes(sum)));
      TokenLogProbs tokens = score.tokenLogProbs().orElseThrow();
      assertThat(tokens.logProbs()).as(golden.id()).hasSameSizeAs(expected);
      for (int t = 0; t < expected.length; t++) {
        assertThat(tokens.logProbs()[t])
            .as("text %s, token %d", golden.id(), t)
            .isCloseTo(expected[t], within(Tolerances.batchEffectPerToken()));
      }
      if (policy == PrefixPolicy.DOCUMENT_START) {
        assertThat(tokens.byteOffsets()).as(golden.id()).isEqualTo(golden.byteOffsets());
      }
    }
  }

  private List<TextScore> score(TinyModel model, ScorerOptions options, List<Text> texts) {
    Map<Integer, TextScore> scores = new TreeMap<>();
    try (LogLikelihoodScorer scorer = open(model, options)) {
      scorer.score(texts, scores::put);
    }
    assertThat(scores).hasSize(texts.size());
    return new ArrayList<>(scores.values());
  }
}
