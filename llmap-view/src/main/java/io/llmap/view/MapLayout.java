package io.llmap.view;

import java.util.List;
import java.util.Optional;

/**
 * Where everything on a map is, in pixels of the unscaled page. Both renderers draw this and
 * nothing else.
 *
 * @param page the whole picture
 * @param panel the frame around the map
 * @param title the title, or a general one where the view has none
 * @param description what a reader hears who cannot see the picture
 * @param marks one mark per model, in the order of the embedding
 * @param tooltips what the marks say, in the same order
 * @param links the arrows, from rim to rim
 * @param labels the labels that are drawn
 * @param legend the marks of the legend
 * @param legendLink the arrow of the legend, if the map has arrows
 * @param texts every text but the labels
 */
record MapLayout(
    Box page,
    Box panel,
    String title,
    String description,
    List<Mark> marks,
    List<String> tooltips,
    List<Segment> links,
    List<Label> labels,
    List<Mark> legend,
    Optional<Segment> legendLink,
    List<TextLine> texts) {

  private static final double LINK_WIDTH = 1;
  private static final double ARROW_LENGTH = 6.5;
  private static final double ARROW_HALF_WIDTH = 2.6;
  private static final double LEADER_WIDTH = 0.7;
  private static final double LEADER_SHADE = 0.15;

  /**
   * A label with its place.
   *
   * @param point whose label it is
   * @param box its room
   * @param leader the line to it, unless it stands beside its point
   * @param text what it says
   */
  record Label(int point, Box box, Optional<Segment> leader, TextLine text) {}

  /** Draws everything, what lies below first. */
  void drawOn(Canvas canvas) {
    canvas.rectangle(page, Palette.PAGE, Palette.PAGE);
    canvas.rectangle(panel, Palette.PANEL, Palette.FRAME);
    links.forEach(link -> drawArrow(canvas, link));
    for (Label label : labels) {
      int color = Palette.darken(marks.get(label.point()).rgb(), LEADER_SHADE);
      label.leader().ifPresent(leader -> canvas.line(leader, LEADER_WIDTH, color));
    }
    for (int i = 0; i < marks.size(); i++) {
      canvas.model(marks.get(i), tooltips.get(i));
    }
    labels.forEach(label -> canvas.label(label.text()));
    legend.forEach(canvas::mark);
    legendLink.ifPresent(link -> drawArrow(canvas, link));
    texts.forEach(canvas::text);
  }

  private static void drawArrow(Canvas canvas, Segment link) {
    double length = link.length();
    double alongX = (link.x2() - link.x1()) / length;
    double alongY = (link.y2() - link.y1()) / length;
    double head = Math.min(ARROW_LENGTH, length);
    double baseX = link.x2() - head * alongX;
    double baseY = link.y2() - head * alongY;
    canvas.line(new Segment(link.x1(), link.y1(), baseX, baseY), LINK_WIDTH, Palette.LINK);
    double sideX = -ARROW_HALF_WIDTH * alongY;
    double sideY = ARROW_HALF_WIDTH * alongX;
    canvas.polygon(
        new double[] {
          link.x2(), link.y2(), baseX + sideX, baseY + sideY, baseX - sideX, baseY - sideY
        },
        Palette.LINK);
  }
}
