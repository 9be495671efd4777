package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.CapturedLogits;
import io.llmap.testing.models.TinyModel;
import io.llmap.tokenizers.ModelConfig;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Passes of ONNX Runtime that end before their time. */
@Timeout(60)
class EndingRunsTest {
  private static final ScorerOptions OPTIONS = ScorerOptions.defaults().withThreads(2);

  @Test
  void aForwardPassInProgressIsEndedAndTheNextIsNot() throws Exception {
    ModelConfig unlimited =
        new ModelConfig(
            OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), List.of(), false);
    // Attention over so many tokens takes seconds.
    TokenBatch slow = TokenBatch.of(new int[8][3000], 0);
    try (OnnxCausalLm model =
        OnnxCausalLm.open(OnnxModels.graph(TinyModel.LLAMA), unlimited, OPTIONS)) {
      model.cancel();
      CompletableFuture<Void> pass =
          CompletableFuture.runAsync(() -> model.forward(slow, new CapturedLogits()));
      while (!pass.isDone()) {
        model.cancel();
        try {
          pass.get(5, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          // Not begun, or in the middle of an operator.
        } catch (ExecutionException e) {
          assertThat(e.getCause())
              .isInstanceOf(ScoringException.class)
              .hasMessageContainingAll("8 sequences of 3000 tokens", "terminate");
        }
      }
      assertThat(pass).isCompletedExceptionally();
      model.forward(TokenBatch.of(new int[][] {{1, 2, 3}}, 0), new CapturedLogits());
    }
  }
}
