package io.llmap.view;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontFormatException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.font.FontRenderContext;
import java.awt.font.TextLayout;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Draws a map with Java2D. Text is drawn as outlines, so that it looks alike at every scale and on
 * every platform. The one class that needs AWT.
 */
final class PngRenderer implements Canvas {
  private static final FontRenderContext CONTEXT = new FontRenderContext(null, true, true);

  private final Graphics2D graphics;
  private final Map<Typeface, Font> fonts;

  private PngRenderer(Graphics2D graphics, Map<Typeface, Font> fonts) {
    this.graphics = graphics;
    this.fonts = fonts;
  }

  /**
   * The bytes of a PNG file, without metadata.
   *
   * @throws IOException if this Java runtime cannot load fonts
   */
  static byte[] render(MapLayout layout, double scale) throws IOException {
    Map<Typeface, Font> fonts = loadFonts();
    int width = (int) Math.ceil(layout.page().width() * scale);
    int height = (int) Math.ceil(layout.page().height() * scale);
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    try {
      graphics.setColor(new Color(Palette.PAGE));
      graphics.fillRect(0, 0, width, height);
      graphics.scale(scale, scale);
      graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      graphics.setRenderingHint(
          RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
      layout.drawOn(new PngRenderer(graphics, fonts));
    } finally {
      graphics.dispose();
    }
    return encode(image);
  }

  private static Map<Typeface, Font> loadFonts() throws IOException {
    Map<Typeface, Font> fonts = new EnumMap<>(Typeface.class);
    for (Typeface face : Typeface.values()) {
      try {
        fonts.put(
            face, Font.createFont(Font.TRUETYPE_FONT, new ByteArrayInputStream(face.bytes())));
      } catch (FontFormatException | RuntimeException e) {
        // The JDK's font code throws bare RuntimeExceptions where fontconfig or every font is
        // missing.
        throw new IOException(e.toString(), e);
      }
    }
    return fonts;
  }

  private static byte[] encode(BufferedImage image) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      if (!ImageIO.write(image, "png", out)) {
        throw new IOException("no PNG writer is installed");
      }
    }
    return bytes.toByteArray();
  }

  @Override
  public void rectangle(Box box, int fill, int frame) {
    Shape shape = new Rectangle2D.Double(box.x(), box.y(), box.width(), box.height());
    fill(shape, fill);
    stroke(shape, 1, frame);
  }

  @Override
  public void line(Segment s, double width, int rgb) {
    graphics.setColor(new Color(rgb));
    graphics.setStroke(
        new BasicStroke((float) width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER));
    graphics.draw(new Line2D.Double(s.x1(), s.y1(), s.x2(), s.y2()));
  }

  @Override
  public void polygon(double[] outline, int rgb) {
    fill(path(outline), rgb);
  }

  @Override
  public void mark(Mark mark) {
    double r = mark.radius();
    Shape shape =
        mark.shape() == MarkerShape.CIRCLE
            ? new Ellipse2D.Double(mark.x() - r, mark.y() - r, 2 * r, 2 * r)
            : path(mark.shape().outline(mark.x(), mark.y(), r));
    fill(shape, mark.hollow() ? Palette.PAGE : mark.rgb());
    if (mark.hollow()) {
      stroke(shape, HOLLOW_RIM, mark.rgb());
    } else {
      stroke(shape, RIM, Palette.darken(mark.rgb(), RIM_SHADE));
    }
  }

  @Override
  public void model(Mark mark, String tooltip) {
    mark(mark);
  }

  @Override
  public void text(TextLine line) {
    if (line.width() > 0) {
      fill(outline(line), line.rgb());
    }
  }

  @Override
  public void label(TextLine line) {
    if (line.width() > 0) {
      Shape outline = outline(line);
      stroke(outline, HALO, Palette.PANEL);
      fill(outline, line.rgb());
    }
  }

  /** Each run of one font is fitted into the width that the layout has for it. */
  private Shape outline(TextLine line) {
    AffineTransform place = AffineTransform.getTranslateInstance(line.x(), line.baseline());
    if (line.upward()) {
      place.rotate(-Math.PI / 2);
    }
    Font ours = fonts.getOrDefault(line.face(), graphics.getFont()).deriveFont((float) line.size());
    Font fallback = new Font(Font.SANS_SERIF, Font.PLAIN, 1).deriveFont((float) line.size());
    Path2D outline = new Path2D.Double(Path2D.WIND_NON_ZERO);
    String text = line.text();
    for (int start = 0; start < text.length(); ) {
      int end = runEnd(text, start, line.face());
      String run = text.substring(start, end);
      double width = line.face().width(run, line.size());
      boolean covered = line.face().covers(text.codePointAt(start));
      TextLayout layout = new TextLayout(run, covered ? ours : fallback, CONTEXT);
      if (width > 0 && layout.getAdvance() > 0) {
        AffineTransform fitted = new AffineTransform(place);
        fitted.scale(width / layout.getAdvance(), 1);
        outline.append(layout.getOutline(fitted), false);
      }
      place.translate(width, 0);
      start = end;
    }
    return outline;
  }

  private static int runEnd(String text, int start, Typeface face) {
    boolean covered = face.covers(text.codePointAt(start));
    int end = start;
    while (end < text.length() && face.covers(text.codePointAt(end)) == covered) {
      end += Character.charCount(text.codePointAt(end));
    }
    return end;
  }

  private void fill(Shape shape, int rgb) {
    graphics.setColor(new Color(rgb));
    graphics.fill(shape);
  }

  private void stroke(Shape shape, double width, int rgb) {
    graphics.setColor(new Color(rgb));
    graphics.setStroke(
        new BasicStroke((float) width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    graphics.draw(shape);
  }

  private static Path2D path(double[] outline) {
    Path2D path = new Path2D.Double();
    path.moveTo(outline[0], outline[1]);
    for (int i = 2; i < outline.length; i += 2) {
      path.lineTo(outline[i], outline[i + 1]);
    }
    path.closePath();
    return path;
  }
}
