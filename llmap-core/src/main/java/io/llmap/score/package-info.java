/**
 * Log-likelihoods of texts under models: what a user needs to score, and to bring a scorer of their
 * own.
 *
 * <p>The log-likelihood of a text x = (y_1, …, y_T) under model i is a sum of natural logarithms,
 * in double precision, never a mean:
 *
 * <pre>l_i(x) = Σ_t log p_i(y_t | y_1 … y_{t−1})</pre>
 *
 * <p>Of a {@link io.llmap.text.Text} with a prompt only the content has a score, given the prompt:
 * the conditional log-likelihoods of prompt-response maps (arXiv 2603.18593).
 *
 * <p>A {@link io.llmap.score.LogLikelihoodScorer} computes it; {@link io.llmap.score.Scorers} opens
 * one through a {@link io.llmap.score.ScorerProvider} found on the class path; a {@link
 * io.llmap.score.ScoreStore} keeps every score with the {@link io.llmap.score.Provenance} that
 * decides it, and goes on after a kill. Backends build on {@code io.llmap.score.spi}.
 *
 * <pre>{@code
 * ScoreStore store = ScoreStore.at(folder);
 * ScorerOptions options = ScorerOptions.defaults();
 * store.score(scorer, texts, options, (index, score) -> {});
 * LogLikelihoodMatrix matrix = store.matrix(texts);
 * System.out.println(matrix.names() + ": " + matrix.bitsPerByte(0) + " bits per byte");
 * }</pre>
 */
@NullMarked
package io.llmap.score;

import org.jspecify.annotations.NullMarked;
