/**
 * What a backend implements: a forward pass and a tokenizer. The rest is done here, once for all.
 *
 * <p>{@link io.llmap.score.spi.BatchingScorer} tokenizes, plans batches, runs a {@link
 * io.llmap.score.spi.CausalLm} and takes log-probabilities out of its logits z with a {@link
 * io.llmap.score.spi.LogProbKernel}, in one pass and without copying them:
 *
 * <pre>log p(y_t | y_1 … y_{t−1}) = z[t−1, y_t] − log Σ_v exp z[t−1, v]</pre>
 *
 * <p>With {@link io.llmap.score.ScorerOptions#sketches()} the same pass gives a random projection
 * of the whole distribution, the sketch Σ_v ± √p_v; see {@link io.llmap.distance.SketchMatrix}.
 *
 * <p>Separate from {@code io.llmap.score} so that someone who scores texts never meets token ids or
 * logits.
 *
 * <pre>{@code
 * ModelSource source = new ModelSource("mine", "memory", fingerprint, "my runtime 1.0");
 * try (BatchingScorer scorer = new BatchingScorer(source, tokenizer, model, options)) {
 *   scorer.score(texts.texts(), (n, score) -> System.out.println(score.logLikelihood()));
 * }
 * System.out.println("kernel: " + LogProbKernels.best().name());
 * }</pre>
 */
@NullMarked
package io.llmap.score.spi;

import org.jspecify.annotations.NullMarked;
