package io.llmap.score.spi;

import io.llmap.LlmapException.ScoringException;
import io.llmap.internal.Parallel;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScoringListener;
import io.llmap.text.Text;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * One run of a {@link BatchingScorer}: tokenize, plan, forward, deliver.
 *
 * <p>The calling thread plans, asks the listener and delivers. Tokens and log-probabilities are
 * other threads' work, none of which outlives {@link #score}.
 */
final class BatchRun {
  /**
   * What a batch's logits may take, unless it is a single window. Enough for the default token
   * budget with a vocabulary of 65,536; a runtime that packs all weights in every pass is a tenth
   * slower with half as much.
   */
  static final long LOGITS_BYTES = 128L << 20;

  /**
   * Rows that one task reduces: enough to outweigh the hand-over, few enough to share out evenly.
   */
  private static final int ROWS_PER_TASK = 32;

  /** How long the calling thread waits for other threads before it asks whether to go on. */
  private static final long PATIENCE_MILLIS = 50;

  private final String modelName;
  private final Tokenizer tokenizer;
  private final CausalLm model;
  private final ScorerOptions options;
  private final LogProbKernel kernel;
  private final Optional<SketchKernel> sketchKernel;
  private final ForkJoinPool pool;
  private final BooleanSupplier closing;
  private final int concurrency;

  private final List<Text> texts;
  private final ScoringListener listener;
  private final ScoredText[] scored;
  private final Deque<Running> inFlight = new ArrayDeque<>();
  private volatile boolean ended;

  /**
   * A run, to be used once.
   *
   * @param modelName for errors
   * @param pool as many threads as the options say
   * @param closing whether the model is to be closed
   */
  BatchRun(
      String modelName,
      Tokenizer tokenizer,
      CausalLm model,
      ScorerOptions options,
      LogProbKernel kernel,
      ForkJoinPool pool,
      BooleanSupplier closing,
      List<Text> texts,
      ScoringListener listener) {
    this.modelName = modelName;
    this.tokenizer = tokenizer;
    this.model = model;
    this.options = options;
    this.kernel = kernel;
    this.sketchKernel = options.sketches() ? Optional.of(SketchKernels.best()) : Optional.empty();
    this.pool = pool;
    this.closing = closing;
    this.concurrency = Math.min(options.threads(), model.concurrency());
    this.texts = texts;
    this.listener = listener;
    this.scored = new ScoredText[texts.size()];
  }

  /** Scores all texts, unless the listener ends the run. */
  void score() {
    if (!encode()) {
      return;
    }
    ExecutorService workers = Executors.newFixedThreadPool(concurrency);
    try {
      if (!forward(plan(), workers)) {
        stop(workers);
        inFlight.removeIf(batch -> !batch.isThrough());
        inFlight.forEach(this::deliver);
      }
    } finally {
      stop(workers);
    }
  }

  /** Returns whether it got to the end, which the listener may not want. */
  private boolean encode() {
    TextEncoder encoder = new TextEncoder(modelName, tokenizer, options.prefix());
    Windows windows = new Windows(modelName, model.contextLength(), options.overLength());
    CompletableFuture<Void> encoding =
        CompletableFuture.runAsync(
            () ->
                Parallel.forEach(
                    scored.length,
                    n -> {
                      if (!ended) {
                        scored[n] = encode(n, encoder, windows);
                      }
                    }),
            pool);
    boolean complete = false;
    try {
      complete = await(encoding);
    } finally {
      if (!complete) {
        ended = true;
        encoding.exceptionally(failure -> null).join();
      }
    }
    return complete;
  }

  private ScoredText encode(int n, TextEncoder encoder, Windows windows) {
    Text text = texts.get(n);
    TokenSequence tokens = encoder.encode(text);
    return new ScoredText(
        text,
        options.tokenLogProbs() ? tokens : tokens.withoutOffsets(),
        windows.of(n, text, tokens));
  }

  private List<List<Window>> plan() {
    List<Window> windows = new ArrayList<>();
    List<Integer> groups = new ArrayList<>();
    Map<String, Integer> prompts = new HashMap<>();
    for (ScoredText text : scored) {
      int group = prompts.computeIfAbsent(text.text().prompt(), prompt -> prompts.size());
      for (Window window : text.windows()) {
        windows.add(window);
        groups.add(group);
      }
    }
    int[] lengths =
        windows.stream()
            .mapToInt(window -> paddedLength(window.length(scored[window.text()].tokens())))
            .toArray();
    long budget = Math.min(options.tokenBudget(), LOGITS_BYTES / model.logitsBytesPerToken());
    return BatchPlan.of(lengths, groups.stream().mapToInt(g -> g).toArray(), budget).stream()
        .map(batch -> Arrays.stream(batch).mapToObj(windows::get).toList())
        .toList();
  }

  private int paddedLength(int length) {
    return BatchPlan.paddedLength(length, model.contextLength());
  }

  /** Returns whether it got to the end, which the listener may not want. */
  private boolean forward(List<List<Window>> plan, ExecutorService workers) {
    for (List<Window> windows : plan) {
      if (!goOn()) {
        return false;
      }
      if (windows.stream().anyMatch(window -> listener.wants(window.text()))) {
        inFlight.add(new Running(windows, workers.submit(new Batch(windows))));
        // One more than can run, so that no worker waits while a batch is delivered.
        if (inFlight.size() > concurrency && !deliverNext()) {
          return false;
        }
      }
    }
    while (!inFlight.isEmpty()) {
      if (!deliverNext()) {
        return false;
      }
    }
    return true;
  }

  private boolean deliverNext() {
    if (!await(inFlight.element().done)) {
      return false;
    }
    deliver(inFlight.remove());
    return true;
  }

  private void deliver(Running batch) {
    for (Window window : batch.windows) {
      ScoredText text = scored[window.text()];
      if (text.isLastWindow()) {
        listener.scored(
            window.text(), text.total(modelName, options.tokenLogProbs(), options.sketches()));
      }
    }
  }

  /** Waits for other threads' work; returns false as soon as the listener does not want it. */
  private boolean await(Future<?> work) {
    while (true) {
      try {
        work.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        return true;
      } catch (TimeoutException e) {
        // Time to ask.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException failure) {
          throw failure;
        }
        throw new ScoringException("model " + modelName + " failed: " + e.getCause(), e);
      }
      if (!goOn()) {
        return false;
      }
    }
  }

  /** Asks whether the listener wants more, once nothing else ends the run. */
  private boolean goOn() {
    if (Thread.currentThread().isInterrupted()) {
      throw new ScoringException("interrupted while model " + modelName + " was scoring");
    }
    if (closing.getAsBoolean()) {
      throw new ScoringException("model " + modelName + " was closed while it was scoring");
    }
    return !listener.cancelled();
  }

  /** Ends what is running and waits for it: the model may be closed after this. */
  private void stop(ExecutorService workers) {
    ended = true;
    workers.shutdownNow();
    boolean interrupted = false;
    boolean terminated = workers.isTerminated();
    while (!terminated) {
      if (!inFlight.isEmpty()) {
        // Again and again: a batch that is about to begin does not notice the first time.
        model.cancel();
      }
      try {
        terminated = workers.awaitTermination(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** A batch that was handed to a worker. */
  private record Running(List<Window> windows, Future<?> done) {
    boolean isThrough() {
      if (!done.isDone()) {
        return false;
      }
      try {
        done.get();
        return true;
      } catch (InterruptedException | ExecutionException e) {
        return false;
      }
    }
  }

  /**
   * One forward pass, and the log-probabilities out of its logits while the backend still holds
   * them.
   */
  private final class Batch implements Runnable, LogitsSink {
    private final double[][] out;
    private final float[][] sketches;
    private final long[] keys;
    private final int[] outShift;
    private final int[][] ids;
    private final int[] firstTargets;

    Batch(List<Window> windows) {
      out = new double[windows.size()][];
      sketches = new float[out.length][];
      keys = new long[out.length];
      outShift = new int[out.length];
      ids = new int[out.length][];
      firstTargets = new int[out.length];
      for (int b = 0; b < out.length; b++) {
        Window window = windows.get(b);
        ScoredText text = scored[window.text()];
        TokenSequence tokens = text.tokens();
        out[b] = text.logProbs();
        if (options.sketches()) {
          sketches[b] = text.sketches();
          keys[b] = text.signs();
        }
        ids[b] = window.ids(tokens);
        firstTargets[b] = window.firstTargetIn(tokens);
        outShift[b] = window.firstTarget() - tokens.firstTarget() - firstTargets[b];
      }
    }

    @Override
    public void run() {
      requireGoingOn();
      int longest = Arrays.stream(ids).mapToInt(sequence -> sequence.length).max().orElseThrow();
      model.forward(TokenBatch.of(ids, firstTargets, 0, paddedLength(longest)), this);
    }

    private void requireGoingOn() {
      if (ended) {
        throw new CancellationException();
      }
    }

    @Override
    public void logits(int sequence, int firstTarget, LogitsBlock logits) {
      requireGoingOn();
      int rows = logits.rows();
      requireTargets(sequence, firstTarget, rows);
      if (concurrency == options.threads()) {
        // The processors are busy with other batches.
        reduce(sequence, firstTarget, logits, 0, rows);
        return;
      }
      int tasks = (rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
      pool.submit(
              () ->
                  IntStream.range(0, tasks)
                      .parallel()
                      .forEach(
                          task -> {
                            int firstRow = task * ROWS_PER_TASK;
                            int count = Math.min(ROWS_PER_TASK, rows - firstRow);
                            reduce(sequence, firstTarget, logits, firstRow, count);
                          }))
          .join();
    }

    private void reduce(int sequence, int firstTarget, LogitsBlock logits, int firstRow, int rows) {
      int target = firstTarget + firstRow;
      int position = target + outShift[sequence];
      sketchKernel.ifPresentOrElse(
          both ->
              both.sketches(
                  logits,
                  firstRow,
                  rows,
                  ids[sequence],
                  target,
                  keys[sequence],
                  out[sequence],
                  sketches[sequence],
                  position),
          () ->
              kernel.logProbs(
                  logits, firstRow, rows, ids[sequence], target, out[sequence], position));
    }

    @Override
    public void tokenLogProbs(int sequence, int firstTarget, double[] ready) {
      if (options.sketches()) {
        throw new ScoringException(
            "model %s hands over log-probabilities, but sketches need all logits; score it without"
                .formatted(modelName));
      }
      requireTargets(sequence, firstTarget, ready.length);
      System.arraycopy(ready, 0, out[sequence], firstTarget + outShift[sequence], ready.length);
    }

    /** A text's other windows write into the same array. */
    private void requireTargets(int sequence, int firstTarget, int count) {
      int first = firstTargets[sequence];
      int end = ids[sequence].length;
      if (firstTarget < first || firstTarget + count > end) {
        throw new IllegalArgumentException(
            "model %s hands over the tokens %d to %d of a sequence of which %d to %d are scored"
                .formatted(modelName, firstTarget, firstTarget + count - 1, first, end - 1));
      }
    }
  }
}
