package io.llmap.view;

import io.llmap.LlmapException;
import java.io.IOException;
import java.io.InputStream;

/** The two weights of the font that comes with the library, and how wide text is in them. */
enum Typeface {
  REGULAR("Roboto-Regular.ttf", 400),
  MEDIUM("Roboto-Medium.ttf", 500);

  private static final double OTHER_ADVANCE = 0.6;

  private final String resource;
  private final int weight;

  @SuppressWarnings("ImmutableEnumChecker") // has no method that changes it
  private final TrueTypeMetrics metrics;

  Typeface(String resource, int weight) {
    this.resource = resource;
    this.weight = weight;
    this.metrics = TrueTypeMetrics.parse(bytes());
  }

  /** The CSS font weight. */
  int weight() {
    return weight;
  }

  /** The font file. */
  byte[] bytes() {
    try (InputStream in = Typeface.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new LlmapException("the font " + resource + " is missing from the llmap-view jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new LlmapException("cannot read the font " + resource + " of the llmap-view jar", e);
    }
  }

  /** Whether the font has a glyph for a code point. */
  boolean covers(int codePoint) {
    return metrics.covers(codePoint);
  }

  /**
   * The width of text. A character outside the font is taken as 1 em if it is an ideograph, a
   * Hangul syllable or a pictograph, as 0 if it joins the one before it, and as 0.6 em otherwise;
   * both renderers fit whatever font they find into that width.
   */
  double width(String text, double size) {
    return size * text.codePoints().mapToDouble(this::advance).sum();
  }

  private double advance(int codePoint) {
    if (joins(codePoint)) {
      return 0;
    }
    if (metrics.covers(codePoint)) {
      return metrics.advance(codePoint);
    }
    return isWide(codePoint) ? 1 : OTHER_ADVANCE;
  }

  /** Whether a code point takes no room of its own: combining marks, joiners, skin tones. */
  static boolean joins(int codePoint) {
    int type = Character.getType(codePoint);
    return type == Character.NON_SPACING_MARK
        || type == Character.ENCLOSING_MARK
        || type == Character.FORMAT
        || (codePoint >= 0x1F3FB && codePoint <= 0x1F3FF);
  }

  private static boolean isWide(int codePoint) {
    return (codePoint >= 0x1100 && codePoint <= 0x115F)
        || (codePoint >= 0x2600 && codePoint <= 0x27BF)
        || (codePoint >= 0x2E80 && codePoint <= 0xA4CF)
        || (codePoint >= 0xAC00 && codePoint <= 0xD7A3)
        || (codePoint >= 0xF900 && codePoint <= 0xFAFF)
        || (codePoint >= 0xFE30 && codePoint <= 0xFE6F)
        || (codePoint >= 0xFF01 && codePoint <= 0xFF60)
        || (codePoint >= 0x1F000 && codePoint <= 0x1FAFF)
        || (codePoint >= 0x20000 && codePoint <= 0x3FFFD);
  }
}
