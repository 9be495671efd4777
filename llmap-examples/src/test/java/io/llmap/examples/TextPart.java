package io.llmap.examples;

import io.llmap.text.TextSet;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Some of the zoo's texts, or the beginnings of all.
 *
 * @param label what they are called in a table
 * @param limit the beginning ends with the last whole token within so many bytes
 * @param texts which texts
 */
record TextPart(String label, int limit, int[] texts) {
  static final String ALL = "all";
  static final String SUBSET = "every 16th";
  static final List<String> DOMAINS = List.of("general", "legal", "code", "multi");
  static final List<Integer> LIMITS = List.of(64, 128, 256, 512);

  /** All that figures are stored for. */
  static List<TextPart> of(TextSet texts) {
    int[] all = IntStream.range(0, texts.size()).toArray();
    List<TextPart> parts = new ArrayList<>();
    parts.add(new TextPart(ALL, Integer.MAX_VALUE, all));
    parts.add(
        new TextPart(
            SUBSET, Integer.MAX_VALUE, IntStream.of(all).filter(n -> n % 16 == 0).toArray()));
    for (String domain : DOMAINS) {
      parts.add(
          new TextPart(
              domain,
              Integer.MAX_VALUE,
              IntStream.of(all).filter(n -> texts.get(n).id().startsWith(domain + "/")).toArray()));
    }
    for (int limit : LIMITS) {
      parts.add(new TextPart(label(limit), limit, all));
    }
    return parts;
  }

  static String label(int limit) {
    return "first " + limit + " bytes";
  }

  boolean whole() {
    return limit == Integer.MAX_VALUE;
  }

  /**
   * The tokens of a text's beginning; those that are parts of one character stay together.
   *
   * @param bounds the byte at which each token starts, and the length of the text
   */
  static int tokens(int[] bounds, int limit) {
    int tokens = bounds.length - 1;
    while (bounds[tokens] > limit || (tokens > 0 && bounds[tokens - 1] == bounds[tokens])) {
      tokens--;
    }
    return tokens;
  }
}
