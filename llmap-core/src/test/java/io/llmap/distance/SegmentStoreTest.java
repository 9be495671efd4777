package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException;
import io.llmap.score.ModelSource;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.BatchingScorer;
import io.llmap.testing.BigramLm;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentStoreTest {
  private static final ScorerOptions TOKENS =
      ScorerOptions.defaults().withThreads(1).withTokenLogProbs(true);

  @TempDir Path root;

  private final TextSet texts =
      TextSet.of(
          List.of(
              Text.of("first", "thequickbrownfoxjumpsoverthelazydog"),
              Text.of("second", "packmyboxwithfivedozenliquorjugs")));

  private void score(ScoreStore store, String name, BigramLm model, ScorerOptions options) {
    OptionalInt bos =
        options.prefix() == PrefixPolicy.NONE ? OptionalInt.empty() : OptionalInt.of(BigramLm.BOS);
    try (BatchingScorer scorer =
        new BatchingScorer(
            new ModelSource(name, "nowhere", "sha-" + name, "test"),
            new BigramLm.Letters(bos, OptionalInt.empty()),
            model,
            options)) {
      store.score(scorer, texts, options, (n, score) -> {});
    }
  }

  @Test
  void storedModelsAreCutAtTheirTokensAndThePrefixedFirstTokenCounts() {
    ScoreStore store = ScoreStore.at(root);
    BigramLm first = new BigramLm(1, 100);
    score(store, "m-10", first, TOKENS);
    score(store, "m-9", new BigramLm(2, 100), TOKENS);
    score(store, "m-9", new BigramLm(2, 100), TOKENS.withTokenLogProbs(false));
    score(store, "only-sums", new BigramLm(3, 100), TOKENS.withTokenLogProbs(false));

    SegmentMatrix segments = SegmentMatrix.of(store, texts);

    assertThat(segments.names()).containsExactly("m-9", "m-10");
    assertThat(segments.modelFingerprint(1)).isEqualTo("sha-m-10");
    assertThat(segments.textSetFingerprint()).isEqualTo(texts.fingerprint());
    assertThat(segments.options()).containsEntry("prefix", "document-start");
    assertThat(segments.textIds()).containsExactly("first", "second");
    assertThat(segments.firstSegment(1)).isEqualTo(3);
    assertThat(segments.firstSegment(2)).isEqualTo(5);
    assertThat(segments.segmentBytes(2)).isEqualTo(35 - 32);
    assertThat(segments.firstByte(0)).isZero();
    assertThat(segments.coveredBytes(1)).isEqualTo(32);
    String letters = texts.get(0).content();
    double sum = first.logProb(BigramLm.BOS, letters.charAt(0) - 'a');
    for (int t = 1; t < 16; t++) {
      sum += first.logProb(letters.charAt(t - 1) - 'a', letters.charAt(t) - 'a');
    }
    assertThat((double) segments.get(1, 0)).isCloseTo(sum, within(1e-5 * -sum));
  }

  @Test
  void whereTheFirstTokenIsNotScoredTheSecondBeginsTheSegments() {
    ScoreStore store = ScoreStore.at(root);
    score(store, "m", new BigramLm(1, 100), TOKENS.withPrefix(PrefixPolicy.NONE));

    SegmentMatrix segments = SegmentMatrix.of(store, texts);

    assertThat(segments.firstByte(0)).isEqualTo(1);
    assertThat(segments.coveredBytes(0)).isEqualTo(34);
  }

  @Test
  void aStoreWithoutTokenLogProbabilitiesSaysSo() {
    ScoreStore store = ScoreStore.at(root);
    score(store, "m", new BigramLm(1, 100), TOKENS.withTokenLogProbs(false));
    assertThatThrownBy(() -> SegmentMatrix.of(store, texts))
        .isInstanceOf(LlmapException.class)
        .hasMessage(
            root
                + " has no token log-probabilities for these texts; score them with tokenLogProbs");
  }

  @Test
  void runsWithDifferentPrefixesAreNotMixed() {
    ScoreStore store = ScoreStore.at(root);
    score(store, "a", new BigramLm(1, 100), TOKENS);
    score(store, "b", new BigramLm(2, 100), TOKENS.withPrefix(PrefixPolicy.NONE));
    assertThatThrownBy(() -> SegmentMatrix.of(store, texts))
        .isInstanceOf(LlmapException.class)
        .hasMessageContaining("their scores are not comparable");
    List<Provenance> runs = store.runs();
    SegmentMatrix a = SegmentMatrix.builder(texts).add(store, runs.get(0)).build();
    SegmentMatrixBuilder mixed = a.extend(texts).add(store, runs.get(1));
    assertThatThrownBy(mixed::build)
        .isInstanceOf(LlmapException.class)
        .hasMessage(
            "model \"a\" was scored with the prefix policy document-start, but \"b\" with none:"
                + " their scores are not comparable");
  }

  @Test
  void aRunOfOtherTextsIsRefused() {
    ScoreStore store = ScoreStore.at(root);
    score(store, "a", new BigramLm(1, 100), TOKENS);
    TextSet others = TextSet.of(List.of(Text.of("x", "other")));
    SegmentMatrixBuilder builder = SegmentMatrix.builder(others);
    assertThatThrownBy(() -> builder.add(store, store.runs().get(0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("model \"a\" was scored on the text set " + texts.fingerprint());
  }
}
