package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.TextScore;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Scores from end to end, against PyTorch. */
class GoldenScoresTest {
  private static final ScorerOptions OPTIONS =
      ScorerOptions.defaults().withTokenLogProbs(true).withThreads(2);

  static Stream<Arguments> familiesAndPolicies() {
    return Golden.FAMILIES.stream()
        .flatMap(family -> Arrays.stream(PrefixPolicy.values()).map(p -> Arguments.of(family, p)));
  }

  @ParameterizedTest
  @MethodSource("familiesAndPolicies")
  void textsScoredTogetherEqualPyTorch(String family, PrefixPolicy policy) {
    assertGolden(family, policy, OPTIONS, goldens(family, policy));
  }

  @ParameterizedTest
  @MethodSource("familiesAndPolicies")
  void textsScoredAloneEqualPyTorch(String family, PrefixPolicy policy) {
    assertGolden(family, policy, OPTIONS.withTokenBudget(1), goldens(family, policy));
  }

  @ParameterizedTest
  @MethodSource("familiesAndPolicies")
  void textsScoredInAnotherOrderAndSmallBatchesEqualPyTorch(String family, PrefixPolicy policy) {
    List<Golden> reversed = new ArrayList<>(goldens(family, policy));
    Collections.reverse(reversed);
    assertGolden(family, policy, OPTIONS.withTokenBudget(100), reversed);
  }

  @Test
  void aTextThatFillsTheContextIsScoredAndOneTokenMoreIsNot() {
    for (String family : Golden.FAMILIES) {
      Golden full =
          Golden.read(family).stream()
              .filter(g -> g.id().equals("at-context"))
              .findAny()
              .orElseThrow();
      assertThat(full.documentStart()).hasSize(95);
      Text longer = Text.of("longer", full.text() + "\u2603");
      assertThatThrownBy(() -> score(family, OPTIONS, List.of(longer)))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("\"longer\"", family, "96");
      TextScore cut =
          score(family, OPTIONS.withOverLength(OverLengthPolicy.TRUNCATE), List.of(longer)).get(0);
      assertThat(cut.truncated()).isTrue();
      double expected = Arrays.stream(full.documentStart()).sum();
      assertThat(cut.logLikelihood())
          .isCloseTo(expected, within(Tolerances.textAcrossRuntimes(expected)));
    }
  }

  @Test
  void theNumberOfThreadsChangesNoBit() {
    for (String family : Golden.FAMILIES) {
      List<Text> texts = Golden.read(family).stream().map(Golden::asText).toList();
      List<TextScore> one = score(family, OPTIONS.withThreads(1), texts);
      List<TextScore> three = score(family, OPTIONS.withThreads(3), texts);
      for (int n = 0; n < texts.size(); n++) {
        assertThat(three.get(n).tokenLogProbs().orElseThrow().logProbs())
            .isEqualTo(one.get(n).tokenLogProbs().orElseThrow().logProbs());
      }
    }
  }

  private static List<Golden> goldens(String family, PrefixPolicy policy) {
    // One token without a prefix has nothing to be scored.
    List<Golden> goldens =
        Golden.read(family).stream().filter(g -> g.logProbs(policy).length > 0).toList();
    assertThat(goldens).hasSizeGreaterThan(10);
    return goldens;
  }

  private static void assertGolden(
      String family, PrefixPolicy policy, ScorerOptions options, List<Golden> goldens) {
    List<TextScore> scores =
        score(family, options.withPrefix(policy), goldens.stream().map(Golden::asText).toList());
    for (int n = 0; n < goldens.size(); n++) {
      Golden golden = goldens.get(n);
      TextScore score = scores.get(n);
      double[] expected = golden.logProbs(policy);
      double sum = Arrays.stream(expected).sum();
      assertThat(score.scoredTokens()).as(golden.id()).isEqualTo(expected.length);
      assertThat(score.logLikelihood())
          .as(golden.id())
          .isCloseTo(sum, within(Tolerances.textAcrossRuntimes(sum)));
      double[] actual = score.tokenLogProbs().orElseThrow().logProbs();
      assertThat(actual).as(golden.id()).hasSameSizeAs(expected);
      for (int t = 0; t < expected.length; t++) {
        assertThat(actual[t])
            .as(golden.id())
            .isCloseTo(expected[t], within(Tolerances.batchEffectPerToken()));
      }
      if (policy == PrefixPolicy.DOCUMENT_START) {
        assertThat(score.tokenLogProbs().orElseThrow().byteOffsets())
            .as(golden.id())
            .isEqualTo(golden.byteOffsets());
      }
    }
  }

  private static List<TextScore> score(String family, ScorerOptions options, List<Text> texts) {
    Map<Integer, TextScore> scores = new HashMap<>();
    ModelSpec spec = new ModelSpec("onnx", Golden.folder(family), family);
    try (LogLikelihoodScorer scorer = new OnnxScorerProvider().open(spec, options)) {
      scorer.score(texts, scores::put);
    }
    assertThat(scores).hasSize(texts.size());
    return new ArrayList<>(new TreeMap<>(scores).values());
  }
}
