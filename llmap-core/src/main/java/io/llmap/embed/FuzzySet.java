package io.llmap.embed;

import io.llmap.internal.Parallel;
import java.util.Arrays;

/**
 * The fuzzy set of edges between models that UMAP keeps on the map: a symmetric sparse matrix of
 * memberships in (0, 1] (McInnes, Healy and Melville 2018, algorithms 2 and 3; umap-learn 0.5).
 *
 * <pre>
 * v_ij = exp(−max(0, d_ij − ρ_i) / σ_i),   Σ_j v_ij = log₂ n,   w_ij = v_ij + v_ji − v_ij·v_ji
 * </pre>
 *
 * <p>ρ_i is the smallest positive distance of model i. As in umap-learn, n counts the model itself,
 * so that the sum is over n − 1 neighbours; and σ_i is at least a thousandth of the mean distance
 * of the n, of all models where ρ_i = 0.
 */
final class FuzzySet {
  private static final double SMALLEST_SCALE = 1e-3;
  private static final int ROWS_PER_PIECE = 256;

  // Row i is at start[i] to start[i + 1] − 1, targets ascending.
  private final int[] start;
  private final int[] targets;
  private final double[] weights;

  private FuzzySet(int[] start, int[] targets, double[] weights) {
    this.start = start;
    this.targets = targets;
    this.weights = weights;
  }

  /** From n − 1 neighbours of each model. O(K·n) exponentials, times about 60 steps of a search. */
  static FuzzySet of(NeighborGraph neighbours) {
    int k = neighbours.size();
    int count = neighbours.count();
    int[] start = new int[k + 1];
    Arrays.setAll(start, i -> i * count);
    int[] targets = new int[k * count];
    double[] weights = new double[k * count];
    double mean = 0;
    for (int i = 0; i < k; i++) {
      mean += meanDistance(neighbours, i) / k;
    }
    double meanOfAll = mean;
    int pieces = (k + ROWS_PER_PIECE - 1) / ROWS_PER_PIECE;
    Parallel.forEach(
        pieces,
        piece -> {
          int end = Math.min(k, (piece + 1) * ROWS_PER_PIECE);
          for (int i = piece * ROWS_PER_PIECE; i < end; i++) {
            memberships(neighbours, i, meanOfAll, targets, weights);
          }
        });
    FuzzySet directed = new FuzzySet(start, targets, weights);
    return union(directed, directed.transpose());
  }

  /** The model itself counts, with distance 0. */
  private static double meanDistance(NeighborGraph neighbours, int i) {
    double sum = 0;
    for (int r = 0; r < neighbours.count(); r++) {
      sum += neighbours.distance(i, r);
    }
    return sum / (neighbours.count() + 1);
  }

  private static void memberships(
      NeighborGraph neighbours, int i, double meanOfAll, int[] targets, double[] weights) {
    int count = neighbours.count();
    double nearest = 0;
    for (int r = 0; r < count && nearest == 0; r++) {
      nearest = neighbours.distance(i, r);
    }
    double[] excess = new double[count];
    for (int r = 0; r < count; r++) {
      excess[r] = Math.max(0, neighbours.distance(i, r) - nearest);
    }
    double mean = nearest > 0 ? meanDistance(neighbours, i) : meanOfAll;
    double scale = scale(excess, SMALLEST_SCALE * mean);
    int[] order = new int[count];
    for (int r = 0; r < count; r++) {
      order[r] = neighbours.model(i, r);
    }
    Arrays.sort(order);
    for (int r = 0; r < count; r++) {
      int place = i * count + Arrays.binarySearch(order, neighbours.model(i, r));
      targets[place] = neighbours.model(i, r);
      weights[place] = excess[r] == 0 ? 1 : StrictMath.exp(-excess[r] / scale);
    }
  }

  /**
   * σ, to the last bit; the smallest one allowed where even that reaches the target, as it does
   * where many neighbours are equally near.
   */
  private static double scale(double[] excess, double smallest) {
    double target = StrictMath.log(excess.length + 1.0) / StrictMath.log(2);
    if (cardinality(excess, smallest) >= target) {
      return smallest;
    }
    double low = smallest;
    double high = 2 * smallest;
    while (cardinality(excess, high) < target) {
      low = high;
      high *= 2;
    }
    while (true) {
      double middle = low + (high - low) / 2;
      if (middle == low || middle == high) {
        return high;
      }
      if (cardinality(excess, middle) < target) {
        low = middle;
      } else {
        high = middle;
      }
    }
  }

  private static double cardinality(double[] excess, double scale) {
    double sum = 0;
    for (double e : excess) {
      sum += e == 0 ? 1 : StrictMath.exp(-e / scale);
    }
    return sum;
  }

  private FuzzySet transpose() {
    int k = size();
    int[] ends = new int[k + 1];
    for (int target : targets) {
      ends[target + 1]++;
    }
    for (int i = 0; i < k; i++) {
      ends[i + 1] += ends[i];
    }
    int[] next = ends.clone();
    int[] sources = new int[targets.length];
    double[] values = new double[targets.length];
    for (int i = 0; i < k; i++) {
      for (int e = start[i]; e < start[i + 1]; e++) {
        int place = next[targets[e]]++;
        sources[place] = i;
        values[place] = weights[e];
      }
    }
    return new FuzzySet(ends, sources, values);
  }

  private static FuzzySet union(FuzzySet a, FuzzySet b) {
    int k = a.size();
    int[] start = new int[k + 1];
    int[] targets = new int[a.targets.length + b.targets.length];
    double[] weights = new double[targets.length];
    int edges = 0;
    for (int i = 0; i < k; i++) {
      int p = a.start[i];
      int q = b.start[i];
      while (p < a.start[i + 1] || q < b.start[i + 1]) {
        int fromA = p < a.start[i + 1] ? a.targets[p] : k;
        int fromB = q < b.start[i + 1] ? b.targets[q] : k;
        int target = Math.min(fromA, fromB);
        double v = fromA == target ? a.weights[p++] : 0;
        double u = fromB == target ? b.weights[q++] : 0;
        // v + u − v·u, and exactly 1 when one of them is.
        double larger = Math.max(v, u);
        double weight = larger + Math.min(v, u) * (1 - larger);
        // A membership that underflowed is no edge.
        if (weight > 0) {
          targets[edges] = target;
          weights[edges++] = weight;
        }
      }
      start[i + 1] = edges;
    }
    return new FuzzySet(start, Arrays.copyOf(targets, edges), Arrays.copyOf(weights, edges));
  }

  /** Without the edges whose weight is below a share of the largest. */
  FuzzySet prune(double share) {
    double smallest = share * largestWeight();
    int[] kept = new int[start.length];
    int[] targets = new int[this.targets.length];
    double[] weights = new double[targets.length];
    int edges = 0;
    for (int i = 0; i < size(); i++) {
      for (int e = start[i]; e < start[i + 1]; e++) {
        if (this.weights[e] >= smallest) {
          targets[edges] = this.targets[e];
          weights[edges++] = this.weights[e];
        }
      }
      kept[i + 1] = edges;
    }
    return new FuzzySet(kept, Arrays.copyOf(targets, edges), Arrays.copyOf(weights, edges));
  }

  /** A number from 0 for each model, the same for models that edges join, by first appearance. */
  int[] components() {
    int[] component = new int[size()];
    Arrays.fill(component, -1);
    int[] queue = new int[size()];
    int found = 0;
    for (int first = 0; first < size(); first++) {
      if (component[first] >= 0) {
        continue;
      }
      component[first] = found;
      queue[0] = first;
      int end = 1;
      for (int at = 0; at < end; at++) {
        for (int e = start[queue[at]]; e < start[queue[at] + 1]; e++) {
          if (component[targets[e]] < 0) {
            component[targets[e]] = found;
            queue[end++] = targets[e];
          }
        }
      }
      found++;
    }
    return component;
  }

  /** K. */
  int size() {
    return start.length - 1;
  }

  /** The number of entries, each edge in both directions. */
  int edges() {
    return targets.length;
  }

  /** The first entry of row i; that of row K is {@link #edges()}. */
  int start(int i) {
    return start[i];
  }

  /** The model at the other end of an entry. */
  int target(int edge) {
    return targets[edge];
  }

  /** The membership of an entry. */
  double weight(int edge) {
    return weights[edge];
  }

  /** The largest membership. */
  double largestWeight() {
    return Arrays.stream(weights).max().orElse(0);
  }
}
