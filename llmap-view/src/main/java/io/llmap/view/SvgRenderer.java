package io.llmap.view;

import java.util.Locale;

/**
 * Draws a map as SVG 1.1. The bytes depend on nothing but the layout; no element has an id, so that
 * several maps can be put into one page.
 */
final class SvgRenderer implements Canvas {
  private static final String FONTS =
      "Roboto, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif";

  private final StringBuilder out = new StringBuilder();

  private SvgRenderer() {}

  /** The whole document. */
  static String render(MapLayout layout) {
    SvgRenderer svg = new SvgRenderer();
    svg.document(layout);
    return svg.out.toString();
  }

  private void document(MapLayout layout) {
    String width = number(layout.page().width());
    String height = number(layout.page().height());
    out.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg")
        .append(" xmlns=\"http://www.w3.org/2000/svg\"");
    attribute("width", width);
    attribute("height", height);
    attribute("viewBox", "0 0 " + width + " " + height);
    attribute("role", "img");
    attribute("font-family", FONTS);
    out.append(">\n<title>");
    escape(layout.title());
    out.append("</title>\n<desc>");
    escape(layout.description());
    out.append("</desc>\n");
    layout.drawOn(this);
    out.append("</svg>\n");
  }

  @Override
  public void rectangle(Box box, int fill, int frame) {
    out.append("<rect");
    attribute("x", box.x());
    attribute("y", box.y());
    attribute("width", box.width());
    attribute("height", box.height());
    attribute("fill", color(fill));
    attribute("stroke", color(frame));
    out.append("/>\n");
  }

  @Override
  public void line(Segment segment, double width, int rgb) {
    out.append("<line");
    attribute("x1", segment.x1());
    attribute("y1", segment.y1());
    attribute("x2", segment.x2());
    attribute("y2", segment.y2());
    attribute("stroke", color(rgb));
    attribute("stroke-width", width);
    out.append("/>\n");
  }

  @Override
  public void polygon(double[] outline, int rgb) {
    out.append("<polygon");
    attribute("points", points(outline));
    attribute("fill", color(rgb));
    out.append("/>\n");
  }

  @Override
  public void mark(Mark mark) {
    shape(mark);
    out.append("/>\n");
  }

  @Override
  public void model(Mark mark, String tooltip) {
    String element = shape(mark);
    attribute("class", "model");
    out.append("><title>");
    escape(tooltip);
    out.append("</title></").append(element).append(">\n");
  }

  @Override
  public void text(TextLine line) {
    startText(line);
    endText(line);
  }

  @Override
  public void label(TextLine line) {
    startText(line);
    attribute("class", "label");
    attribute("stroke", color(Palette.PANEL));
    attribute("stroke-width", HALO);
    attribute("stroke-linejoin", "round");
    attribute("paint-order", "stroke");
    endText(line);
  }

  private String shape(Mark mark) {
    String element;
    if (mark.shape() == MarkerShape.CIRCLE) {
      element = "circle";
      out.append("<circle");
      attribute("cx", mark.x());
      attribute("cy", mark.y());
      attribute("r", mark.radius());
    } else {
      element = "polygon";
      out.append("<polygon");
      attribute("points", points(mark.shape().outline(mark.x(), mark.y(), mark.radius())));
      attribute("stroke-linejoin", "round");
    }
    attribute("fill", color(mark.hollow() ? Palette.PAGE : mark.rgb()));
    attribute("stroke", color(mark.hollow() ? mark.rgb() : Palette.darken(mark.rgb(), RIM_SHADE)));
    attribute("stroke-width", mark.hollow() ? HOLLOW_RIM : RIM);
    return element;
  }

  private void startText(TextLine line) {
    out.append("<text");
    attribute("x", line.x());
    attribute("y", line.baseline());
    if (line.upward()) {
      attribute(
          "transform", "rotate(-90 " + number(line.x()) + " " + number(line.baseline()) + ")");
    }
    attribute("font-size", line.size());
    if (line.face() != Typeface.REGULAR) {
      attribute("font-weight", Integer.toString(line.face().weight()));
    }
    attribute("fill", color(line.rgb()));
    // Holds the layout where another font is used.
    if (line.width() > 0) {
      attribute("textLength", line.width());
      attribute("lengthAdjust", "spacingAndGlyphs");
    }
  }

  private void endText(TextLine line) {
    out.append(" xml:space=\"preserve\">");
    escape(line.text());
    out.append("</text>\n");
  }

  private void attribute(String name, double value) {
    attribute(name, number(value));
  }

  private void attribute(String name, String value) {
    out.append(' ').append(name).append("=\"").append(value).append('"');
  }

  private void escape(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        default -> out.append(c);
      }
    }
  }

  private static String points(double[] outline) {
    StringBuilder points = new StringBuilder();
    for (int i = 0; i < outline.length; i += 2) {
      points.append(i == 0 ? "" : " ");
      points.append(number(outline[i])).append(',').append(number(outline[i + 1]));
    }
    return points.toString();
  }

  private static String color(int rgb) {
    return String.format(Locale.ROOT, "#%06X", rgb);
  }

  /** Two decimals at most, without trailing zeros. */
  private static String number(double value) {
    long hundredths = Math.round(value * 100);
    StringBuilder digits = new StringBuilder(hundredths < 0 ? "-" : "");
    long magnitude = Math.abs(hundredths);
    digits.append(magnitude / 100);
    if (magnitude % 100 != 0) {
      digits.append('.').append(magnitude / 10 % 10);
      if (magnitude % 10 != 0) {
        digits.append(magnitude % 10);
      }
    }
    return digits.toString();
  }
}
