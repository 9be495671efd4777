package io.llmap.score;

/**
 * Takes scores as they come, says which are wanted, and may end the run.
 *
 * <p>A scorer calls all three methods from one thread at a time.
 */
public interface ScoringListener {
  /**
   * Says whether a text still has to be scored. A scorer plans its batches over all texts and drops
   * a batch in which no text is wanted, so that a resumed run computes the same batches, and so the
   * same bits, as one that was never interrupted; it may deliver a text that is not wanted.
   *
   * @param index the text's position in the list that is being scored
   * @return true unless its score is already known
   */
  default boolean wants(int index) {
    return true;
  }

  /**
   * Takes one score.
   *
   * @param index the text's position in the list that is being scored
   * @param score its score
   */
  void scored(int index, TextScore score);

  /**
   * Asked between batches, and by {@link io.llmap.score.spi.BatchingScorer} about twenty times a
   * second while one runs. After true the scorer ends what it is doing, may still deliver what was
   * ready, and returns normally; what was delivered stays valid.
   *
   * @return true to end the run
   */
  default boolean cancelled() {
    return false;
  }
}
