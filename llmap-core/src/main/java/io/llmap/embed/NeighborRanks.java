package io.llmap.embed;

import java.util.Arrays;

/** How near the other models are to one of them, as ranks. Holds scratch: one thread at a time. */
final class NeighborRanks {
  private final double[] sorted;
  private final int[] taken;

  NeighborRanks(int size) {
    this.sorted = new double[size - 1];
    this.taken = new int[size];
  }

  /**
   * Fills ranks with 1 for the nearest to K − 1 for the farthest, equal distances in the order of
   * the row, and 0 for model i itself. O(K log K).
   */
  void of(double[] row, int i, int[] ranks) {
    System.arraycopy(row, 0, sorted, 0, i);
    System.arraycopy(row, i + 1, sorted, i, row.length - i - 1);
    Arrays.sort(sorted);
    Arrays.fill(taken, 0);
    for (int j = 0; j < row.length; j++) {
      if (j != i) {
        int first = firstAtLeast(sorted, row[j]);
        ranks[j] = 1 + first + taken[first]++;
      }
    }
    ranks[i] = 0;
  }

  /** The first place of a value that is at least this, among values in ascending order. */
  static int firstAtLeast(double[] ascending, double value) {
    int low = 0;
    int high = ascending.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ascending[middle] < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
