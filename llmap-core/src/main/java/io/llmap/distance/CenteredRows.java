package io.llmap.distance;

import io.llmap.matrix.CenteredMatrix;

/** The rows of Q, as a kernel reads them. */
record CenteredRows(CenteredMatrix coordinates) implements RowSource {
  @Override
  public int rows() {
    return coordinates.models();
  }

  @Override
  public int columns() {
    return coordinates.texts();
  }

  @Override
  public void read(int row, int from, int to, double[] target, int offset) {
    coordinates.copyRow(row, from, to, target, offset);
  }
}
