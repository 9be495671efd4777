/**
 * The front door: from log-likelihoods to a map of models in one call.
 *
 * <p>A model is seen through the vector of its log-likelihoods on N fixed texts. Clipped and
 * centred, these vectors are coordinates whose distances estimate KL divergences between the models
 * ("Mapping 1,000+ Language Models via the Log-Likelihood Vector", ACL 2025, arXiv 2502.16173):
 *
 * <pre>2·KL(p_i, p_j) ≈ ‖q_i − q_j‖² / N</pre>
 *
 * <p>The packages follow the data: {@code text} → {@code score} → {@code matrix} → {@code distance}
 * → {@code embed}; this one runs the last three and holds what they gave.
 *
 * <pre>{@code
 * ModelMap map = ModelMap.of(matrix);
 * DistanceMatrix kl = map.distances().in(KlUnit.BITS_PER_BYTE);
 * Neighbours.Neighbour nearest = Neighbours.of(kl, 0, 1).get(0);
 * System.out.println(kl.names().get(0) + " is nearest to " + nearest.name());
 * System.out.println("at " + nearest.distance() + " " + KlUnit.BITS_PER_BYTE);
 * }</pre>
 */
@NullMarked
package io.llmap;

import org.jspecify.annotations.NullMarked;
