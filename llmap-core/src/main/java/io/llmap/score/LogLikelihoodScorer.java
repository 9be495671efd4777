package io.llmap.score;

import io.llmap.text.Text;
import java.util.List;

/**
 * Assigns log-likelihoods to texts: the one interface that a custom scorer implements.
 *
 * <p>Whatever gives a probability to a text can be on a map: a neural model, an n-gram table, a
 * remote endpoint. A scorer over a causal language model on a new runtime should implement {@link
 * io.llmap.score.spi.CausalLm} instead and let {@link io.llmap.score.spi.BatchingScorer} do the
 * rest.
 *
 * <p>An instance is used by one thread at a time.
 */
public interface LogLikelihoodScorer extends AutoCloseable {
  /**
   * Which model this is.
   *
   * @return the model's identity, constant for the life of the scorer
   */
  ModelSource source();

  /**
   * Scores every text that the listener wants, in any order, and hands each score to the listener.
   *
   * @param texts the texts; an index given to the listener is a position in this list
   * @param listener takes the scores
   * @throws io.llmap.LlmapException.ScoringException if a text cannot be scored; scores already
   *     delivered stay valid
   */
  void score(List<Text> texts, ScoringListener listener);

  /** Frees what the scorer holds. Does nothing by default. */
  @Override
  default void close() {}
}
