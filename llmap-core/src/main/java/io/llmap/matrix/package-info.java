/**
 * Log-likelihoods of K models on N texts as a matrix, and the model coordinates that come from it.
 *
 * <p>Clip the lowest 2 % of all cells to their quantile, remove each model's mean, then each
 * text's:
 *
 * <pre>q[i,n] = L[i,n] − L̄[i,·] − L̄[·,n] + L̄</pre>
 *
 * <p>Separate from scoring because a matrix may come from anywhere: another tool's npy, npz or CSV
 * file, or the published data of the paper ({@link io.llmap.matrix.MatrixFiles}). Models may lack
 * texts, where that is said with the numbers; matrices of several machines are put together by
 * {@link io.llmap.matrix.LogLikelihoodMatrix#merge}.
 *
 * <pre>{@code
 * Clipping clipping = Clipping.atQuantile(matrix, Clipping.DEFAULT_QUANTILE);
 * CenteredMatrix q = CenteredMatrix.of(matrix, clipping);
 * System.out.println("clipped at " + clipping.threshold() + " nats per text");
 * double[] newcomer = q.project(logLikelihoods);
 * System.out.println("first coordinate: " + newcomer[0]);
 * }</pre>
 */
@NullMarked
package io.llmap.matrix;

import org.jspecify.annotations.NullMarked;
