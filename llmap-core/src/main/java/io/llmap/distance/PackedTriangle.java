package io.llmap.distance;

/**
 * Where things stand in a lower triangle with its diagonal, packed by rows: element (i, j), j ≤ i,
 * at i·(i + 1)/2 + j.
 */
final class PackedTriangle {
  private PackedTriangle() {}

  /** The length for K rows; an array has room for 65,535. */
  static int length(int rows) {
    long length = (long) rows * (rows + 1) / 2;
    if (length > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          rows + " rows have more pairs than an array can hold; at most 65535");
    }
    return (int) length;
  }

  static void requireLength(int rows, double[] triangle) {
    if (triangle.length != length(rows)) {
      throw new IllegalArgumentException(
          "the triangle of %d rows has %d numbers, got %d"
              .formatted(rows, length(rows), triangle.length));
    }
  }

  /** Where row i starts. */
  static int start(int i) {
    return (int) ((long) i * (i + 1) / 2);
  }

  /** The row of the element at an index; exact, because the root of a square is. */
  static int row(int index) {
    return (int) ((Math.sqrt(8.0 * index + 1) - 1) / 2);
  }
}
