/**
 * KL divergences between models, estimated from their coordinates, and who is near whom.
 *
 * <p>The paper's estimate is half the variance over texts of the difference of two models'
 * log-likelihoods:
 *
 * <pre>KL(p_i, p_j) ≈ ‖q_i − q_j‖² / (2N)    nats per text</pre>
 *
 * <p>It is a good relative distance. As a size it holds for close models and short texts only, so
 * the {@link io.llmap.distance.KlEstimator} and the {@link io.llmap.distance.KlUnit} are named with
 * every number. Sizes come from {@link io.llmap.distance.SketchMatrix}, for models of one
 * tokenizer: the Hellinger distance of whole distributions, from random projections, times a ratio
 * that the texts' tokens show; and from {@link io.llmap.distance.SegmentMatrix}, for any: the
 * paper's estimate of stretches of text centred within each text. {@link
 * io.llmap.distance.Bootstrap} says how sure a distance is, {@link io.llmap.distance.TextSampling}
 * which texts suffice to estimate it. Separate from {@code io.llmap.matrix} because distances may
 * also come precomputed, as a {@link io.llmap.distance.DistanceMatrix}.
 *
 * <pre>{@code
 * KlDistances kl = KlDistances.of(coordinates);
 * DistanceMatrix bitsPerByte = kl.in(KlUnit.BITS_PER_BYTE);
 * for (Neighbours.Neighbour near : Neighbours.of(bitsPerByte, 0, 5)) {
 *   System.out.println(near.name() + " " + near.distance() + " (" + kl.estimator() + ")");
 * }
 * }</pre>
 */
@NullMarked
package io.llmap.distance;

import org.jspecify.annotations.NullMarked;
