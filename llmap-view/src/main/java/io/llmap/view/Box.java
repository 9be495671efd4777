package io.llmap.view;

/** A rectangle with sides along the axes; y grows downward. */
record Box(double x, double y, double width, double height) {
  double right() {
    return x + width;
  }

  double bottom() {
    return y + height;
  }

  double centerX() {
    return x + width / 2;
  }

  double centerY() {
    return y + height / 2;
  }

  boolean overlaps(Box other) {
    return x < other.right() && other.x < right() && y < other.bottom() && other.y < bottom();
  }

  boolean contains(Box other) {
    return other.x >= x && other.right() <= right() && other.y >= y && other.bottom() <= bottom();
  }

  /** The distance of a point from the rectangle, 0 inside. */
  double distance(double px, double py) {
    double dx = Math.max(0, Math.max(x - px, px - right()));
    double dy = Math.max(0, Math.max(y - py, py - bottom()));
    return Math.sqrt(dx * dx + dy * dy);
  }
}
