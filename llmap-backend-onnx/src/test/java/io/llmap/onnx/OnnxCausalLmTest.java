package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.onnx.OnnxCausalLm.Head;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.CapturedLogits;
import io.llmap.testing.Tolerances;
import io.llmap.testing.models.GoldenText;
import io.llmap.testing.models.TinyModel;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxCausalLmTest {
  private static final ModelConfig SILENT =
      new ModelConfig(
          OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), List.of(), false);

  private static final ScorerOptions OPTIONS = ScorerOptions.defaults().withThreads(1);

  @TempDir Path folder;

  /** The table of the bigram graphs: see BIGRAM in tools/fixtures. */
  static double bigramLogit(int from, int to) {
    return (7 * from + 3 * to * to) % 11 / 2.0;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bigram",
        "bigram-f16",
        "bigram-bf16",
        "bigram-unnamed",
        "bigram-dynamic-vocabulary",
        "bigram-external",
        "bigram-external-branch"
      })
  void logitsOfEveryTypeAndLayoutArriveExactly(String graph) {
    int[][] sequences = {{1, 2, 3, 4, 5}, {7, 1}, {0, 0, 6}};
    CapturedLogits captured = new CapturedLogits();
    try (OnnxCausalLm model = OnnxCausalLm.open(OnnxModels.graph(graph), SILENT, OPTIONS)) {
      assertThat(model.vocabularySize()).isEqualTo(8);
      assertThat(model.contextLength()).isEqualTo(Integer.MAX_VALUE);
      model.forward(TokenBatch.of(sequences, 0), captured);
    }
    assertThat(captured.sequences).hasSize(3);
    for (int b = 0; b < sequences.length; b++) {
      float[][] rows = captured.sequences.get(b);
      assertThat(rows).hasNumberOfRows(sequences[b].length - 1);
      for (int t = 0; t < rows.length; t++) {
        for (int v = 0; v < 8; v++) {
          assertThat(rows[t][v]).isEqualTo((float) bigramLogit(sequences[b][t], v));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void paddingChangesNoSequence(TinyModel family) {
    int[][] sequences =
        family.goldens().stream()
            .map(GoldenText::ids)
            .filter(ids -> ids.length > 1)
            .toArray(int[][]::new);
    try (OnnxCausalLm model = open(family)) {
      CapturedLogits together = new CapturedLogits();
      model.forward(TokenBatch.of(sequences, 0), together);
      for (int b = 0; b < sequences.length; b++) {
        CapturedLogits alone = new CapturedLogits();
        model.forward(TokenBatch.of(new int[][] {sequences[b]}, 0), alone);
        for (int t = 0; t + 1 < sequences[b].length; t++) {
          int next = sequences[b][t + 1];
          assertThat(together.logProb(b, t, next))
              .isCloseTo(alone.logProb(0, t, next), within(Tolerances.batchEffectPerToken()));
        }
      }
    }
  }

  @Test
  void logitsLieInOneBufferThatIsReused() {
    Set<ByteBuffer> buffers = Collections.newSetFromMap(new IdentityHashMap<>());
    try (OnnxCausalLm model = open(TinyModel.GPT2)) {
      LogitsSink sink = blocks(block -> buffers.add(block.memory()));
      model.forward(TokenBatch.of(new int[][] {{1, 2, 3}, {4, 5}}, 0), sink);
      long capacity = buffers.iterator().next().capacity();
      assertThat(buffers).allMatch(ByteBuffer::isDirect).allMatch(b -> b.capacity() == capacity);
      model.forward(TokenBatch.of(new int[][] {{1, 2}}, 0), sink);
      assertThat(buffers).allMatch(b -> b.capacity() == capacity);
    }
  }

  @Test
  void aTokenOutsideTheVocabularyIsNamed() {
    try (OnnxCausalLm model = open(TinyModel.GPT2)) {
      assertThatThrownBy(
              () -> model.forward(TokenBatch.of(new int[][] {{1, 320}}, 0), new CapturedLogits()))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("token id 320", "position 1 of sequence 0", "0 to 319");
    }
  }

  @Test
  void aSequenceLongerThanTheContextIsRefused() {
    try (OnnxCausalLm model = open(TinyModel.GPT2)) {
      model.forward(TokenBatch.of(new int[1][96], 0), new CapturedLogits());
      assertThatThrownBy(
              () -> model.forward(TokenBatch.of(new int[1][97], 0), new CapturedLogits()))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("97 tokens", "96 tokens");
    }
  }

  @Test
  void anErrorInsideTheRuntimeIsReported() {
    // With an unlimited context the position embedding is what runs out.
    try (OnnxCausalLm model =
        OnnxCausalLm.open(OnnxModels.graph(TinyModel.GPT2), SILENT, OPTIONS)) {
      assertThatThrownBy(
              () -> model.forward(TokenBatch.of(new int[1][97], 0), new CapturedLogits()))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("model.onnx", "1 sequences of 97 tokens")
          .message()
          .doesNotContain("\n");
    }
  }

  @Test
  void moreLogitsThanOneBufferHoldsAreRefusedWithWhatWouldFit() {
    // 4 · 320 bytes a token: 1,677,721 tokens are too many by less than 1,280 bytes.
    try (OnnxCausalLm model = open(Head.UNCUT)) {
      TokenBatch one = TokenBatch.of(new int[1][1_677_722], 0);
      assertThatThrownBy(() -> model.forward(one, new CapturedLogits()))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("2147484160 bytes", "pieces of at most 1677721 tokens");
      TokenBatch many = TokenBatch.of(new int[838_861][2], 0);
      assertThatThrownBy(() -> model.forward(many, new CapturedLogits()))
          .isInstanceOf(ScoringException.class)
          .hasMessageContaining("lower the token budget to 1677721 tokens");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "refused-fixed|input_ids: INT64[1, 4]; it must be int64 or int32 of the shape [batch, sequence]",
        "refused-double|logits: DOUBLE[batch, sequence, 8]; the logits must be float, float16 or bfloat16",
        "refused-last|logits of the last position only, logits: FLOAT[batch, 1, 8]",
        "refused-last-hidden|logits of the shape [2, 1, 8] for 2 sequences of 8 tokens",
        "masked|is not a causal language model"
      })
  void aGraphThatIsNoUsableCausalModelIsRefused(String graph, String reason) {
    assertThatThrownBy(() -> OnnxCausalLm.open(OnnxModels.graph(graph), SILENT, OPTIONS))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(graph + ".onnx", reason)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void aConfigOfAnotherKindOfModelIsRefused() {
    ModelConfig masked =
        new ModelConfig(
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            List.of("RobertaForMaskedLM"),
            false);
    assertThatThrownBy(() -> OnnxCausalLm.open(OnnxModels.graph("bigram"), masked, OPTIONS))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("masked language model (RobertaForMaskedLM)");
    ModelConfig encoderDecoder =
        new ModelConfig(
            OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), List.of(), true);
    assertThatThrownBy(() -> OnnxCausalLm.open(OnnxModels.graph("bigram"), encoderDecoder, OPTIONS))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("encoder-decoder");
  }

  @Test
  void corruptGraphsAreRefusedWithTheRuntimesReason() throws IOException {
    Path noise = folder.resolve("noise.onnx");
    Files.writeString(noise, "this is not a graph");
    Path cut = folder.resolve("cut.onnx");
    byte[] whole = Files.readAllBytes(OnnxModels.graph(TinyModel.GPT2));
    Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
    Path external = folder.resolve("external.onnx");
    Files.write(external, Files.readAllBytes(OnnxModels.graph("bigram-external")));
    for (Path path : List.of(noise, cut, external)) {
      assertThatThrownBy(() -> OnnxCausalLm.open(path, SILENT, OPTIONS))
          .isInstanceOf(BackendUnavailableException.class)
          .hasMessageContainingAll("ONNX Runtime cannot load " + path, "ORT_")
          .message()
          .doesNotContain("\n");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"cuda:0|onnxruntime_gpu", "cuda|onnxruntime_gpu", "tpu|\"tpu\" is unknown"})
  void aDeviceThatIsNotThereIsRefused(String device, String reason) {
    assertThatThrownBy(
            () -> OnnxCausalLm.open(OnnxModels.graph("bigram"), SILENT, OPTIONS.withDevice(device)))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll("\"" + device + "\"", reason);
  }

  @Test
  void aClosedModelIsAnError() {
    OnnxCausalLm model = open(TinyModel.GPT2);
    model.close();
    assertThatThrownBy(
            () -> model.forward(TokenBatch.of(new int[][] {{1, 2}}, 0), new CapturedLogits()))
        .isInstanceOf(IllegalStateException.class);
  }

  private static OnnxCausalLm open(Head head) {
    return OnnxCausalLm.open(OnnxModels.graph(TinyModel.GPT2), SILENT, OPTIONS, head, 0);
  }

  private static LogitsSink blocks(Consumer<LogitsBlock> consumer) {
    return new LogitsSink() {
      @Override
      public void logits(int sequence, int firstTarget, LogitsBlock logits) {
        consumer.accept(logits);
      }

      @Override
      public void tokenLogProbs(int sequence, int firstTarget, double[] logProbs) {
        throw new AssertionError();
      }
    };
  }

  @Test
  void aModelIsSmallByItsWeightsWhereverTheyLie() throws IOException {
    Path model = folder.resolve("bigram-external.onnx");
    Path weights = folder.resolve("bigram-external.onnx_data");
    Files.copy(OnnxModels.graph("bigram-external"), model);
    Files.copy(OnnxModels.graph("bigram-external").resolveSibling(weights.getFileName()), weights);
    ScorerOptions options = OPTIONS.withThreads(3);
    try (OnnxCausalLm small = OnnxCausalLm.open(model, ModelConfig.read(folder), options)) {
      assertThat(small.concurrency()).isEqualTo(3);
    }
    try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
      file.setLength(129L << 20);
    }
    try (OnnxCausalLm large = OnnxCausalLm.open(model, ModelConfig.read(folder), options)) {
      assertThat(large.concurrency()).isEqualTo(1);
    }
  }

  private static OnnxCausalLm open(TinyModel model) {
    return OnnxCausalLm.open(
        OnnxModels.graph(model),
        ModelConfig.read(OnnxModels.folder(model)),
        OPTIONS,
        Head.LOGITS,
        0);
  }
}
