package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.CapturedLogits;
import io.llmap.tokenizers.ModelConfig;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a graph may take, and how it is answered when it takes something else. */
class SignaturesTest {
  private static final ModelConfig SILENT = config(OptionalInt.empty());

  private static final ScorerOptions OPTIONS = ScorerOptions.defaults().withThreads(1);

  private static final int[][] SEQUENCES = {{1, 2, 3, 4, 5}, {7, 1}, {0, 0, 6}};

  /**
   * A wrong mask, position, shape or entry of any input shows in the logits: see tools/fixtures.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "signature-positions",
        "signature-int32",
        "signature-mixed",
        "signature-past",
        "signature-merged"
      })
  void positionsCountUpInEveryRowAndTheCacheIsEmpty(String graph) {
    assertLogits(graph, SILENT, 100);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "signature-past-f16",
        "signature-past-bf16",
        "signature-past-stacked",
        "signature-past-first",
        "signature-past-multi-query",
        "signature-states"
      })
  void cachesOfEveryTypeAndLayoutAreEmptyAndStatesAreZero(String graph) {
    assertLogits(graph, SILENT, 0);
  }

  @Test
  void aCacheWithBatchAndHeadsInOneDimensionNeedsTheirNumber() {
    String graph = "signature-past-batch-by-heads";
    assertLogits(graph, config(OptionalInt.of(2)), 0);
    assertThatThrownBy(() -> OnnxCausalLm.open(OnnxModels.graph(graph), SILENT, OPTIONS))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(
            graph + ".onnx takes past_key_values.0.key", "num_attention_heads");
  }

  private static ModelConfig config(OptionalInt heads) {
    return new ModelConfig(OptionalInt.empty(), OptionalInt.empty(), heads, List.of(), false);
  }

  private static void assertLogits(String graph, ModelConfig config, int perPosition) {
    try (OnnxCausalLm model =
        OnnxCausalLm.open(OnnxModels.graph(graph), config, OPTIONS, OnnxCausalLm.Head.LOGITS, 0)) {
      // Inputs of one size after those of another, larger and smaller, and of the same size.
      for (int[][] sequences :
          List.of(
              new int[][] {{3, 4}},
              SEQUENCES,
              new int[][] {{6, 6, 6, 6, 6}, {5, 4, 3, 2, 1}, {0, 1}},
              new int[][] {{1, 2, 3}, {4, 5, 6}})) {
        CapturedLogits captured = new CapturedLogits();
        model.forward(TokenBatch.of(sequences, 0), captured);
        for (int b = 0; b < sequences.length; b++) {
          float[][] rows = captured.sequences.get(b);
          assertThat(rows).hasNumberOfRows(sequences[b].length - 1);
          for (int t = 0; t < rows.length; t++) {
            for (int v = 0; v < rows[t].length; v++) {
              assertThat(rows[t][v])
                  .isEqualTo(
                      (float) (OnnxCausalLmTest.bigramLogit(sequences[b][t], v) + perPosition * t));
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "encoder|encoder_hidden_states: FLOAT[batch, source, 4], as a part of an encoder-decoder",
        "decoder|decoder_input_ids: INT64[batch, sequence], as a part of an encoder-decoder",
        "cross-attention|past_key_values.0.encoder.key: FLOAT[batch, 2, past, 4], as a part of an",
        "embeddings|takes [inputs_embeds: INT64[batch, sequence]]; a causal language model takes",
        "token-types|token_type_ids: INT64[batch, sequence]; only input_ids, attention_mask,",
        "one-token|input_ids: INT64[batch, 1]; it must be int64 or int32 of the shape [batch,",
        "mask|attention_mask: FLOAT[batch, 1, sequence, sequence]; it must be int64 or int32",
        "positions|position_ids: INT64[3, batch, sequence]; it must be int64 or int32 of the",
        "fixed-past|past_key_values.0.key: FLOAT[batch, 2, 8, 4]; a cache must be float,",
        "fixed-batch|past_key_values.0.key: FLOAT[1, 2, past, 4]; a cache must be float,",
        "heads|past_key_values.0.key: FLOAT[batch, heads, past, 4]; a cache must be float,",
        "past-type|past_key_values.0.key: INT64[batch, 2, past, 4]; a cache must be float,",
        "branch|use_cache_branch: INT64[1]; it must be one bool",
        "keep|num_logits_to_keep: INT64[2]; it must be one int64",
        "outputs|[scores: FLOAT[batch, sequence, 8], hidden: FLOAT[batch, sequence, 8]]; one must"
      })
  void aGraphThatCannotBeServedIsRefusedWithNamesAndShapes(String graph, String reason) {
    String name = "refused-" + graph;
    assertThatThrownBy(() -> OnnxCausalLm.open(OnnxModels.graph(name), SILENT, OPTIONS))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(name + ".onnx", reason)
        .message()
        .doesNotContain("\n");
  }
}
