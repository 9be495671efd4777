package io.llmap.view;

/** Points in pixels: one scale for both axes, centred in a rectangle, y downward. */
final class PixelPoints {
  private final double[] x;
  private final double[] y;

  private PixelPoints(double[] x, double[] y) {
    this.x = x;
    this.y = y;
  }

  /** Fits points into a rectangle; points that are all the same go to its centre. */
  static PixelPoints fit(double[][] points, Box room) {
    double[][] axes = new double[2][points.length];
    for (int i = 0; i < points.length; i++) {
      // Halves, so that the extent of no finite coordinates overflows.
      axes[0][i] = points[i][0] / 2;
      axes[1][i] = -points[i][1] / 2;
    }
    double scale = Math.max(extent(axes[0]) / room.width(), extent(axes[1]) / room.height());
    return new PixelPoints(
        toPixels(axes[0], scale, room.centerX()), toPixels(axes[1], scale, room.centerY()));
  }

  /** The height of the points over their width, infinite if they have no width. */
  static double aspect(double[][] points) {
    PixelPoints unit = fit(points, new Box(0, 0, 1, 1));
    return extent(unit.y) / extent(unit.x);
  }

  /** The x of every point; not to be written. */
  double[] x() {
    return x;
  }

  /** The y of every point; not to be written. */
  double[] y() {
    return y;
  }

  private static double[] toPixels(double[] halves, double scale, double center) {
    double middle = min(halves) / 2 + max(halves) / 2;
    double[] pixels = new double[halves.length];
    for (int i = 0; i < halves.length; i++) {
      pixels[i] = scale == 0 ? center : center + (halves[i] - middle) / scale;
    }
    return pixels;
  }

  private static double extent(double[] values) {
    return max(values) - min(values);
  }

  private static double min(double[] values) {
    double min = values[0];
    for (double v : values) {
      min = Math.min(min, v);
    }
    return min;
  }

  private static double max(double[] values) {
    double max = values[0];
    for (double v : values) {
      max = Math.max(max, v);
    }
    return max;
  }
}
