package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.onnx.OnnxCausalLm.Head;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.LogProbKernel;
import io.llmap.score.spi.LogProbKernels;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.CapturedLogits;
import io.llmap.testing.Tolerances;
import io.llmap.testing.models.TinyModel;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs in two sessions against the same graphs in one. */
class SplitGraphTest {
  private static final ModelConfig SILENT =
      new ModelConfig(
          OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), List.of(), false);

  private static final ScorerOptions OPTIONS = ScorerOptions.defaults().withThreads(1);

  /** Standard deviation of a position's logits in the family models. */
  private static final double SPREAD = 1.5;

  /** So that even the smallest batch below takes several runs of the head. */
  private static final int ROWS_OF_A_CHUNK = 5;

  @TempDir Path folder;

  /** The models that PyTorch gave numbers for. */
  static Stream<Path> models() {
    return Stream.concat(
        Arrays.stream(TinyModel.values()).map(OnnxModels::graph),
        FamilyGraph.all().stream().map(FamilyGraph::file));
  }

  /** Sequences of several lengths, some with a prompt. */
  private static TokenBatch batch(int vocabularySize) {
    Random random = new Random(5);
    int[][] sequences = {new int[17], new int[23], new int[2], new int[9]};
    for (int[] sequence : sequences) {
      Arrays.setAll(sequence, t -> random.nextInt(vocabularySize));
    }
    return TokenBatch.of(sequences, new int[] {1, 15, 1, 8}, 0);
  }

  @ParameterizedTest
  @MethodSource("models")
  void theHeadByItselfGivesTheLogitsOfTheWholeGraph(Path file) {
    try (OnnxCausalLm whole = open(file, Head.UNCUT, 0)) {
      int vocabularySize = whole.vocabularySize();
      TokenBatch batch = batch(vocabularySize);
      CapturedLogits expected = new CapturedLogits();
      whole.forward(batch, expected);
      long rowBytes = whole.logitsBytesPerToken();
      for (long chunkBytes : new long[] {0, ROWS_OF_A_CHUNK * rowBytes, 1}) {
        CapturedLogits actual = new CapturedLogits();
        try (OnnxCausalLm split = open(file, Head.LOGITS, chunkBytes)) {
          assertThat(split.vocabularySize()).isEqualTo(vocabularySize);
          assertThat(split.isSplit()).isEqualTo(!isDynamicallyQuantized(file));
          split.forward(batch, actual);
        }
        for (int b = 0; b < batch.sequences(); b++) {
          assertThat(actual.sequences.get(b)).hasNumberOfRows(batch.targets(b));
          for (int r = 0; r < batch.targets(b); r++) {
            int target = batch.id(b, batch.firstTarget(b) + r);
            double logProb = expected.logProb(b, r, target);
            assertThat(actual.logProb(b, r, target))
                .isCloseTo(logProb, within(bound(file, logProb)));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void theScoringHeadGivesTheKernelsLogProbabilities(Path file) {
    LogProbKernel kernel = LogProbKernels.best();
    TokenBatch batch;
    ScoredTokens expected;
    try (OnnxCausalLm model = open(file, Head.LOGITS, 0)) {
      batch = batch(model.vocabularySize());
      expected = new ScoredTokens(batch, kernel);
      model.forward(batch, expected);
    }
    try (OnnxCausalLm model = open(file, Head.LOG_PROBS, 0)) {
      ScoredTokens actual = new ScoredTokens(batch, kernel);
      model.forward(batch, actual);
      assertThat(actual.ready).isEqualTo(model.isSplit());
      for (int b = 0; b < batch.sequences(); b++) {
        for (int t = batch.firstTarget(b); t < batch.length(b); t++) {
          double logProb = expected.logProbs[b][t];
          assertThat(actual.logProbs[b][t])
              .isCloseTo(
                  logProb,
                  within(
                      bound(file, logProb)
                          + Tolerances.singlePrecisionKernel(logProb, model.vocabularySize())));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void onlyScoredPositionsReachTheHead(boolean prompts) {
    int[][] sequences = {new int[17], new int[23], new int[2]};
    TokenBatch batch =
        TokenBatch.of(sequences, prompts ? new int[] {16, 20, 1} : new int[] {1, 1, 1}, 0);
    int rows = prompts ? 1 + 3 + 1 : 16 + 22 + 1;
    List<LogitsBlock> blocks = new ArrayList<>();
    try (OnnxCausalLm model = open(OnnxModels.graph(TinyModel.GPT2), Head.LOGITS, 0)) {
      model.forward(batch, taking(blocks));
      // The head wrote into memory for so many rows, and it fills what it is given.
      assertThat(blocks)
          .allMatch(b -> b.memory().capacity() == rows * model.vocabularySize() * Float.BYTES)
          .extracting(LogitsBlock::rows)
          .containsExactly(batch.targets(0), batch.targets(1), batch.targets(2));
    }
  }

  @Test
  void chunksAreEvenAndMayEndInsideASequence() {
    TokenBatch batch = TokenBatch.of(new int[][] {new int[6], new int[8]}, 0);
    List<LogitsBlock> blocks = new ArrayList<>();
    try (OnnxCausalLm model =
        open(OnnxModels.graph(TinyModel.GPT2), Head.LOGITS, 5 * 320 * Float.BYTES)) {
      model.forward(batch, taking(blocks));
    }
    // 12 rows in three runs of 4.
    assertThat(blocks).extracting(LogitsBlock::rows).containsExactly(4, 1, 3, 4);
  }

  /** f(id) · g(v) with f(id) = id / 2 + 1 and g(v) = v / 2¹⁸: H = 1, and no weights in the file. */
  private Path wide(int vocabularySize) {
    return TestGraph.causal(TestGraph.FLOAT)
        .floats("zero", List.of(), 0)
        .floats("one", List.of(), 1)
        .floats("half", List.of(), 0.5f)
        .floats("limit", List.of(), vocabularySize)
        .floats("step", List.of(), 0x1p-18f)
        .longs("first", List.of(1), 0)
        .longs("last", List.of(1), 2)
        .node("Range", List.of("zero", "limit", "one"), "range")
        .node("Mul", List.of("range", "step"), "g")
        .node("Unsqueeze", List.of("g", "first"), "w")
        .node("Cast", List.of("input_ids"), "ids", Map.of("to", TestGraph.FLOAT))
        .node("Mul", List.of("ids", "half"), "halves")
        .node("Add", List.of("halves", "one"), "f")
        .node("Unsqueeze", List.of("f", "last"), "h")
        .node("MatMul", List.of("h", "w"), "logits")
        .write(folder.resolve("wide.onnx"));
  }

  @Test
  void aLongTextWithAVocabularyOf256kTakesNoMoreMemoryThanAShortOne() {
    int vocabularySize = 1 << 18;
    // More logits than any buffer of the JVM holds: 2.2 GB.
    int[] text = new int[2_100];
    Arrays.setAll(text, t -> t % 100);
    int[] rows = {0};
    try (OnnxCausalLm model = open(wide(vocabularySize), Head.LOGITS, 0)) {
      assertThat(model.vocabularySize()).isEqualTo(vocabularySize);
      model.forward(
          TokenBatch.of(new int[][] {text}, 0),
          new LogitsSink() {
            @Override
            public void logits(int sequence, int firstTarget, LogitsBlock logits) {
              assertThat(logits.memory().capacity()).isLessThanOrEqualTo(8 << 20);
              for (int r = 0; r < logits.rows(); r++) {
                float factor = text[firstTarget - 1 + r] / 2f + 1;
                for (int v = 1; v < vocabularySize; v *= 8) {
                  assertThat(logits.logit(r, v)).isEqualTo(factor * v * 0x1p-18f);
                }
              }
              rows[0] += logits.rows();
            }

            @Override
            public void tokenLogProbs(int sequence, int firstTarget, double[] logProbs) {
              throw new AssertionError();
            }
          });
    }
    assertThat(rows[0]).isEqualTo(text.length - 1);
  }

  @Test
  void theScoringHeadIsAsExactAsAKernelOver256kTokens() {
    int vocabularySize = 1 << 18;
    // Logits from 0 to factor: flat, steep, and so steep that most of the sum is in a few terms.
    int[] ids = {0, 1, 20, 21, 300, 301, 262_143};
    TokenBatch batch = TokenBatch.of(new int[][] {ids}, 0);
    ScoredTokens actual = new ScoredTokens(batch, LogProbKernels.best());
    try (OnnxCausalLm model = open(wide(vocabularySize), Head.LOG_PROBS, 0)) {
      model.forward(batch, actual);
    }
    assertThat(actual.ready).isTrue();
    for (int t = 1; t < ids.length; t++) {
      float factor = ids[t - 1] / 2f + 1;
      double sum = 0;
      for (int v = 0; v < vocabularySize; v++) {
        sum += Math.exp(factor * v * 0x1p-18f - factor);
      }
      double logProb = factor * ids[t] * 0x1p-18f - factor - Math.log(sum);
      assertThat(actual.logProbs[0][t])
          .isCloseTo(logProb, within(Tolerances.singlePrecisionKernel(logProb, vocabularySize)));
    }
  }

  @Test
  void moreHiddenStatesThanOneBufferHoldsAreRefusedWithWhatWouldFit() {
    // 4 · 24 bytes a token.
    try (OnnxCausalLm model = open(OnnxModels.graph(TinyModel.GPT2), Head.LOGITS, 0)) {
      TokenBatch batch = TokenBatch.of(new int[2][11_184_811], 0);
      assertThatThrownBy(() -> model.forward(batch, new CapturedLogits()))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("hidden states", "lower the token budget to 22369621 tokens");
    }
  }

  private static final float[] TABLE = {0, 1, 1, 0, 1, 1, 2, 0};

  /** Logits [b, t, v] = table[ids] · w, of the values 0 to 4, exact in every type. */
  private static TestGraph product(int type) {
    return TestGraph.causal(type)
        .floats("table", List.of(4, 2), TABLE)
        .floats("w", List.of(2, 4), 0, 1, 2, 1, 0, 2, 1, 3);
  }

  private static final float[][] PRODUCT = {{0, 2, 1, 3}, {0, 1, 2, 1}, {0, 3, 3, 4}};

  @ParameterizedTest
  @ValueSource(ints = {TestGraph.FLOAT, TestGraph.FLOAT16, TestGraph.BFLOAT16})
  void logitsOfEveryTypeComeOutOfTheHead(int type) {
    Path file =
        product(type)
            .node("Gather", List.of("table", "input_ids"), "h")
            .node("MatMul", List.of("h", "w"), "product")
            .node("Cast", List.of("product"), "logits", Map.of("to", type))
            .write(folder.resolve("typed.onnx"));
    assertProduct(file);
  }

  @Test
  void hiddenStatesIn16BitsReachTheHead() {
    Path file =
        product(TestGraph.FLOAT16)
            .node("Cast", List.of("table"), "table16", Map.of("to", TestGraph.FLOAT16))
            .node("Cast", List.of("w"), "w16", Map.of("to", TestGraph.FLOAT16))
            .node("Gather", List.of("table16", "input_ids"), "h")
            .node("MatMul", List.of("h", "w16"), "logits")
            .write(folder.resolve("half.onnx"));
    assertProduct(file);
  }

  @Test
  void aWeightThatBothPartsUseAndABranchReadIsInBoth() {
    Path file =
        product(TestGraph.FLOAT)
            .floats("wt", List.of(4, 2), 0, 0, 1, 2, 2, 1, 1, 3)
            .floats("zero", List.of(), 0)
            .node("Transpose", List.of("wt"), "t")
            .node("Greater", List.of("zero", "zero"), "never")
            .choice("never", "wt", "table", "chosen")
            .node("Mul", List.of("wt", "zero"), "nothing")
            .node("ReduceSum", List.of("nothing"), "sum", Map.of("keepdims", 0))
            .node("Gather", List.of("chosen", "input_ids"), "row")
            .node("Add", List.of("row", "sum"), "h")
            .node("MatMul", List.of("h", "t"), "logits")
            .write(folder.resolve("tied.onnx"));
    assertProduct(file);
  }

  @ParameterizedTest
  @ValueSource(ints = {14, 15, 17, 18})
  void theFloorUnderMaskedScoresChangesNoBit(int opset) {
    float hidden = -Float.MAX_VALUE;
    float nothing = Float.NEGATIVE_INFINITY;
    for (int type : new int[] {TestGraph.FLOAT, TestGraph.FLOAT16}) {
      Path file =
          TestGraph.causal(type)
              .opset(opset)
              .floats(
                  "table",
                  List.of(4, 4),
                  new float[] {
                    0, hidden, hidden, hidden, 1, 2, hidden, nothing, -300, -301, 0, nothing, 3, 2,
                    -70, -110
                  })
              .floats("w", List.of(4, 4), 1, 2, 3, 4, 5, 6, 7, 8, -1, -3, -2, 5, 1, 1, 4, 2)
              .node("Cast", List.of("table"), "typed", Map.of("to", type))
              .node("Cast", List.of("w"), "weights", Map.of("to", type))
              .node("Gather", List.of("typed", "input_ids"), "scores")
              .node("Softmax", List.of("scores"), "h", Map.of("axis", -1))
              .node("MatMul", List.of("h", "weights"), "logits")
              .write(folder.resolve("masked.onnx"));
      TokenBatch batch = TokenBatch.of(new int[][] {{0, 1, 2, 3, 0}}, 0);
      CapturedLogits expected = new CapturedLogits();
      CapturedLogits actual = new CapturedLogits();
      try (OnnxCausalLm whole = open(file, Head.UNCUT, 0);
          OnnxCausalLm split = open(file, Head.LOGITS, 0)) {
        assertThat(split.isSplit()).isTrue();
        whole.forward(batch, expected);
        split.forward(batch, actual);
      }
      for (int t = 0; t < 4; t++) {
        float[] row = expected.sequences.get(0)[t];
        // In 16 bits the whole graph does not round the hidden states.
        float rounding = type == TestGraph.FLOAT ? 0 : 8 * 0x1p-10f;
        assertThat(actual.sequences.get(0)[t]).containsExactly(row, within(rounding));
      }
    }
  }

  @Test
  void weightsListedAsInputsAreNoInputsAndOldOperatorsWillDo() {
    Path file =
        product(TestGraph.FLOAT)
            .old()
            .value(11, "table", TestGraph.FLOAT, 4, 2)
            .value(11, "w", TestGraph.FLOAT, 2, 4)
            .node("Gather", List.of("table", "input_ids"), "h")
            .node("MatMul", List.of("h", "w"), "logits")
            .write(folder.resolve("old.onnx"));
    assertProduct(file);
    TokenBatch batch = TokenBatch.of(new int[][] {{0, 1, 2}}, 0);
    ScoredTokens scored = new ScoredTokens(batch, LogProbKernels.best());
    try (OnnxCausalLm model = open(file, Head.LOG_PROBS, 0)) {
      model.forward(batch, scored);
    }
    assertThat(scored.ready).isFalse();
  }

  /** A table and weights large enough to stay where they are, in a file or another. */
  private TestGraph external(String location) throws IOException {
    float[] table = new float[512];
    System.arraycopy(TABLE, 0, table, 0, TABLE.length);
    Files.write(folder.resolve("weights"), TestGraph.raw(0, 1, 2, 1, 0, 2, 1, 3).array());
    return TestGraph.causal(TestGraph.FLOAT)
        .floats("table", List.of(256, 2), table)
        .external("w", List.of(2, 4), location)
        .node("Gather", List.of("table", "input_ids"), "h")
        .node("MatMul", List.of("h", "w"), "logits");
  }

  @Test
  void weightsInOtherFilesAreFound() throws IOException {
    assertProduct(external("weights").write(folder.resolve("model.onnx")));
    Files.createDirectory(folder.resolve("deeper"));
    Files.move(folder.resolve("weights"), folder.resolve("deeper/weights"));
    assertProduct(external("deeper/weights").write(folder.resolve("model.onnx")));
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "links need a privilege there")
  void weightsAreFoundThroughLinksAsAModelHubsCacheKeepsThem() throws IOException {
    Path blobs = Files.createDirectory(folder.resolve("blobs"));
    Path snapshot = Files.createDirectory(folder.resolve("snapshot"));
    Path model = external("model.onnx_data").write(blobs.resolve("0a1b"));
    Files.move(folder.resolve("weights"), blobs.resolve("2c3d"));
    Files.createSymbolicLink(snapshot.resolve("model.onnx"), model);
    Files.createSymbolicLink(snapshot.resolve("model.onnx_data"), blobs.resolve("2c3d"));
    assertProduct(snapshot.resolve("model.onnx"));
  }

  @Test
  void weightsOutsideOfTheModelsFolderAreNotRead() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Path model = external("../weights").write(inner.resolve("model.onnx"));
    assertThatThrownBy(() -> open(model, Head.LOGITS, 0))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("escapes");
  }

  @Test
  void hiddenStatesWhoseRankOnlyARunTellsReachTheHead() {
    Path file =
        product(TestGraph.FLOAT)
            .longs("flat", List.of(1), -1)
            .node("Gather", List.of("table", "input_ids"), "row")
            .node("Shape", List.of("row"), "shape")
            .node("NonZero", List.of("shape"), "places")
            .node("Reshape", List.of("places", "flat"), "order")
            .node("Gather", List.of("shape", "order"), "same")
            .node("Reshape", List.of("row", "same"), "h")
            .node("MatMul", List.of("h", "w"), "logits")
            .write(folder.resolve("rankless.onnx"));
    assertProduct(file);
  }

  @Test
  void aGraphWhosePartsAreOfNoUseRunsWhole() {
    // The states are integers.
    Path file =
        product(TestGraph.FLOAT)
            .node("Cast", List.of("table"), "integers", Map.of("to", TestGraph.INT64))
            .node("Cast", List.of("w"), "weights", Map.of("to", TestGraph.INT64))
            .node("Gather", List.of("integers", "input_ids"), "h")
            .node("MatMul", List.of("h", "weights"), "product")
            .node("Cast", List.of("product"), "logits", Map.of("to", TestGraph.FLOAT))
            .write(folder.resolve("integers.onnx"));
    try (OnnxCausalLm model = open(file, Head.LOGITS, 0)) {
      assertThat(model.isSplit()).isFalse();
      CapturedLogits captured = new CapturedLogits();
      model.forward(TokenBatch.of(new int[][] {{0, 1, 2}}, 0), captured);
      assertThat(captured.sequences.get(0)).isDeepEqualTo(new float[][] {PRODUCT[0], PRODUCT[1]});
    }
  }

  private static void assertProduct(Path file) {
    int[][] sequences = {{0, 1, 2, 1}, {2, 2}};
    CapturedLogits captured = new CapturedLogits();
    try (OnnxCausalLm model = open(file, Head.LOGITS, 0)) {
      assertThat(model.isSplit()).isTrue();
      model.forward(TokenBatch.of(sequences, 0), captured);
    }
    assertThat(captured.sequences.get(0))
        .isDeepEqualTo(new float[][] {PRODUCT[0], PRODUCT[1], PRODUCT[2]});
    assertThat(captured.sequences.get(1)).isDeepEqualTo(new float[][] {PRODUCT[2]});
    try (OnnxCausalLm model = open(file, Head.LOG_PROBS, 0)) {
      TokenBatch batch = TokenBatch.of(sequences, 0);
      ScoredTokens scored = new ScoredTokens(batch, LogProbKernels.best());
      model.forward(batch, scored);
      for (int t = 1; t < 4; t++) {
        double logProb = captured.logProb(0, t - 1, sequences[0][t]);
        assertThat(scored.logProbs[0][t])
            .isCloseTo(logProb, within(Tolerances.singlePrecisionKernel(logProb, 4)));
      }
    }
  }

  private static OnnxCausalLm open(Path file, Head head, long chunkBytes) {
    return OnnxCausalLm.open(file, SILENT, OPTIONS, head, chunkBytes);
  }

  /** In 16 bits, hidden states and logits are rounded where one graph is made of two. */
  private static double bound(Path file, double logProb) {
    return file.getFileName().toString().contains("fp16")
        ? Tolerances.halfPrecisionPerToken(2, SPREAD)
        : Tolerances.splitGraph(logProb);
  }

  /** The scale of such a model's states is one for the whole batch. */
  private static boolean isDynamicallyQuantized(Path file) {
    return file.getFileName().toString().contains("quantized");
  }

  private static LogitsSink taking(List<LogitsBlock> blocks) {
    return new LogitsSink() {
      @Override
      public void logits(int sequence, int firstTarget, LogitsBlock logits) {
        blocks.add(logits);
      }

      @Override
      public void tokenLogProbs(int sequence, int firstTarget, double[] logProbs) {
        throw new AssertionError();
      }
    };
  }

  /** The log-probability of every scored token, from either kind of head. */
  private static final class ScoredTokens implements LogitsSink {
    private final TokenBatch batch;
    private final LogProbKernel kernel;
    final double[][] logProbs;
    boolean ready;

    ScoredTokens(TokenBatch batch, LogProbKernel kernel) {
      this.batch = batch;
      this.kernel = kernel;
      this.logProbs = new double[batch.sequences()][batch.length()];
      for (double[] row : logProbs) {
        Arrays.fill(row, Double.NaN);
      }
    }

    @Override
    public void logits(int sequence, int firstTarget, LogitsBlock logits) {
      int[] targets = new int[logits.rows()];
      Arrays.setAll(targets, r -> batch.id(sequence, firstTarget + r));
      kernel.logProbs(logits, 0, targets.length, targets, 0, logProbs[sequence], firstTarget);
    }

    @Override
    public void tokenLogProbs(int sequence, int firstTarget, double[] values) {
      ready = true;
      System.arraycopy(values, 0, logProbs[sequence], firstTarget, values.length);
    }
  }
}
