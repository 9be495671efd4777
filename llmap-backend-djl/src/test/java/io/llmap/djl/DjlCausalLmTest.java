package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.CapturedLogits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a model may take and give, and how it is answered when it takes or gives something else. */
class DjlCausalLmTest {
  private static final ScorerOptions OPTIONS = ScorerOptions.defaults().withThreads(1);

  private static final List<int[][]> BATCHES =
      List.of(
          new int[][] {{3, 4}},
          new int[][] {{1, 2, 3, 4, 5}, {7, 1}, {0, 0, 6}},
          new int[][] {{6, 6, 6, 6, 6}, {5, 4, 3, 2, 1}, {0, 1}},
          new int[][] {{1, 2, 3}, {4, 5, 6}});

  /** Which output is the logits, and which ids the probe may use, only the configuration says. */
  private static final Set<String> WITH_CONFIG = Set.of("output-tuple-second", "bigram-nan");

  @TempDir private Path folder;

  /** A wrong mask or position shows in the logits: see tools/fixtures/make_torchscript.py. */
  @ParameterizedTest
  @CsvSource({
    "bigram, 0",
    "bigram-frozen, 0",
    "bigram-f16, 0",
    "signature-positions, 100",
    "signature-positions-without-mask, 100",
    "signature-mask-first, 0",
    "signature-short-names, 0",
    "signature-optional, 100",
    "signature-int32, 0",
  })
  void inputsAreGivenByTheirNames(String graph, int perPosition) throws IOException {
    assertLogits(graph, perPosition);
  }

  @ParameterizedTest
  @ValueSource(strings = {"output-tuple", "output-tuple-second", "output-dict", "output-dict-last"})
  void logitsAreFoundAmongOtherOutputs(String graph) throws IOException {
    assertLogits(graph, 0);
  }

  /** Arithmetic in bfloat16 inside, as autocast leaves it, is no reason to refuse. */
  @Test
  void aCastToBfloat16InsideRuns() throws IOException {
    assertLogits("bigram-bf16-cast", 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bigram-bf16", "bigram-bf16-constant"})
  void bfloat16IsRefusedBeforeTheEngineSeesIt(String graph) {
    assertThatThrownBy(() -> open(graph))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(graph + ".pt is in bfloat16", "CPU", "--dtype float32");
  }

  @ParameterizedTest
  @CsvSource({"bigram-last-position, '[2, 1, 8]'", "bigram-last-row, '[2, 8]'"})
  void aModelThatGivesASinglePositionIsRefusedWithTheShape(String graph, String shape) {
    assertThatThrownBy(() -> open(graph))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(graph + ".pt gives logits of the shape " + shape, "all positions");
  }

  @ParameterizedTest
  @CsvSource({
    "masked, is not a causal language model",
    "bigram-nan, gives NaN logits",
    "bigram-fixed-length, PyTorch cannot run",
    "refused-token-types, token_type_ids",
    "refused-truncated, cut or damaged",
    "refused-empty, is empty",
    "refused-state-dict, without the model's code",
    "refused-pickled-module, without its code",
  })
  void aModelThatCannotServeIsRefusedWithTheReason(String graph, String reason) {
    assertThatThrownBy(() -> open(graph))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(graph + ".pt", reason)
        .message()
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @CsvSource({
    "refused-newer-format, version 99",
    "refused-unknown-operator, not_yet_invented",
  })
  void aFileOfANewerPyTorchIsRefusedWithBothVersions(String graph, String what) {
    assertThatThrownBy(() -> open(graph))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(
            "PyTorch", graph + ".pt", what, "PyTorch 2.7.1", "convert it with that version")
        .message()
        .doesNotContain("\n");
  }

  @Test
  void aBlockOfOnesOwnIsScored() {
    DjlEngines.require("PyTorch");
    Model model = Model.newInstance("table", Device.cpu(), "PyTorch");
    NDArray table = model.getNDManager().create(new Shape(8, 8));
    for (int i = 0; i < 8; i++) {
      for (int j = 0; j < 8; j++) {
        table.set(new NDIndex(i, j), bigram(i, j));
      }
    }
    model.setBlock(
        new LambdaBlock(
            inputs -> new NDList(inputs.head().oneHot(8).matMul(table)), "logits of the next"));
    DjlSignature signature = DjlSignature.of(DjlSignature.Role.IDS);
    try (DjlCausalLm lm = DjlCausalLm.of(model, signature, 6, OPTIONS)) {
      assertLogits(lm, 0);
      assertThat(lm.contextLength()).isEqualTo(6);
      assertThatThrownBy(() -> lm.forward(TokenBatch.of(new int[1][7], 0), new CapturedLogits()))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("7 tokens", "table", "6 tokens");
    }
  }

  @Test
  void anIdThatTheModelHasNoPlaceForIsAScoringError() throws IOException {
    try (DjlCausalLm model = open("bigram")) {
      assertThatThrownBy(
              () -> model.forward(TokenBatch.of(new int[][] {{1, 8}}, 0), new CapturedLogits()))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll(
              "PyTorch failed in", "bigram.pt", "1 sequences of 2 tokens", "index out of range")
          .message()
          .doesNotContain("\n");
    }
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> DjlScorerProvider.load(files("bigram"), OPTIONS.withDevice("cuda:7")))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("cuda:7");
  }

  private void assertLogits(String graph, int perPosition) throws IOException {
    try (DjlCausalLm model = open(graph)) {
      assertLogits(model, perPosition);
    }
  }

  private static void assertLogits(DjlCausalLm model, int perPosition) {
    assertThat(model.vocabularySize()).isEqualTo(8);
    for (int[][] sequences : BATCHES) {
      CapturedLogits captured = new CapturedLogits();
      model.forward(TokenBatch.of(sequences, 0), captured);
      for (int b = 0; b < sequences.length; b++) {
        float[][] rows = captured.sequences.get(b);
        assertThat(rows).hasNumberOfRows(sequences[b].length - 1);
        for (int t = 0; t < rows.length; t++) {
          for (int v = 0; v < rows[t].length; v++) {
            assertThat(rows[t][v]).isEqualTo(bigram(sequences[b][t], v) + perPosition * t);
          }
        }
      }
    }
  }

  /** The table of tools/fixtures/make_fixtures.py. */
  private static float bigram(int i, int j) {
    return (7 * i + 3 * j * j) % 11 / 2f;
  }

  private DjlCausalLm open(String graph) throws IOException {
    return DjlScorerProvider.load(files(graph), OPTIONS);
  }

  private DjlModelFiles files(String graph) throws IOException {
    Path file = folder.resolve(graph + ".pt");
    Files.copy(Fixture.graph(graph), file);
    if (WITH_CONFIG.contains(graph)) {
      Files.writeString(folder.resolve("config.json"), "{\"vocab_size\": 8}");
    }
    return DjlModelFiles.locate(new ModelSpec("djl", file, graph));
  }
}
