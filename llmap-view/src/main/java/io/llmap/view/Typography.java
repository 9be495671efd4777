package io.llmap.view;

import java.util.ArrayList;
import java.util.List;

/** Fits text into the room there is. */
final class Typography {
  private static final String ELLIPSIS = "…";
  private static final int REPLACEMENT = 0xFFFD;
  private static final int LINE_SEPARATOR = 0x2028;
  private static final int PARAGRAPH_SEPARATOR = 0x2029;

  private Typography() {}

  /**
   * Makes text drawable on one line and legal in XML: line breaks, tabs and other control
   * characters become spaces, and what no document may hold (half a surrogate pair, U+FFFE) becomes
   * U+FFFD.
   */
  static String clean(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .map(
            c -> {
              if (Character.isISOControl(c) || c == LINE_SEPARATOR || c == PARAGRAPH_SEPARATOR) {
                return ' ';
              }
              boolean legal = (c < 0xD800 || c > 0xDFFF) && c != 0xFFFE && c != 0xFFFF;
              return legal ? c : REPLACEMENT;
            })
        .forEach(out::appendCodePoint);
    return out.toString();
  }

  /**
   * Shortens text to a width by an ellipsis in its middle, because the names of related models
   * differ at their ends: the size stands in front, the quantisation or the step behind.
   */
  static String elide(String text, Typeface face, double size, double maxWidth) {
    if (face.width(text, size) <= maxWidth) {
      return text;
    }
    int[] codePoints = text.codePoints().toArray();
    for (int kept = codePoints.length - 1; kept > 0; kept--) {
      int head = (kept + 1) / 2;
      int tail = codePoints.length - (kept - head);
      while (tail < codePoints.length && Typeface.joins(codePoints[tail])) {
        tail++;
      }
      String shortened =
          new String(codePoints, 0, head)
              + ELLIPSIS
              + new String(codePoints, tail, codePoints.length - tail);
      if (face.width(shortened, size) <= maxWidth) {
        return shortened;
      }
    }
    return ELLIPSIS;
  }

  /** Breaks text at spaces into lines of at most a width; a longer word is elided. */
  static List<String> wrap(String text, Typeface face, double size, double maxWidth) {
    List<String> lines = new ArrayList<>();
    String line = "";
    for (String word : text.trim().split(" +", -1)) {
      String longer = line.isEmpty() ? word : line + " " + word;
      if (!line.isEmpty() && face.width(longer, size) > maxWidth) {
        lines.add(line);
        longer = word;
      }
      line = elide(longer, face, size, maxWidth);
    }
    if (!line.isEmpty()) {
      lines.add(line);
    }
    return lines;
  }
}
