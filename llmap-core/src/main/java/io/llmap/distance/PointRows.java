package io.llmap.distance;

/** Rows in memory. */
record PointRows(double[][] points) implements RowSource {
  PointRows {
    for (int i = 1; i < points.length; i++) {
      if (points[i].length != points[0].length) {
        throw new IllegalArgumentException(
            "point %d has %d coordinates, point 0 has %d"
                .formatted(i, points[i].length, points[0].length));
      }
    }
  }

  @Override
  public int rows() {
    return points.length;
  }

  @Override
  public int columns() {
    return points.length == 0 ? 0 : points[0].length;
  }

  @Override
  public void read(int row, int from, int to, double[] target, int offset) {
    System.arraycopy(points[row], from, target, offset, to - from);
  }
}
