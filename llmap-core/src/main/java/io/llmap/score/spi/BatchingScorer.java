package io.llmap.score.spi;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScoringListener;
import io.llmap.text.Text;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The scorer over any {@link CausalLm}: tokenize, plan batches, run the model, take the
 * log-probability of each token out of the logits, sum in double precision.
 *
 * <p><b>Threads.</b> {@link #score} is called by one thread at a time. Texts are tokenized on
 * {@link ScorerOptions#threads()} threads; batches run on up to as many where the model takes
 * several at once, and are delivered in the order of the plan. Neither the plan nor a result
 * depends on the number of threads, as far as the model itself keeps that promise.
 *
 * <p><b>Prompts.</b> Of a text with a prompt only the content is scored, given prefix and prompt.
 * Prompt and content are tokenized as one string if a token of it ends where the prompt ends, and
 * one by one if not, so that the content's tokens stand for its bytes alone. A prompt that ends in
 * a space usually splits a token, and the model then reads two where it has learnt one: let the
 * content start with the space.
 *
 * <p><b>Memory</b> beyond the model's own: the tokens of all texts, and for each batch in flight
 * its logits, at most {@value BatchRun#LOGITS_BYTES} bytes by {@link CausalLm#logitsBytesPerToken}
 * unless a single text needs more.
 *
 * <p><b>Ending a run.</b> The listener is asked about twenty times a second whether to go on, also
 * while a batch runs; so is the interrupt flag of the thread. Batches in flight are then ended by
 * {@link CausalLm#cancel}, and those that are through are delivered if it was the listener's wish.
 */
public final class BatchingScorer implements LogLikelihoodScorer {
  private final ModelSource source;
  private final Tokenizer tokenizer;
  private final CausalLm model;
  private final ScorerOptions options;
  private final LogProbKernel kernel;
  private final ForkJoinPool pool;
  private final ReentrantLock running = new ReentrantLock();
  private volatile boolean closing;
  private boolean freed;

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
    this.pool = new ForkJoinPool(options.threads());
  }

  @Override
  public ModelSource source() {
    return source;
  }

  /**
   * Scores every text that the listener wants.
   *
   * @throws io.llmap.LlmapException.ScoringException if a text cannot be scored, if the thread is
   *     interrupted (it stays so), or if {@link #close} is called meanwhile; scores already
   *     delivered stay valid
   * @throws IllegalStateException if the scorer is closed
   */
  @Override
  public void score(List<Text> texts, ScoringListener listener) {
    running.lock();
    try {
      if (closing) {
        throw new IllegalStateException("the scorer of model " + source.name() + " is closed");
      }
      new BatchRun(
              source.name(),
              tokenizer,
              model,
              options,
              kernel,
              pool,
              () -> closing,
              texts,
              listener)
          .score();
    } finally {
      if (closing) {
        free();
      }
      running.unlock();
    }
  }

  /**
   * Frees model and tokenizer; a second call does nothing. May be called by another thread while
   * {@link #score} runs: the run ends with an exception, as fast as {@link CausalLm#cancel} makes
   * it, and nothing is freed before. A listener may call it too; then the run frees them.
   */
  @Override
  public void close() {
    closing = true;
    if (running.isHeldByCurrentThread()) {
      return;
    }
    running.lock();
    try {
      free();
    } finally {
      running.unlock();
    }
  }

  private void free() {
    if (!freed) {
      freed = true;
      pool.shutdown();
      try (tokenizer) {
        model.close();
      }
    }
  }
}
