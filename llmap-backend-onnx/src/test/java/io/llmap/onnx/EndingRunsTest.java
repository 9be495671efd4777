package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.score.spi.TokenBatch;
import io.llmap.text.Text;
import io.llmap.tokenizers.ModelConfig;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Runs of ONNX Runtime that end before their time. */
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
        OnnxCausalLm.open(Golden.folder("llama").resolve("model.onnx"), unlimited, OPTIONS)) {
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

  @RepeatedTest(4)
  void closingDuringARunIsSafe() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    LogLikelihoodScorer scorer = open();
    CompletableFuture<Void> closer =
        CompletableFuture.runAsync(
            () -> {
              try {
                first.await();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
              scorer.close();
            });
    assertThatThrownBy(() -> scorer.score(texts(5000), (n, score) -> first.countDown()))
        .isInstanceOf(ScoringException.class)
        .hasMessage("model llama was closed while it was scoring");
    closer.get();
  }

  @Test
  void aRunThatTheListenerEndedCanGoOn() {
    List<Text> texts = texts(400);
    AtomicInteger scored = new AtomicInteger();
    try (LogLikelihoodScorer scorer = open()) {
      scorer.score(
          texts,
          new ScoringListener() {
            @Override
            public void scored(int index, TextScore score) {
              scored.incrementAndGet();
            }

            @Override
            public boolean cancelled() {
              return scored.get() >= 50;
            }
          });
      assertThat(scored).hasValueBetween(50, 399);
      scored.set(0);
      scorer.score(texts, (n, score) -> scored.incrementAndGet());
      assertThat(scored).hasValue(400);
    }
  }

  private static LogLikelihoodScorer open() {
    return new OnnxScorerProvider()
        .open(new ModelSpec("onnx", Golden.folder("llama"), "llama"), OPTIONS.withTokenBudget(500));
  }

  private static List<Text> texts(int count) {
    return IntStream.range(0, count)
        .mapToObj(n -> Text.of("t" + n, "All happy families are alike. " + n))
        .toList();
  }
}
