package io.llmap.score.spi;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a model reads of a text in one forward pass: the text's prefix, then the tokens {@code
 * start} to {@code end − 1}, of which those from {@code firstTarget} on are scored. Positions count
 * from the start of the text's {@link TokenSequence}.
 *
 * @param text the text's position in the list that is being scored
 * @param start at least the length of the prefix
 * @param end behind the last token
 * @param firstTarget the first token that is scored
 */
record Window(int text, int start, int end, int firstTarget) {

  /** All of a text, which may be longer than a context. */
  static Window whole(int text, TokenSequence tokens) {
    return new Window(text, tokens.prefix(), tokens.ids().length, tokens.firstTarget());
  }

  /** The part of a text that fits a context: less of the prompt, then less of the content. */
  static Window truncated(int text, TokenSequence tokens, int context) {
    int prefix = tokens.prefix();
    int first = tokens.firstTarget();
    int end =
        Math.min(tokens.ids().length, Math.max(first, prefix) + context - Math.max(prefix, 1));
    return new Window(text, end - (context - prefix), end, first);
  }

  /**
   * Rolling windows over a text that is longer than a context.
   *
   * @param stride how many tokens a window after the first scores, 1 to {@code context − max(1,
   *     prefix)}
   */
  static List<Window> rolling(int text, TokenSequence tokens, int context, int stride) {
    int prefix = tokens.prefix();
    List<Window> windows = new ArrayList<>();
    int scored = tokens.firstTarget();
    if (scored < context) {
      windows.add(new Window(text, prefix, context, scored));
      scored = context;
    }
    while (scored < tokens.ids().length) {
      int end = Math.min(tokens.ids().length, scored + stride);
      windows.add(new Window(text, end - (context - prefix), end, scored));
      scored = end;
    }
    return windows;
  }

  /** How many tokens the model reads. */
  int length(TokenSequence tokens) {
    return tokens.prefix() + end - start;
  }

  /** What the model reads. */
  int[] ids(TokenSequence tokens) {
    int[] ids = Arrays.copyOf(tokens.ids(), length(tokens));
    System.arraycopy(tokens.ids(), start, ids, tokens.prefix(), end - start);
    return ids;
  }

  /** Where in {@link #ids} the first token stands that is scored. */
  int firstTargetIn(TokenSequence tokens) {
    return tokens.prefix() + firstTarget - start;
  }
}
