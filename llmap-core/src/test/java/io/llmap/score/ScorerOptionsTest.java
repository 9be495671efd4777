package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ScorerOptionsTest {
  private static final ScorerOptions DEFAULTS = ScorerOptions.defaults();

  @Test
  void thePresetOfThePaperDiffersInPrefixAndOverLength() {
    ScorerOptions paper = ScorerOptions.modelMapPaper();

    assertThat(paper.prefix()).isEqualTo(PrefixPolicy.TOKENIZER);
    assertThat(paper.overLength()).isEqualTo(OverLengthPolicy.TRUNCATE);
    assertThat(paper.withPrefix(PrefixPolicy.DOCUMENT_START).withOverLength(OverLengthPolicy.FAIL))
        .isEqualTo(DEFAULTS);
  }

  @Test
  void aCopyDiffersInWhatWasAskedForOnly() {
    ScorerOptions changed =
        DEFAULTS
            .withPrefix(PrefixPolicy.NONE)
            .withOverLength(OverLengthPolicy.TRUNCATE)
            .withTokenLogProbs(true)
            .withTokenBudget(7)
            .withThreads(3)
            .withDevice("cuda:0");

    assertThat(changed)
        .isEqualTo(
            new ScorerOptions(
                PrefixPolicy.NONE, OverLengthPolicy.TRUNCATE, true, false, 7, 3, "cuda:0"));
    assertThat(DEFAULTS)
        .isEqualTo(
            new ScorerOptions(
                PrefixPolicy.DOCUMENT_START,
                OverLengthPolicy.FAIL,
                false,
                false,
                512,
                Runtime.getRuntime().availableProcessors(),
                "cpu"));
  }

  @Test
  void numbersThatAreNotPositiveAndABlankDeviceAreRefused() {
    assertThatThrownBy(() -> DEFAULTS.withTokenBudget(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tokenBudget must be at least 1, got 0");
    assertThatThrownBy(() -> DEFAULTS.withThreads(-2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("threads must be at least 1, got -2");
    assertThatThrownBy(() -> DEFAULTS.withDevice(" "))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("device must not be blank; use \"cpu\"");
  }

  @Test
  void whatIsStoredIsEverythingThatChangesABitAndNotTheThreads() {
    assertThat(DEFAULTS.asMap())
        .containsExactly(
            Map.entry("device", "cpu"),
            Map.entry("over-length", "fail"),
            Map.entry("prefix", "document-start"),
            Map.entry("token-budget", "512"),
            Map.entry("token-log-probs", "false"));
    assertThat(DEFAULTS.withThreads(99).asMap()).isEqualTo(DEFAULTS.asMap());
    assertThat(DEFAULTS.withPrefix(PrefixPolicy.NONE).asMap()).isNotEqualTo(DEFAULTS.asMap());
    assertThat(DEFAULTS.withOverLength(OverLengthPolicy.TRUNCATE).asMap())
        .isNotEqualTo(DEFAULTS.asMap());
    assertThat(DEFAULTS.withTokenBudget(1).asMap()).isNotEqualTo(DEFAULTS.asMap());
    assertThat(DEFAULTS.withTokenLogProbs(true).asMap()).isNotEqualTo(DEFAULTS.asMap());
    assertThat(DEFAULTS.withDevice("cuda:0").asMap()).isNotEqualTo(DEFAULTS.asMap());
    assertThat(DEFAULTS.withSketches(true).asMap())
        .isNotEqualTo(DEFAULTS.withTokenLogProbs(true).asMap())
        .containsEntry("sketches", "true")
        .containsEntry("token-log-probs", "true");
  }

  @Test
  void sketchesBringTokenLogProbsWithThemAndCannotBeWithout() {
    ScorerOptions sketches = DEFAULTS.withSketches(true);
    assertThat(sketches.tokenLogProbs()).isTrue();
    assertThat(sketches.withSketches(false)).isEqualTo(DEFAULTS.withTokenLogProbs(true));
    assertThatThrownBy(() -> sketches.withTokenLogProbs(false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("sketches need token log-probabilities");
  }
}
