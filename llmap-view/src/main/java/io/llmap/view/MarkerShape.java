package io.llmap.view;

/** The shapes of points, of about equal area; they tell groups apart that share a colour. */
enum MarkerShape {
  CIRCLE(),
  SQUARE(-0.88, -0.88, 0.88, -0.88, 0.88, 0.88, -0.88, 0.88),
  TRIANGLE(0, -1.25, 1.14, 0.78, -1.14, 0.78);

  /** The farthest that any shape reaches from its centre, in radii. */
  static final double REACH = 1.4;

  @SuppressWarnings("ImmutableEnumChecker") // never written and never handed out
  private final double[] vertices;

  MarkerShape(double... vertices) {
    this.vertices = vertices;
  }

  /** The corners x, y, x, y, … around a centre; none for the circle. */
  double[] outline(double x, double y, double radius) {
    double[] outline = new double[vertices.length];
    for (int i = 0; i < outline.length; i += 2) {
      outline[i] = x + radius * vertices[i];
      outline[i + 1] = y + radius * vertices[i + 1];
    }
    return outline;
  }
}
