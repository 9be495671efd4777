package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SketchMatrixTest {
  private static final TextSet TWO =
      TextSet.of(List.of(Text.of("a", "0123456789"), Text.of("b", "012345")));

  private static TextScore score(int bytes, int[] offsets, double[] logProbs, float... sketches) {
    return new TextScore(
        Arrays.stream(logProbs).sum(),
        logProbs.length,
        bytes,
        false,
        Optional.of(new TokenLogProbs(logProbs, offsets, Optional.of(sketches))));
  }

  private static int[] at(int... offsets) {
    return offsets;
  }

  private static double[] logs(double... probs) {
    return Arrays.stream(probs).map(Math::log).toArray();
  }

  private static List<TextScore> first() {
    return List.of(
        score(10, at(0, 4, 7), logs(0.5, 0.25, 0.125), 1f, -0.5f, 0.25f),
        score(6, at(0, 3), logs(0.5, 0.5), -1f, 0.5f));
  }

  private static List<TextScore> second() {
    return List.of(
        score(10, at(0, 4, 7), logs(0.25, 0.25, 0.5), 0.75f, -0.5f, 0.5f),
        score(6, at(0, 3), logs(0.5, 0.125), -0.5f, 0.75f));
  }

  /** Sums of d tanh(d/2) = d (p − q)/(p + q) and of 4 (√p − √q)²/(p + q), by hand. */
  private static final double RATIO =
      (Math.log(2) * 0.25 / 0.75 + 2 * Math.log(4) * 0.375 / 0.625)
          / (4
              * (Math.pow(Math.sqrt(0.5) - 0.5, 2) / 0.75
                  + 2 * Math.pow(Math.sqrt(0.5) - Math.sqrt(0.125), 2) / 0.625));

  @Test
  void divergenceOfAnExampleByHand() {
    SketchMatrix sketches = SketchMatrix.builder(TWO).add("p", first()).add("q", second()).build();

    assertThat(sketches.tokens()).isEqualTo(5);
    assertThat(sketches.sketches()).isEqualTo(5);
    assertThat(sketches.ratioStep()).isEqualTo(1);
    assertThat(sketches.get(1, 3)).isEqualTo(-0.5);
    // 2/N Σ (Δh)² with Δh = ¼, 0, −¼, −½, −¼.
    double hellinger = 4.0 / 16 + 3.0 / 16;
    assertThat(sketches.hellinger().get(0, 1)).isCloseTo(hellinger, within(1e-15));
    assertThat(sketches.ratios().get(0, 1)).isCloseTo(RATIO, within(1e-6));
    KlDistances kl = KlDistances.of(sketches);
    assertThat(kl.in(KlUnit.NATS_PER_TEXT).get(1, 0)).isCloseTo(hellinger * RATIO, within(1e-6));
    assertThat(kl.in(KlUnit.BITS_PER_BYTE).get(1, 0))
        .isCloseTo(hellinger * RATIO / (8 * Math.log(2)), within(1e-6));
    assertThat(kl.estimator()).isEqualTo(KlEstimator.SKETCH);
    assertThat(kl.description()).isEqualTo("sketch (every token)");
    assertThat(sketches.sketchError(0, 1))
        .isCloseTo(
            Math.sqrt(8.0 / 3 * (3 * Math.pow(0.25, 4) + Math.pow(0.5, 4))) / 2, within(1e-15));
  }

  @Test
  void summedSketchesAreSumsOfNeighboursWithinATextAndTheRatioStaysThatOfTokens() {
    SketchMatrix sums =
        SketchMatrix.builder(TWO).tokensPerSketch(2).add("p", first()).add("q", second()).build();

    assertThat(sums.sketches()).isEqualTo(3);
    assertThat(IntStream.range(0, 3).mapToDouble(g -> sums.get(0, g)))
        .containsExactly(0.5, 0.25, -0.5);
    assertThat(sums.ratios().get(0, 1)).isCloseTo(RATIO, within(1e-6));
    assertThat(KlDistances.of(sums).description()).isEqualTo("sketch (sums of up to 2 tokens)");
  }

  @Test
  void aModelAgainstItselfIsAtZeroWithARatioOfOne() {
    SketchMatrix sketches = SketchMatrix.builder(TWO).add("p", first()).add("q", first()).build();
    assertThat(sketches.ratios().get(0, 1)).isEqualTo(1);
    assertThat(KlDistances.of(sketches).in(KlUnit.NATS_PER_TEXT).get(0, 1)).isZero();
    assertThat(sketches.sketchError(0, 1)).isZero();
  }

  @Test
  void theRatioIsThatOfTheFormulasForDifferencesOfAnySize() {
    for (double d : new double[] {1e-6, 1e-3, 0.1, 1, 5, 40, 800, 4000}) {
      TextSet one = TextSet.of(List.of(Text.of("a", "x")));
      SketchMatrix sketches =
          SketchMatrix.builder(one)
              .add("p", List.of(score(1, at(0), new double[] {-d}, 1f)))
              .add("q", List.of(score(1, at(0), new double[] {-2 * d}, 0f)))
              .build();
      double stored = (float) (2 * d) - (double) (float) d;
      double t = Math.tanh(stored / 4);
      double expected = stored * Math.tanh(stored / 2) / (8 * t * t / (1 + t * t));
      assertThat(sketches.ratios().get(0, 1))
          .as("%s", d)
          .isCloseTo(expected, within(1e-9 * expected));
    }
  }

  private static List<TextScore> random(TextSet texts, long seed, double noise) {
    Random shared = new Random(1);
    Random own = new Random(seed);
    List<TextScore> scores = new ArrayList<>();
    for (Text text : texts.texts()) {
      int tokens = text.bytes();
      double[] logProbs = new double[tokens];
      float[] sketches = new float[tokens];
      for (int t = 0; t < tokens; t++) {
        logProbs[t] = Math.min(0, 2 * shared.nextGaussian() - 6 + noise * own.nextGaussian());
        sketches[t] = (float) (shared.nextGaussian() + noise * own.nextGaussian());
      }
      int[] offsets = IntStream.range(0, tokens).toArray();
      scores.add(score(tokens, offsets, logProbs, sketches));
    }
    return scores;
  }

  private static TextSet texts(int count, int bytes) {
    return TextSet.of(
        IntStream.range(0, count)
            .mapToObj(n -> Text.of("t" + n, "x".repeat(bytes + n % 5)))
            .toList());
  }

  @Test
  void nearDuplicatesKeepTheirDigitsAndThreadsChangeNoBit() throws Exception {
    TextSet texts = texts(60, 400);
    SketchMatrixBuilder builder = SketchMatrix.builder(texts);
    double[] noise = {1, 1e-1, 1e-2, 1e-4, 1e-6, 0};
    for (int i = 0; i < noise.length; i++) {
      builder.add("m" + i, random(texts, i, noise[i]));
    }
    SketchMatrix sketches = builder.build();
    assertThat(sketches.ratioStep()).isEqualTo(2);
    assertThat(sketches.toString()).contains("6 models, 24120 tokens of 60 texts");
    DistanceMatrix hellinger = sketches.hellinger();
    for (int i = 0; i < noise.length; i++) {
      for (int j = 0; j < i; j++) {
        double sum = 0;
        for (int g = 0; g < sketches.sketches(); g++) {
          sum += Math.pow(sketches.get(i, g) - sketches.get(j, g), 2);
        }
        double expected = 2 * sum / texts.size();
        assertThat(hellinger.get(i, j))
            .isCloseTo(expected, within(Tolerances.squaredDistance(expected)));
        assertThat(sketches.ratios().get(i, j)).isGreaterThanOrEqualTo(1 - 1e-9);
      }
    }
    double[][] once = KlDistances.of(sketches).in(KlUnit.BITS_PER_BYTE).toArray();
    for (int threads : new int[] {1, 3}) {
      ForkJoinPool pool = new ForkJoinPool(threads);
      try {
        assertThat(
                pool.submit(
                        () -> KlDistances.of(builder.build()).in(KlUnit.BITS_PER_BYTE).toArray())
                    .get())
            .isDeepEqualTo(once);
      } finally {
        pool.shutdown();
      }
    }
  }

  @Test
  void aReplicateDrawsWholeTextsAndKeepsTheRatio() {
    TextSet texts = texts(12, 30);
    SketchMatrix sketches =
        SketchMatrix.builder(texts)
            .add("p", random(texts, 1, 1))
            .add("q", random(texts, 2, 1))
            .build();
    Bootstrap bootstrap = Bootstrap.of(sketches, 50, 7);
    double ratio = sketches.ratios().get(0, 1);
    for (int r = 0; r < 5; r++) {
      int[] counts = bootstrap.counts(r);
      double sum = 0;
      for (int n = 0; n < texts.size(); n++) {
        for (int g = sketches.starts()[n]; g < sketches.starts()[n + 1]; g++) {
          sum += counts[n] * Math.pow(sketches.get(0, g) - sketches.get(1, g), 2);
        }
      }
      double expected = ratio * 2 * sum / texts.size();
      assertThat(bootstrap.replicate(r).in(KlUnit.NATS_PER_TEXT).get(0, 1))
          .isCloseTo(expected, within(1e-10 * expected));
    }
    BootstrapSummary summary = bootstrap.summarize(0.95, 1);
    double estimate = bootstrap.estimate().in(KlUnit.NATS_PER_TEXT).get(0, 1);
    assertThat(summary.estimate().estimator()).isEqualTo(KlEstimator.SKETCH);
    assertThat(summary.lower(KlUnit.NATS_PER_TEXT).get(0, 1)).isLessThan(estimate);
    assertThat(summary.upper(KlUnit.NATS_PER_TEXT).get(0, 1)).isGreaterThan(estimate);
  }

  @Test
  void tokensOfAnotherTokenizerNameModelsAndText() {
    List<TextScore> other = List.of(first().get(0), score(6, at(0, 2), logs(0.5, 0.5), -1f, 0.5f));
    assertThatThrownBy(() -> SketchMatrix.builder(TWO).add("p", first()).add("q", other).build())
        .isInstanceOf(LlmapException.class)
        .hasMessageContaining(
            "model \"p\" has token 1 at byte 3 of text \"b\", but \"q\" at byte 2")
        .hasMessageContaining("one tokenizer");
    List<TextScore> fewer = List.of(score(10, at(0, 4), logs(0.5, 0.5), 1f, 1f), first().get(1));
    assertThatThrownBy(() -> SketchMatrix.builder(TWO).add("p", first()).add("q", fewer).build())
        .isInstanceOf(LlmapException.class)
        .hasMessageContaining("model \"p\" has 3 tokens of text \"a\", but \"q\" 2");
  }

  @Test
  void whatCannotBeComparedIsRefusedByName() {
    TextScore plain =
        new TextScore(-1, 1, 10, false, Optional.of(new TokenLogProbs(new double[] {-1}, at(0))));
    assertThatThrownBy(
            () -> SketchMatrix.builder(TWO).add("p", List.of(plain, first().get(1))).build())
        .isInstanceOf(LlmapException.class)
        .hasMessage("model \"p\" has no sketches of text \"a\"; score it with sketches");
    assertThatThrownBy(() -> SketchMatrix.builder(TWO).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least one model");
    assertThatThrownBy(() -> SketchMatrix.builder(TWO).add("p", first()).add("p", first()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("two models are named \"p\"");
    assertThatThrownBy(() -> SketchMatrix.builder(TWO).add("p", List.of(plain)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 scores for 2 texts");
    assertThatThrownBy(() -> SketchMatrix.builder(TWO).tokensPerSketch(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 1 token");
  }
}
