/**
 * Points for models: from the coordinates Q, or from any distances between models.
 *
 * <p>{@link io.llmap.embed.Pca} is the linear view of Q and says how much of it a plane shows;
 * {@link io.llmap.embed.ClassicalMds} is the same from distances alone; {@link io.llmap.embed.Tsne}
 * keeps neighbours together and is the map of 2502.16173; {@link io.llmap.embed.Umap} does so by a
 * graph. {@link io.llmap.embed.EmbeddingQuality} says how much of the distances a map keeps, {@link
 * io.llmap.embed.Procrustes} lays maps over each other, and {@link io.llmap.embed.ErrorEllipses}
 * shows how sure the places are. An {@link io.llmap.embed.EmbeddingMethod} takes a {@link
 * io.llmap.distance.DistanceMatrix} and gives an {@link io.llmap.embed.Embedding}, whose method
 * line says with which settings the points were made.
 *
 * <p>Separate from {@code io.llmap.distance} because a distance is a measurement and a point is
 * not: every embedding leaves something out, and another one leaves out something else.
 *
 * <p>The formula, for distances d and points y, without loss when D is the rank of the left side:
 *
 * <pre>−½·J·[d_ij²]·J = U·Λ·Uᵀ,   y = U·Λ^½ [K, D],   J = I − 1·1ᵀ/K</pre>
 *
 * <pre>{@code
 * DistanceMatrix distances = DistanceMatrix.of(names, kl).map(Math::sqrt);
 * Embedding map = Tsne.defaults().withPerplexity(10).embed(distances);
 * Embedding plane = new ClassicalMds(2).embed(distances);
 * System.out.println(map.method() + " | " + plane.method());
 * System.out.println(map.names().get(0) + " is at " + map.get(0, 0) + ", " + map.get(0, 1));
 * }</pre>
 */
@NullMarked
package io.llmap.embed;

import org.jspecify.annotations.NullMarked;
