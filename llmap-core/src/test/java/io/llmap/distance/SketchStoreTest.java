package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException;
import io.llmap.score.ModelSource;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.score.TextScore;
import io.llmap.score.spi.BatchingScorer;
import io.llmap.testing.BigramLm;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sketches from scorer to divergence, of models with distributions in closed form. */
class SketchStoreTest {
  private static final ScorerOptions SKETCHES =
      ScorerOptions.defaults().withThreads(2).withSketches(true);

  @TempDir Path root;

  /** Texts of neither model: letters at random. */
  private final TextSet texts =
      TextSet.of(
          IntStream.range(0, 60)
              .mapToObj(
                  n -> {
                    StringBuilder letters = new StringBuilder();
                    new Random(n).ints(100, 'a', 'z' + 1).forEach(c -> letters.append((char) c));
                    return Text.of("t" + n, letters.toString());
                  })
              .toList());

  private static BatchingScorer scorer(String name, BigramLm model, ScorerOptions options) {
    return new BatchingScorer(
        new ModelSource(name, "nowhere", "sha-" + name, "test"),
        new BigramLm.Letters(OptionalInt.of(BigramLm.BOS), OptionalInt.empty()),
        model,
        options);
  }

  private void score(ScoreStore store, String name, BigramLm model, ScorerOptions options) {
    try (BatchingScorer scorer = scorer(name, model, options)) {
      store.score(scorer, texts, options, (n, score) -> {});
    }
  }

  private static BigramLm noisy(BigramLm model, double noise) {
    BigramLm other = new BigramLm(0, 400);
    Random random = new Random(5);
    for (int previous = 0; previous <= BigramLm.EOS; previous++) {
      for (int next = 0; next <= BigramLm.EOS; next++) {
        double logit = model.logProb(previous, next) + noise * random.nextGaussian();
        other.with(previous, next, (float) logit);
      }
    }
    return other;
  }

  /** Nats per text: the mean KL of both directions, and twice the squared Hellinger distance. */
  private double[] truth(BigramLm p, BigramLm q) {
    double kl = 0;
    double hellinger = 0;
    for (Text text : texts.texts()) {
      int previous = BigramLm.BOS;
      for (int at = 0; at < text.bytes(); at++) {
        for (int v = 0; v <= BigramLm.EOS; v++) {
          double a = p.logProb(previous, v);
          double b = q.logProb(previous, v);
          kl += (Math.exp(a) - Math.exp(b)) * (a - b) / 2;
          hellinger += 2 * Math.pow(Math.exp(a / 2) - Math.exp(b / 2), 2);
        }
        previous = text.content().charAt(at) - 'a';
      }
    }
    return new double[] {kl / texts.size(), hellinger / texts.size()};
  }

  @Test
  void storedSketchesGiveTheTrueDivergenceOnTextsOfNeitherModel() {
    ScoreStore store = ScoreStore.at(root);
    BigramLm base = new BigramLm(1, 200);
    double[] noise = {0.05, 0.3, 1, 2};
    score(store, "m-0", base, SKETCHES);
    for (int i = 0; i < noise.length; i++) {
      score(store, "m-" + (i + 1), noisy(base, noise[i]), SKETCHES);
    }
    score(store, "without", base, ScorerOptions.defaults().withTokenLogProbs(true));

    SketchMatrix sketches = SketchMatrix.of(store, texts);
    assertThat(sketches.names()).containsExactly("m-0", "m-1", "m-2", "m-3", "m-4");
    assertThat(sketches.modelFingerprint(1)).isEqualTo("sha-m-1");
    assertThat(sketches.options()).containsEntry("sketches", "true");
    DistanceMatrix kl = KlDistances.of(sketches).in(KlUnit.NATS_PER_TEXT);
    DistanceMatrix bound = sketches.hellinger();
    DistanceMatrix summed = summed(store, 16).hellinger();
    for (int i = 0; i < noise.length; i++) {
      double[] truth = truth(base, noisy(base, noise[i]));
      double error = sketches.sketchError(0, i + 1);
      assertThat(error).isBetween(0.01 * truth[1], 0.04 * truth[1]);
      assertThat(bound.get(0, i + 1)).isCloseTo(truth[1], within(4 * error));
      assertThat(summed.get(0, i + 1)).isCloseTo(truth[1], within(4 * 0.1 * truth[1]));
      assertThat(kl.get(0, i + 1) / truth[0]).isBetween(0.9, 1.2);
    }
  }

  private SketchMatrix summed(ScoreStore store, int tokens) {
    SketchMatrixBuilder builder = SketchMatrix.builder(texts).tokensPerSketch(tokens);
    store.sketchRuns(texts).forEach(run -> builder.add(store, run));
    return builder.build();
  }

  @Test
  void storedSketchesAreReadBackToTheSameBits() {
    BigramLm model = new BigramLm(2, 200);
    ScoreStore store = ScoreStore.at(root);
    score(store, "m", model, SKETCHES);
    TextScore[] direct = new TextScore[texts.size()];
    try (BatchingScorer scorer = scorer("m", model, SKETCHES)) {
      scorer.score(texts.texts(), (n, score) -> direct[n] = score);
    }
    SketchMatrix stored = SketchMatrix.of(store, texts);
    SketchMatrix inMemory = SketchMatrix.builder(texts).add("m", List.of(direct)).build();
    for (int g = 0; g < stored.sketches(); g++) {
      assertThat(stored.get(0, g)).isEqualTo(inMemory.get(0, g));
    }
  }

  @Test
  void segmentsAndTextSumsComeFromTheSameRuns() {
    ScoreStore store = ScoreStore.at(root);
    score(store, "p", new BigramLm(1, 200), SKETCHES);
    score(store, "q", new BigramLm(2, 200), ScorerOptions.defaults().withTokenLogProbs(true));
    assertThat(SegmentMatrix.of(store, texts).names()).containsExactly("p", "q");
    assertThat(store.matrix(texts).names()).containsExactly("p", "q");
  }

  @Test
  void aStoreWithoutSketchesSaysSo() {
    ScoreStore store = ScoreStore.at(root);
    ScorerOptions without = ScorerOptions.defaults().withTokenLogProbs(true);
    score(store, "m", new BigramLm(1, 200), without);
    assertThatThrownBy(() -> SketchMatrix.of(store, texts))
        .isInstanceOf(LlmapException.class)
        .hasMessageContaining("has no sketches for these texts; score them with sketches");
    List<Provenance> runs = store.runs();
    assertThatThrownBy(() -> SketchMatrix.builder(texts).add(store, runs.get(0)))
        .isInstanceOf(LlmapException.class)
        .hasMessage("model \"m\" was scored without sketches; score it with sketches");
  }

  /** 200 sets of signs: whole texts of one and the same distribution under different keys. */
  @Test
  void theSketchErrorIsTheDeviationOverTheSigns() {
    BigramLm p = new BigramLm(1, 400);
    BigramLm q = noisy(p, 0.5);
    List<Double> distances = new ArrayList<>();
    double errors = 0;
    for (int draw = 0; draw < 200; draw++) {
      // A prompt changes the key, and of this model nothing but the first distribution.
      TextSet one =
          TextSet.of(List.of(new Text("t", "z".repeat(1 + draw), texts.get(0).content())));
      SketchMatrix sketches =
          SketchMatrix.builder(one)
              .add("p", List.of(oneScore(p, one)))
              .add("q", List.of(oneScore(q, one)))
              .build();
      distances.add(sketches.hellinger().get(0, 1));
      errors += sketches.sketchError(0, 1) / 200;
    }
    double[] values = distances.stream().mapToDouble(d -> d).toArray();
    double mean = Arrays.stream(values).average().orElseThrow();
    double variance = Arrays.stream(values).map(d -> (d - mean) * (d - mean)).sum() / 199;
    assertThat(errors / Math.sqrt(variance)).isBetween(0.8, 1.25);
  }

  private static TextScore oneScore(BigramLm model, TextSet one) {
    TextScore[] scores = new TextScore[1];
    try (BatchingScorer scorer = scorer("m", model, SKETCHES.withThreads(1))) {
      scorer.score(one.texts(), (n, score) -> scores[n] = score);
    }
    return scores[0];
  }
}
