/**
 * Trees of models: who is nearest to whom, and which families there are at any distance.
 *
 * <p>Two clusters are joined at the distance that the {@link io.llmap.cluster.Linkage} gives them,
 * average linkage for one:
 *
 * <pre>d(A, B) = Σ_{i∈A, j∈B} d_ij / (|A|·|B|)</pre>
 *
 * <p>Separate from {@code io.llmap.distance} because a tree, like a map, leaves something out: how
 * much is in {@link io.llmap.cluster.Dendrogram#copheneticCorrelation}. Separate from {@code
 * io.llmap.embed} because a tree has no coordinates.
 *
 * <pre>{@code
 * Dendrogram tree = new HierarchicalClustering(Linkage.AVERAGE).cluster(kl.in(KlUnit.BITS_PER_BYTE));
 * int[] clusters = tree.cut(6);
 * for (int i : tree.leafOrder()) {
 *   System.out.println(tree.names().get(i) + " is in cluster " + clusters[i]);
 * }
 * System.out.println(tree.newick());
 * }</pre>
 */
@NullMarked
package io.llmap.cluster;

import org.jspecify.annotations.NullMarked;
