package io.llmap.cluster;

import java.util.Locale;

/** How far two clusters of models are from each other. */
public enum Linkage {
  /** The mean over the pairs of models, one from each cluster (UPGMA). */
  AVERAGE,
  /** The most distant pair of models, one from each cluster. */
  COMPLETE,
  /**
   * The nearest pair of models, one from each cluster: two models are in one cluster when a path of
   * models leads from one to the other by small steps.
   */
  SINGLE,
  /**
   * How much the sum of squared distances to the cluster means grows when the two become one (Ward
   * 1963):
   *
   * <pre>d(A, B) = √(2·|A|·|B| / (|A| + |B|))·‖mean A − mean B‖</pre>
   *
   * <p>It is made for Euclidean distances: give it {@link
   * io.llmap.distance.KlDistances#euclidean()}, or the square root of KL divergences, where the
   * other linkages may take the divergences themselves.
   */
  WARD;

  /**
   * Returns the linkage as it stands beside a tree.
   *
   * @return such as {@code average linkage}
   */
  @Override
  public String toString() {
    return (this == WARD ? "Ward" : name().toLowerCase(Locale.ROOT)) + " linkage";
  }
}
