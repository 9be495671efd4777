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
 * <p>Lengths are rounded up to few, for two reasons: a runtime plans its memory, and on a GPU
 * chooses its kernels, once for every shape that it meets; and texts with one prompt come together
 * more often. ONNX Runtime's time on the CPU is the same within its noise.
 */
final class BatchPlan {
  private BatchPlan() {}

  /**
   * The length that a sequence is padded to: one of 32 between a power of two and the next, so that
   * padding is at most a thirty-second.
   *
   * @param context the most that the model takes, which may be less
   */
  static int paddedLength(int length, int context) {
    int step = Math.max(1, Integer.highestOneBit(length) >> 5);
    long padded = ((long) length + step - 1) / step * step;
    return (int) Math.min(padded, Math.max(length, context));
  }

  /**
   * Plans batches of at most {@code tokenBudget} tokens; a longer sequence goes alone. Among
   * sequences of one length those of one group come together, in the order of groups.
   *
   * @param lengths padding included
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
