package io.llmap.score.spi;

/**
 * Log-probabilities as {@link LogProbKernel}, and from the same exponentials a sketch of each whole
 * distribution: one number whose differences between models estimate their Hellinger distance.
 *
 * <pre>h_t = Σ_v r_t(v) √p_t(v)    r_t(v) = ±1, {@link RandomSigns}
 * E (h_i,t − h_j,t)² = Σ_v (√p_i(v) − √p_j(v))²</pre>
 *
 * <p>It is a projection on a random vector of signs (Achlioptas 2003; Alon, Matias and Szegedy
 * 1999), of the roots of probabilities. With e_v = exp((x_v − max)/2) both numbers come out of one
 * pass: p ∝ e², √p ∝ e. Logits beyond another model's vocabulary, as padding has them, just add
 * their roots.
 *
 * <p>Stateless; safe for use by many threads. A result depends on its row, the key and the position
 * alone.
 */
interface SketchKernel {
  /** As in the system property {@code llmap.kernel}. */
  String name();

  /**
   * Computes both numbers for a range of rows; rows without a distribution give NaN twice.
   *
   * @param logits [R, V]
   * @param firstRow the first row to read
   * @param rows how many rows to read
   * @param targets {@code targets[targetsOffset + r]} is the token of row {@code firstRow + r}
   * @param key {@link RandomSigns#key} of the text
   * @param logProbs {@code logProbs[position + r]} becomes the natural log-probability
   * @param sketches {@code sketches[position + r]} becomes h
   * @param position the place of the first row's token among the scored tokens of its text
   */
  void sketches(
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      long key,
      double[] logProbs,
      float[] sketches,
      int position);
}
