package io.llmap.distance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Where one text is cut: at bytes where a token of every model begins.
 *
 * <p>Keeps one copy of each tokenization, so memory grows with the number of different tokenizers
 * and not with the number of models. Models may be added by several threads; the cuts do not depend
 * on their order.
 */
final class SegmentCuts {
  private final List<int[]> tokenizations = new ArrayList<>();

  /**
   * The bytes at which segments begin and the last one ends, and the size of each segment.
   *
   * @param bytes G + 1 bytes, increasing; empty where the models have no segment in common
   * @param tokens for each segment the most tokens that a model has in it
   */
  record Cuts(int[] bytes, int[] tokens) {}

  /**
   * Adds how a model divides the text.
   *
   * @param bounds the byte at which each scored token begins, then the byte at which the last one
   *     ends
   */
  synchronized void add(int[] bounds) {
    for (int[] known : tokenizations) {
      if (Arrays.equals(known, bounds)) {
        return;
      }
    }
    tokenizations.add(bounds);
  }

  /**
   * Joins the pieces between common boundaries, from the left, as long as no model has more than
   * the target number of tokens in the segment.
   */
  Cuts join(int target) {
    int[] common = common().stream().toArray();
    List<int[]> counts = tokenizations.stream().map(bounds -> countBefore(bounds, common)).toList();
    int[] cuts = new int[common.length];
    int[] tokens = new int[common.length];
    int segments = 0;
    int open = 0;
    for (int next = 1; next < common.length; next++) {
      if (next - 1 > open && most(counts, open, next) > target) {
        tokens[segments++] = most(counts, open, next - 1);
        open = next - 1;
        cuts[segments] = common[open];
      }
    }
    if (common.length < 2) {
      return new Cuts(new int[0], new int[0]);
    }
    cuts[0] = common[0];
    tokens[segments++] = most(counts, open, common.length - 1);
    cuts[segments] = common[common.length - 1];
    return new Cuts(Arrays.copyOf(cuts, segments + 1), Arrays.copyOf(tokens, segments));
  }

  /**
   * Keeps those of the cuts that are boundaries here too, which joins the segments between them.
   *
   * @param finer the cuts of other models
   * @return a segment's size there is the sum of the joined ones' sizes: at least the true one
   */
  Cuts coarsen(Cuts finer) {
    BitSet common = common();
    int[] kept = Arrays.stream(finer.bytes).filter(common::get).toArray();
    if (kept.length < 2) {
      return new Cuts(new int[0], new int[0]);
    }
    List<int[]> counts = tokenizations.stream().map(bounds -> countBefore(bounds, kept)).toList();
    int[] tokens = new int[kept.length - 1];
    int old = Arrays.binarySearch(finer.bytes, kept[0]);
    for (int g = 0; g < tokens.length; g++) {
      int sum = 0;
      while (finer.bytes[old] < kept[g + 1]) {
        sum += finer.tokens[old++];
      }
      tokens[g] = Math.max(sum, most(counts, g, g + 1));
    }
    return new Cuts(kept, tokens);
  }

  private BitSet common() {
    BitSet common = new BitSet();
    for (int i = 0; i < tokenizations.size(); i++) {
      BitSet bounds = new BitSet();
      Arrays.stream(tokenizations.get(i)).forEach(bounds::set);
      if (i == 0) {
        common = bounds;
      } else {
        common.and(bounds);
      }
    }
    return common;
  }

  /** How many tokens begin before each of some of the bounds. */
  private static int[] countBefore(int[] bounds, int[] places) {
    int[] counts = new int[places.length];
    int t = 0;
    for (int c = 0; c < places.length; c++) {
      while (bounds[t] < places[c]) {
        t++;
      }
      counts[c] = t;
    }
    return counts;
  }

  private static int most(List<int[]> counts, int from, int to) {
    int most = 0;
    for (int[] count : counts) {
      most = Math.max(most, count[to] - count[from]);
    }
    return most;
  }
}
