package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.onnx.FamilyGraph.Sample;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.TextScore;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.CapturedLogits;
import io.llmap.testing.Tolerances;
import io.llmap.testing.models.TinyModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Families of architectures as exporters write them, against PyTorch, token by token. */
class FamiliesTest {
  private static final FamilyGraph HALF = new FamilyGraph("qwen2/with_past_fp16.onnx");
  private static final FamilyGraph EIGHT_BIT = new FamilyGraph("mistral/model_quantized.onnx");

  private static final ScorerOptions OPTIONS =
      ScorerOptions.defaults()
          .withPrefix(PrefixPolicy.DOCUMENT_START)
          .withTokenLogProbs(true)
          .withThreads(2);

  /** Standard deviation of a position's logits in these two models: a little less than this. */
  private static final double SPREAD = 1.5;

  /** Embedding, two layers of two dozen operators, the sums of a product counted, head. */
  private static final double HALF_BOUND = Tolerances.halfPrecisionPerToken(50, SPREAD);

  /**
   * Into and out of attention and into and out of the gates in each of two layers, and the head.
   */
  private static final double EIGHT_BIT_BOUND = Tolerances.eightBitRootMeanSquare(9, SPREAD);

  static List<FamilyGraph> singlePrecision() {
    List<FamilyGraph> graphs = new ArrayList<>(FamilyGraph.all());
    graphs.removeAll(List.of(HALF, EIGHT_BIT));
    return graphs;
  }

  @Test
  void everyFamilyIsThereWithACacheAndAllButThoseOfGoldenScoresTestWithout() {
    List<String> expected =
        new ArrayList<>(List.of(HALF.path(), EIGHT_BIT.path(), "mistral/model_infinite_mask.onnx"));
    for (String family :
        List.of(
            "bloom",
            "falcon",
            "gemma2",
            "gpt2",
            "gpt_neo",
            "gpt_neox",
            "lfm2",
            "llama",
            "mamba",
            "mistral",
            "opt",
            "phi3",
            "qwen2",
            "qwen3")) {
      expected.add(family + "/with_past.onnx");
      if (Arrays.stream(TinyModel.values()).noneMatch(tiny -> tiny.family().equals(family))) {
        expected.add(family + "/model.onnx");
      }
    }
    assertThat(FamilyGraph.all())
        .extracting(FamilyGraph::path)
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  @ParameterizedTest
  @MethodSource("singlePrecision")
  void textsScoredTogetherEqualPyTorch(FamilyGraph graph) {
    assertGolden(graph, OPTIONS, FamilyGraph.samples());
  }

  @ParameterizedTest
  @MethodSource("singlePrecision")
  void textsScoredAloneEqualPyTorch(FamilyGraph graph) {
    assertGolden(graph, OPTIONS.withTokenBudget(1), FamilyGraph.samples());
  }

  @ParameterizedTest
  @MethodSource("singlePrecision")
  void textsScoredInAnotherOrderAndSmallBatchesEqualPyTorch(FamilyGraph graph) {
    List<Sample> reversed = new ArrayList<>(FamilyGraph.samples());
    Collections.reverse(reversed);
    assertGolden(graph, OPTIONS.withTokenBudget(100), reversed);
  }

  @ParameterizedTest
  @MethodSource("singlePrecision")
  void paddingOfAnyIdAndLengthChangesNoSequence(FamilyGraph graph) {
    assertSmall(paddingEffects(graph), Tolerances.batchEffectPerToken());
  }

  @Test
  void aModelIn16BitsEqualsPyTorchIn32UpToRounding() {
    for (Difference difference : differences(HALF, OPTIONS, FamilyGraph.samples())) {
      assertSmall(difference.tokens(), HALF_BOUND);
      // Errors of either sign add up in squares.
      assertThat(Math.abs(difference.text()))
          .isLessThan(HALF_BOUND * Math.sqrt(difference.tokens().length));
    }
    assertSmall(paddingEffects(HALF), HALF_BOUND);
  }

  @Test
  void aDynamicallyQuantizedModelEqualsPyTorchUpToItsSteps() {
    for (ScorerOptions options : List.of(OPTIONS, OPTIONS.withTokenBudget(1))) {
      List<Difference> differences = differences(EIGHT_BIT, options, FamilyGraph.samples());
      assertThat(
              rootMeanSquare(
                  differences.stream().flatMapToDouble(d -> Arrays.stream(d.tokens())).toArray()))
          .isLessThan(EIGHT_BIT_BOUND);
      for (Difference difference : differences) {
        assertThat(Math.abs(difference.text()))
            .isLessThan(4 * EIGHT_BIT_BOUND * Math.sqrt(difference.tokens().length));
      }
    }
    // The steps depend on all that is in the batch: two scores are two draws of the error.
    assertThat(rootMeanSquare(paddingEffects(EIGHT_BIT)))
        .isLessThan(Math.sqrt(2) * EIGHT_BIT_BOUND);
  }

  private static double rootMeanSquare(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(x -> x * x).sum() / values.length);
  }

  private static void assertSmall(double[] differences, double bound) {
    assertThat(differences).isNotEmpty();
    for (double difference : differences) {
      assertThat(Math.abs(difference)).isLessThan(bound);
    }
  }

  private static void assertGolden(FamilyGraph graph, ScorerOptions options, List<Sample> samples) {
    for (Difference difference : differences(graph, options, samples)) {
      assertThat(Math.abs(difference.text()))
          .isLessThan(Tolerances.textAcrossRuntimes(difference.golden()));
      assertSmall(difference.tokens(), Tolerances.batchEffectPerToken());
    }
  }

  /** A text's log-likelihood by PyTorch, and what the score and its tokens are more than that. */
  private record Difference(double golden, double text, double[] tokens) {}

  private static List<Difference> differences(
      FamilyGraph graph, ScorerOptions options, List<Sample> samples) {
    Map<String, double[]> goldens = graph.goldens();
    List<TextScore> scores = score(graph, options, samples);
    List<Difference> differences = new ArrayList<>();
    for (int n = 0; n < samples.size(); n++) {
      double[] expected = goldens.get(samples.get(n).id());
      double[] actual = scores.get(n).tokenLogProbs().orElseThrow().logProbs();
      assertThat(actual).hasSameSizeAs(expected).hasSameSizeAs(samples.get(n).ids());
      double[] tokens = new double[expected.length];
      Arrays.setAll(tokens, t -> actual[t] - expected[t]);
      double golden = Arrays.stream(expected).sum();
      differences.add(new Difference(golden, scores.get(n).logLikelihood() - golden, tokens));
    }
    return differences;
  }

  /** What all texts in one batch, padded with either of two ids, make of each token alone. */
  private static double[] paddingEffects(FamilyGraph graph) {
    int[][] sequences = FamilyGraph.samples().stream().map(Sample::sequence).toArray(int[][]::new);
    List<Double> effects = new ArrayList<>();
    try (OnnxCausalLm model =
        OnnxCausalLm.open(
            graph.file(),
            FamilyGraph.config(),
            OPTIONS.withThreads(1),
            OnnxCausalLm.Head.LOGITS,
            0)) {
      for (int padding : new int[] {0, 299}) {
        CapturedLogits together = new CapturedLogits();
        model.forward(TokenBatch.of(sequences, padding), together);
        for (int b = 0; b < sequences.length; b++) {
          CapturedLogits alone = new CapturedLogits();
          model.forward(TokenBatch.of(new int[][] {sequences[b]}, 0), alone);
          for (int t = 0; t + 1 < sequences[b].length; t++) {
            int next = sequences[b][t + 1];
            effects.add(together.logProb(b, t, next) - alone.logProb(0, t, next));
          }
        }
      }
    }
    return effects.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static List<TextScore> score(
      FamilyGraph graph, ScorerOptions options, List<Sample> samples) {
    Map<Integer, TextScore> scores = new HashMap<>();
    ModelSpec spec = new ModelSpec("onnx", graph.file(), graph.path());
    try (LogLikelihoodScorer scorer = new OnnxScorerProvider().open(spec, options)) {
      scorer.score(samples.stream().map(Sample::asText).toList(), scores::put);
    }
    assertThat(scores).hasSize(samples.size());
    return new ArrayList<>(new TreeMap<>(scores).values());
  }
}
