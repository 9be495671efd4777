package io.llmap.view;

/**
 * One line of text with its place; a renderer fits the text into the width.
 *
 * @param x where the text starts
 * @param baseline the y of its baseline; of an upward text, x is the baseline and this the start
 * @param upward whether the text runs from bottom to top
 */
record TextLine(
    String text,
    double x,
    double baseline,
    double width,
    double size,
    Typeface face,
    int rgb,
    boolean upward) {

  static TextLine of(String text, double x, double baseline, double size, Typeface face, int rgb) {
    return new TextLine(text, x, baseline, face.width(text, size), size, face, rgb, false);
  }
}
