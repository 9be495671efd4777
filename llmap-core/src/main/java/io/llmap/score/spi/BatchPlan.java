package io.llmap.score.spi;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which sequences go through the model together.
 *
 * <p>Longest first, for three reasons: neighbours in length waste the least padding; the batch that
 * needs the most memory comes first, so a run that does not fit fails at once; and a progress
 * estimate errs on the safe side. The plan depends on the lengths and groups alone, so a resumed
 * run makes the same batches.
 *
 * <p>Lengths are not rounded up to a few shapes: that adds padding, and ONNX Runtime's processor
 * time for small models was the same within its noise (multiples of 8, 16 and 32).
 */
final class BatchPlan {
  private BatchPlan() {}

  /**
   * Plans batches of at most {@code tokenBudget} tokens, padding included; a longer sequence goes
   * alone. Among sequences of one length those of one group come together, in the order of groups.
   *
   * @return indices into {@code lengths}, one array a batch
   */
  static List<int[]> of(int[] lengths, int[] groups, long tokenBudget) {
    List<Integer> order =
        IntStream.range(0, lengths.length)
            .boxed()
            .sorted(
                Comparator.comparingInt((Integer i) -> -lengths[i])
                    .thenComparingInt(i -> groups[i])
                    .thenComparing(Comparator.naturalOrder()))
            .toList();
    List<int[]> batches = new ArrayList<>();
    int start = 0;
    while (start < order.size()) {
      long fit = Math.max(1, tokenBudget / lengths[order.get(start)]);
      int end = (int) Math.min(order.size(), start + fit);
      batches.add(order.subList(start, end).stream().mapToInt(Integer::intValue).toArray());
      start = end;
    }
    return batches;
  }
}
