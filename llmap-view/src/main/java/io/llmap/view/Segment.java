package io.llmap.view;

/** A straight line between two points. */
record Segment(double x1, double y1, double x2, double y2) {
  double length() {
    double dx = x2 - x1;
    double dy = y2 - y1;
    return Math.sqrt(dx * dx + dy * dy);
  }

  /** The distance of a point from the nearest point of the segment. */
  double distance(double px, double py) {
    double dx = x2 - x1;
    double dy = y2 - y1;
    double squared = dx * dx + dy * dy;
    double t = squared == 0 ? 0 : ((px - x1) * dx + (py - y1) * dy) / squared;
    t = Math.max(0, Math.min(1, t));
    double ex = x1 + t * dx - px;
    double ey = y1 + t * dy - py;
    return Math.sqrt(ex * ex + ey * ey);
  }

  /** Whether the segments share a point; touching counts. */
  boolean meets(Segment other) {
    return Math.max(x1, x2) >= Math.min(other.x1, other.x2)
        && Math.max(other.x1, other.x2) >= Math.min(x1, x2)
        && Math.max(y1, y2) >= Math.min(other.y1, other.y2)
        && Math.max(other.y1, other.y2) >= Math.min(y1, y2)
        && side(other.x1, other.y1) * side(other.x2, other.y2) <= 0
        && other.side(x1, y1) * other.side(x2, y2) <= 0;
  }

  /** Whether the segment enters a rectangle: the corners are not all on one side of its line. */
  boolean meets(Box box) {
    if (Math.max(x1, x2) < box.x()
        || Math.min(x1, x2) > box.right()
        || Math.max(y1, y2) < box.y()
        || Math.min(y1, y2) > box.bottom()) {
      return false;
    }
    double a = side(box.x(), box.y());
    double b = side(box.right(), box.y());
    double c = side(box.x(), box.bottom());
    double d = side(box.right(), box.bottom());
    boolean allLeft = a > 0 && b > 0 && c > 0 && d > 0;
    boolean allRight = a < 0 && b < 0 && c < 0 && d < 0;
    return !allLeft && !allRight;
  }

  private double side(double px, double py) {
    return (x2 - x1) * (py - y1) - (y2 - y1) * (px - x1);
  }
}
