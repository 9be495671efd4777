package io.llmap.distance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * How texts are cut, for all models alike. Arrays are not copied.
 *
 * @param textSetFingerprint of the whole text set
 * @param textIds the N texts that have at least two segments
 * @param textBytes N lengths
 * @param firstBytes for each text the byte at which its first segment begins
 * @param starts for each text its first segment, and then G
 * @param bytes G lengths
 * @param tokens for each segment the most tokens that a model has in it, or more where segments
 *     were joined
 * @param leftOut ids of the other texts of the set, with fewer segments or not selected
 * @param targetTokens the most tokens that a segment is joined up to
 */
record SegmentLayout(
    String textSetFingerprint,
    List<String> textIds,
    int[] textBytes,
    int[] firstBytes,
    int[] starts,
    int[] bytes,
    int[] tokens,
    List<String> leftOut,
    int targetTokens) {

  SegmentLayout {
    int n = textIds.size();
    int g = bytes.length;
    if (textBytes.length != n || firstBytes.length != n || starts.length != n + 1) {
      throw new IllegalArgumentException(
          "%d text ids, but %d lengths, %d first bytes and %d starts"
              .formatted(n, textBytes.length, firstBytes.length, starts.length));
    }
    if (n == 0 || starts[0] != 0 || starts[n] != g || tokens.length != g) {
      throw new IllegalArgumentException(
          "%d texts with segments %d to %d, but %d segment lengths and %d token counts"
              .formatted(n, starts[0], starts[n], g, tokens.length));
    }
    if (targetTokens < 1) {
      throw new IllegalArgumentException(
          "a segment's target is at least 1 token, got " + targetTokens);
    }
    Set<String> seen = new HashSet<>();
    for (List<String> ids : List.of(textIds, leftOut)) {
      for (String id : ids) {
        if (!seen.add(id)) {
          throw new IllegalArgumentException("two texts have the id \"" + id + "\"");
        }
      }
    }
    for (int t = 0; t < n; t++) {
      requireText(textIds.get(t), textBytes[t], firstBytes[t], starts[t], starts[t + 1], bytes);
    }
    for (int s = 0; s < g; s++) {
      if (tokens[s] < 1) {
        throw new IllegalArgumentException("segment " + s + " has " + tokens[s] + " tokens");
      }
    }
    textIds = List.copyOf(textIds);
    leftOut = List.copyOf(leftOut);
  }

  private static void requireText(String id, int length, int first, int from, int to, int[] bytes) {
    if (to - from < 2 || to > bytes.length) {
      throw new IllegalArgumentException(
          "text \"%s\" has the segments %d to %d of %d; it needs two"
              .formatted(id, from, to, bytes.length));
    }
    long end = first;
    for (int s = from; s < to; s++) {
      if (bytes[s] < 1) {
        throw new IllegalArgumentException(
            "segment %d, of text \"%s\", has %d bytes".formatted(s, id, bytes[s]));
      }
      end += bytes[s];
    }
    if (first < 0 || end > length) {
      throw new IllegalArgumentException(
          "the segments of text \"%s\" cover bytes %d to %d of %d"
              .formatted(id, first, end, length));
    }
  }

  /** The bytes at which the segments of a text begin, and the byte at which the last one ends. */
  int[] cuts(int n) {
    int[] cuts = new int[starts[n + 1] - starts[n] + 1];
    cuts[0] = firstBytes[n];
    for (int g = 1; g < cuts.length; g++) {
      cuts[g] = cuts[g - 1] + bytes[starts[n] + g - 1];
    }
    return cuts;
  }

  /** Some of the texts, by ascending numbers; the others are left out. */
  SegmentLayout select(int[] chosen) {
    int[] newStarts = new int[chosen.length + 1];
    BitSet kept = new BitSet(textIds.size());
    for (int t = 0; t < chosen.length; t++) {
      newStarts[t + 1] = newStarts[t] + starts[chosen[t] + 1] - starts[chosen[t]];
      kept.set(chosen[t]);
    }
    List<String> others = new ArrayList<>(leftOut);
    for (int n = 0; n < textIds.size(); n++) {
      if (!kept.get(n)) {
        others.add(textIds.get(n));
      }
    }
    int[] columns = columns(chosen);
    return new SegmentLayout(
        textSetFingerprint,
        Arrays.stream(chosen).mapToObj(textIds::get).toList(),
        Arrays.stream(chosen).map(n -> textBytes[n]).toArray(),
        Arrays.stream(chosen).map(n -> firstBytes[n]).toArray(),
        newStarts,
        Arrays.stream(columns).map(g -> bytes[g]).toArray(),
        Arrays.stream(columns).map(g -> tokens[g]).toArray(),
        others,
        targetTokens);
  }

  /** The segments of some texts, in their order. */
  int[] columns(int[] chosen) {
    return Arrays.stream(chosen).flatMap(n -> IntStream.range(starts[n], starts[n + 1])).toArray();
  }

  int coveredBytes(int n) {
    int sum = 0;
    for (int g = starts[n]; g < starts[n + 1]; g++) {
      sum += bytes[g];
    }
    return sum;
  }
}
