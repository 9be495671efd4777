package io.llmap.score.spi;

/**
 * A causal language model on some runtime: token ids in, logits out. What a backend implements;
 * {@link BatchingScorer} turns it into a scorer.
 *
 * <p>{@link #forward} is called by at most {@link #concurrency()} threads at once; {@link #cancel}
 * by any; everything else by one thread at a time.
 */
public interface CausalLm extends AutoCloseable {
  /**
   * The longest sequence that the model takes, prefix included.
   *
   * @return tokens; {@link Integer#MAX_VALUE} when there is no limit
   */
  int contextLength();

  /**
   * The number of token ids that the model has an embedding for.
   *
   * @return V, at least the vocabulary of the tokenizer
   */
  int vocabularySize();

  /**
   * How many batches the model runs at once with profit. A small model gains more from several
   * batches on one thread each than from several threads in one batch.
   *
   * @return at least 1
   */
  default int concurrency() {
    return 1;
  }

  /**
   * What one position of a batch takes in memory for its logits. {@link BatchingScorer} makes its
   * batches so small that this stays bounded.
   *
   * @return bytes, at least 1; a single-precision logit for every token of the vocabulary unless a
   *     backend that computes logits piece by piece says less
   */
  default long logitsBytesPerToken() {
    return (long) Float.BYTES * vocabularySize();
  }

  /**
   * Runs the model on a batch and hands each sequence's result to the sink before returning.
   *
   * @param batch right-padded token ids; padding must not influence the logits of real positions
   * @param sink takes the result
   */
  void forward(TokenBatch batch, LogitsSink sink);

  /**
   * Asks every {@link #forward} in progress to end soon with an exception; may be called by any
   * thread, at any time before {@link #close}. A later {@code forward} is not affected. Does
   * nothing by default: a run then ends when its batches in flight are through.
   */
  default void cancel() {}

  @Override
  void close();
}
