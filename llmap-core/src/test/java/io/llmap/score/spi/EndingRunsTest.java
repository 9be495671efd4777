package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.ModelSource;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.testing.BigramLm;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Runs that end before their time, on a model whose batches last until they are cancelled. */
@Timeout(20)
class EndingRunsTest {
  private static final ModelSource SOURCE = new ModelSource("stuck", "memory", "f00d", "test");
  private static final ScorerOptions ONE_TEXT_A_BATCH =
      ScorerOptions.defaults().withTokenBudget(1).withThreads(2);

  private final StuckLm model = new StuckLm(n -> n >= 3);
  private final Listener listener = new Listener();

  @Test
  void aListenerEndsABatchThatIsRunning() {
    try (BatchingScorer scorer = scorer(ONE_TEXT_A_BATCH)) {
      listener.cancelWhen = () -> model.stuck.availablePermits() == 2;
      scorer.score(texts(9), listener);
      assertThat(model.running).hasValue(0);
    }
    assertThat(listener.scored).containsExactly(0, 1, 2);
  }

  @Test
  void batchesThatAreThroughWhenTheListenerEndsTheRunAreDelivered() {
    // The second of two batches at once gets through while the first is stuck.
    StuckLm first = new StuckLm(n -> n == 0);
    try (BatchingScorer scorer = scorer(first, ONE_TEXT_A_BATCH)) {
      listener.cancelWhen = () -> first.through.get() == 1 && first.running.get() == 1;
      scorer.score(texts(2), listener);
    }
    assertThat(listener.scored).containsExactly(1);
  }

  @Test
  void aBatchThatBeginsAfterTheFirstCancelIsEndedToo() {
    model.cancelsToIgnore = 2;
    try (BatchingScorer scorer = scorer(ONE_TEXT_A_BATCH)) {
      listener.cancelWhen = () -> model.stuck.availablePermits() == 2;
      scorer.score(texts(9), listener);
    }
    assertThat(model.cancels).hasValueGreaterThan(2);
  }

  @Test
  void anInterruptEndsABatchThatIsRunningAndIsKept() throws InterruptedException {
    Thread scoring = Thread.currentThread();
    CompletableFuture<Void> interrupter =
        CompletableFuture.runAsync(
            () -> {
              model.stuck.acquireUninterruptibly(2);
              scoring.interrupt();
            });
    try (BatchingScorer scorer = scorer(ONE_TEXT_A_BATCH)) {
      assertThatThrownBy(() -> scorer.score(texts(9), listener))
          .isInstanceOf(ScoringException.class)
          .hasMessage("interrupted while model stuck was scoring");
      assertThat(Thread.interrupted()).isTrue();
      assertThat(model.running).hasValue(0);
    }
    interrupter.join();
    assertThat(listener.scored).isSubsetOf(0, 1, 2);
  }

  @Test
  void closingEndsARunAndFreesTheModelOnlyThen() {
    BatchingScorer scorer = scorer(ONE_TEXT_A_BATCH);
    CompletableFuture<Void> closer =
        CompletableFuture.runAsync(
            () -> {
              model.stuck.acquireUninterruptibly(2);
              scorer.close();
              assertThat(model.closes).hasValue(1);
            });
    assertThatThrownBy(() -> scorer.score(texts(9), listener))
        .isInstanceOf(ScoringException.class)
        .hasMessage("model stuck was closed while it was scoring");
    closer.join();
    assertThat(model.runningAtClose).isZero();
    assertThat(listener.scored).isSubsetOf(0, 1, 2);
    assertThatThrownBy(() -> scorer.score(texts(1), listener))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the scorer of model stuck is closed");
    scorer.close();
    assertThat(model.closes).hasValue(1);
  }

  @Test
  void aListenerMayCloseTheScorer() {
    BatchingScorer scorer = scorer(ONE_TEXT_A_BATCH);
    assertThatThrownBy(
            () ->
                scorer.score(
                    texts(9),
                    (n, score) -> {
                      scorer.close();
                      assertThat(model.closes).hasValue(0);
                    }))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("closed while it was scoring");
    assertThat(model.closes).hasValue(1);
    assertThat(model.runningAtClose).isZero();
  }

  @Test
  void tokenizingEndsToo() {
    AtomicInteger encoded = new AtomicInteger();
    CountDownLatch asked = new CountDownLatch(1);
    BigramLm.Letters letters = letters();
    Tokenizer slow =
        new Tokenizer() {
          @Override
          public Encoding encode(String text) {
            encoded.incrementAndGet();
            try {
              asked.await();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            return letters.encode(text);
          }

          @Override
          public Encoding encodeWithSpecialTokens(String text) {
            return encode(text);
          }

          @Override
          public OptionalInt bosId() {
            return letters.bosId();
          }

          @Override
          public OptionalInt eosId() {
            return letters.eosId();
          }

          @Override
          public void close() {}
        };
    listener.cancelWhen =
        () -> {
          asked.countDown();
          return true;
        };
    try (BatchingScorer scorer = new BatchingScorer(SOURCE, slow, model, ONE_TEXT_A_BATCH)) {
      scorer.score(texts(100_000), listener);
    }
    assertThat(encoded).hasValueLessThan(100_000);
    assertThat(listener.scored).isEmpty();
  }

  @Test
  void ofSeveralTextsThatCannotBeTokenizedTheFirstIsNamed() {
    List<Text> texts = new ArrayList<>(texts(500));
    for (int n : new int[] {499, 123, 321}) {
      texts.set(n, Text.of("bad" + n, "123"));
    }
    for (int threads = 1; threads <= 4; threads++) {
      try (BatchingScorer scorer = scorer(ONE_TEXT_A_BATCH.withThreads(threads))) {
        assertThatThrownBy(() -> scorer.score(texts, listener))
            .isInstanceOf(ScoringException.class)
            .hasMessageContaining("\"bad123\"");
      }
    }
  }

  @Test
  void anotherBatchsFailureEndsThoseThatRun() {
    model.failsOn = 2;
    try (BatchingScorer scorer = scorer(ONE_TEXT_A_BATCH)) {
      assertThatThrownBy(() -> scorer.score(texts(9), listener)).isSameAs(model.failure);
      assertThat(model.running).hasValue(0);
    }
    assertThat(listener.scored).containsExactly(0, 1);
  }

  private BatchingScorer scorer(ScorerOptions options) {
    return scorer(model, options);
  }

  private static BatchingScorer scorer(StuckLm model, ScorerOptions options) {
    return new BatchingScorer(SOURCE, letters(), model, options);
  }

  private static BigramLm.Letters letters() {
    return new BigramLm.Letters(OptionalInt.of(BigramLm.BOS), OptionalInt.empty());
  }

  /** The first letter of a text is its number. */
  private static List<Text> texts(int count) {
    return IntStream.range(0, count)
        .mapToObj(n -> Text.of("t" + n, (char) ('a' + n % 26) + "bc"))
        .toList();
  }

  private static final class Listener implements ScoringListener {
    final List<Integer> scored = new ArrayList<>();
    BooleanSupplier cancelWhen = () -> false;

    @Override
    public void scored(int index, TextScore score) {
      scored.add(index);
    }

    @Override
    public boolean cancelled() {
      return cancelWhen.getAsBoolean();
    }
  }

  /** Two batches at once; some texts get stuck in it, deaf to interrupts as native code is. */
  private static final class StuckLm implements CausalLm {
    private final BigramLm bigrams = new BigramLm(1, 64);
    private final IntPredicate sticks;
    private int cancelsToIgnore;
    private int generation;
    private int failsOn = -1;
    private RuntimeException failure = new IllegalStateException("no memory left");
    final Semaphore stuck = new Semaphore(0);
    final AtomicInteger through = new AtomicInteger();
    final AtomicInteger running = new AtomicInteger();
    final AtomicInteger cancels = new AtomicInteger();
    final AtomicInteger closes = new AtomicInteger();
    volatile int runningAtClose;

    StuckLm(IntPredicate sticks) {
      this.sticks = sticks;
    }

    @Override
    public int contextLength() {
      return bigrams.contextLength();
    }

    @Override
    public int vocabularySize() {
      return bigrams.vocabularySize();
    }

    @Override
    public int concurrency() {
      return 2;
    }

    @Override
    public void forward(TokenBatch batch, LogitsSink sink) {
      running.incrementAndGet();
      try {
        int text = batch.id(0, 1);
        if (text == failsOn) {
          stuck.acquireUninterruptibly();
          throw failure;
        }
        if (sticks.test(text)) {
          waitForCancel();
          throw new ScoringException("ended from outside");
        }
        synchronized (bigrams) {
          bigrams.forward(batch, sink);
        }
        through.incrementAndGet();
      } finally {
        running.decrementAndGet();
      }
    }

    private synchronized void waitForCancel() {
      int before = generation;
      stuck.release();
      while (generation == before) {
        try {
          wait();
        } catch (InterruptedException e) {
          // Native code would not notice.
        }
      }
    }

    @Override
    public synchronized void cancel() {
      if (cancels.incrementAndGet() > cancelsToIgnore) {
        generation++;
        notifyAll();
      }
    }

    @Override
    public void close() {
      runningAtClose = running.get();
      closes.incrementAndGet();
    }
  }
}
