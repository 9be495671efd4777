package io.llmap.score.spi;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.text.Text;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * The scorer over any {@link CausalLm}: tokenize, plan batches, run the model, take the
 * log-probability of each token out of the logits, sum in double precision.
 *
 * <p>Used by one thread at a time; batches run on up to {@link ScorerOptions#threads()} threads
 * where the model takes several at once, and are delivered in the order of the plan. Neither the
 * plan nor a result depends on the number of threads, as far as the model itself keeps that
 * promise. Memory beyond the model's own: for each batch in flight its logits, at most {@value
 * #LOGITS_BYTES} bytes unless a single text needs more.
 */
public final class BatchingScorer implements LogLikelihoodScorer {
  /** What a batch's logits may take in single precision. */
  private static final long LOGITS_BYTES = 64L << 20;

  /**
   * Rows that one task reduces: enough to outweigh the hand-over, few enough to share out evenly.
   */
  private static final int ROWS_PER_TASK = 32;

  private final ModelSource source;
  private final Tokenizer tokenizer;
  private final CausalLm model;
  private final ScorerOptions options;
  private final LogProbKernel kernel;
  private final int concurrency;
  private final ForkJoinPool reducers;

  /**
   * Puts a scorer together with the best kernel of this process.
   *
   * @param source the model's identity
   * @param tokenizer its tokenizer; closed with the scorer
   * @param model its forward pass; closed with the scorer
   * @param options how texts are scored
   */
  public BatchingScorer(
      ModelSource source, Tokenizer tokenizer, CausalLm model, ScorerOptions options) {
    this(source, tokenizer, model, options, LogProbKernels.best());
  }

  BatchingScorer(
      ModelSource source,
      Tokenizer tokenizer,
      CausalLm model,
      ScorerOptions options,
      LogProbKernel kernel) {
    this.source = source;
    this.tokenizer = tokenizer;
    this.model = model;
    this.options = options;
    this.kernel = kernel;
    this.concurrency = Math.min(options.threads(), model.concurrency());
    this.reducers = new ForkJoinPool(options.threads());
  }

  @Override
  public ModelSource source() {
    return source;
  }

  @Override
  public void score(List<Text> texts, ScoringListener listener) {
    Sequence[] sequences = new Sequence[texts.size()];
    int[] lengths = new int[sequences.length];
    for (int n = 0; n < sequences.length; n++) {
      sequences[n] = sequence(texts.get(n));
      lengths[n] = sequences[n].ids.length;
    }
    long logitsBudget = LOGITS_BYTES / (Float.BYTES * (long) model.vocabularySize());
    List<int[]> plan = BatchPlan.of(lengths, Math.min(options.tokenBudget(), logitsBudget));
    ExecutorService workers = Executors.newFixedThreadPool(concurrency);
    Deque<Running> inFlight = new ArrayDeque<>();
    try {
      for (int[] batch : plan) {
        if (listener.cancelled()) {
          break;
        }
        if (Arrays.stream(batch).anyMatch(listener::wants)) {
          inFlight.add(new Running(batch, workers.submit(() -> forward(batch, sequences))));
          // One more than can run, so that no worker waits while a batch is delivered.
          if (inFlight.size() > concurrency) {
            deliver(inFlight.remove(), texts, sequences, listener);
          }
        }
      }
      while (!inFlight.isEmpty()) {
        deliver(inFlight.remove(), texts, sequences, listener);
      }
    } finally {
      stop(workers);
    }
  }

  /** Drops what has not begun and waits for the rest: the model may be closed after this. */
  private static void stop(ExecutorService workers) {
    workers.shutdownNow();
    boolean interrupted = false;
    boolean ended = false;
    while (!ended) {
      try {
        ended = workers.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private double[][] forward(int[] batch, Sequence[] sequences) {
    int[][] ids = new int[batch.length][];
    double[][] logProbs = new double[batch.length][];
    for (int b = 0; b < batch.length; b++) {
      ids[b] = sequences[batch[b]].ids;
      logProbs[b] = new double[ids[b].length - 1];
    }
    model.forward(TokenBatch.of(ids, 0), new Reducer(ids, logProbs));
    return logProbs;
  }

  private void deliver(
      Running running, List<Text> texts, Sequence[] sequences, ScoringListener listener) {
    double[][] logProbs;
    try {
      logProbs = running.logProbs.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ScoringException("interrupted while model " + source.name() + " was scoring", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new ScoringException("model " + source.name() + " failed: " + e.getCause(), e);
    }
    for (int b = 0; b < logProbs.length; b++) {
      int n = running.batch[b];
      listener.scored(n, total(texts.get(n), sequences[n], logProbs[b]));
    }
  }

  private Sequence sequence(Text text) {
    if (!text.prompt().isEmpty()) {
      throw new ScoringException(
          "text \"%s\" has a prompt; model %s scores plain texts only"
              .formatted(text.id(), source.name()));
    }
    Encoding encoding =
        switch (options.prefix()) {
          case DOCUMENT_START -> prepend(prefixId(), tokenizer.encode(text.content()));
          case TOKENIZER -> tokenizer.encodeWithSpecialTokens(text.content());
          case NONE -> tokenizer.encode(text.content());
        };
    int tokens = encoding.ids().length;
    if (tokens < 2) {
      throw new ScoringException(
          ("text \"%s\" is %d token(s) long for model %s, and the prefix policy \"%s\" scores none of"
                  + " them; use the prefix policy \"document-start\", or leave the text out")
              .formatted(text.id(), tokens, source.name(), options.prefix()));
    }
    int context = model.contextLength();
    if (tokens <= context) {
      return new Sequence(encoding.ids(), encoding.byteOffsets(), false);
    }
    if (options.overLength() == OverLengthPolicy.FAIL) {
      throw new ScoringException(
          ("text \"%s\" is %d tokens long with its prefix, but the context of model %s is %d; shorten"
                  + " the text or use the over-length policy \"truncate\"")
              .formatted(text.id(), tokens, source.name(), context));
    }
    return new Sequence(
        Arrays.copyOf(encoding.ids(), context),
        Arrays.copyOf(encoding.byteOffsets(), context),
        true);
  }

  private int prefixId() {
    OptionalInt id = tokenizer.bosId().isPresent() ? tokenizer.bosId() : tokenizer.eosId();
    return id.orElseThrow(
        () ->
            new ScoringException(
                ("model %s has neither a BOS nor an EOS token, which the prefix policy"
                        + " \"document-start\" needs; use the prefix policy \"none\"")
                    .formatted(source.name())));
  }

  private static Encoding prepend(int id, Encoding text) {
    int tokens = text.ids().length;
    int[] ids = new int[tokens + 1];
    int[] byteOffsets = new int[tokens + 1];
    ids[0] = id;
    System.arraycopy(text.ids(), 0, ids, 1, tokens);
    System.arraycopy(text.byteOffsets(), 0, byteOffsets, 1, tokens);
    return new Encoding(ids, byteOffsets);
  }

  private TextScore total(Text text, Sequence sequence, double[] logProbs) {
    double sum = 0;
    for (int t = 0; t < logProbs.length; t++) {
      if (!Double.isFinite(logProbs[t])) {
        throw new ScoringException(
            ("model %s gives token %d (id %d) of text \"%s\" the log-probability %s: its logits hold"
                    + " a NaN or an infinity there")
                .formatted(source.name(), t + 1, sequence.ids[t + 1], text.id(), logProbs[t]));
      }
      sum += logProbs[t];
    }
    Optional<TokenLogProbs> tokens = Optional.empty();
    if (options.tokenLogProbs()) {
      int[] offsets = Arrays.copyOfRange(sequence.byteOffsets, 1, sequence.byteOffsets.length);
      tokens = Optional.of(new TokenLogProbs(logProbs, offsets));
    }
    return new TextScore(sum, logProbs.length, text.bytes(), sequence.truncated, tokens);
  }

  @Override
  public void close() {
    reducers.shutdown();
    try (tokenizer) {
      model.close();
    }
  }

  /** A batch that was handed to a worker. */
  private record Running(int[] batch, Future<double[][]> logProbs) {}

  /** A text as the model sees it: prefix and tokens, cut to the context. */
  private record Sequence(int[] ids, int[] byteOffsets, boolean truncated) {}

  /** Turns each sequence's logits into log-probabilities while the backend still holds them. */
  private final class Reducer implements LogitsSink {
    private final int[][] ids;
    private final double[][] logProbs;

    Reducer(int[][] ids, double[][] logProbs) {
      this.ids = ids;
      this.logProbs = logProbs;
    }

    @Override
    public void logits(int sequence, int firstTarget, LogitsBlock logits) {
      int rows = logits.rows();
      if (concurrency > 1) {
        // The processors are busy with other batches.
        reduce(sequence, firstTarget, logits, 0, rows);
        return;
      }
      int tasks = (rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
      reducers
          .submit(
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
      kernel.logProbs(
          logits, firstRow, rows, ids[sequence], target, logProbs[sequence], target - 1);
    }

    @Override
    public void tokenLogProbs(int sequence, int firstTarget, double[] ready) {
      System.arraycopy(ready, 0, logProbs[sequence], firstTarget - 1, ready.length);
    }
  }
}
