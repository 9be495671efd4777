package io.llmap.distance;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A tile of 4 rows by 2 vectors in 16 registers: 8 sums are as many as two multipliers of latency 4
 * keep busy, and 6 loads feed 8 multiplications. 4 by 3 would need all registers, and is a third
 * slower because the compiler spills. See {@link VectorTile8x3}.
 */
final class VectorTile4x2 {
  static final int ROWS = 4;
  static final int VECTORS = 2;

  private static final VectorSpecies<Double> SPECIES = VectorGramKernel.SPECIES;
  private static final int LANES = SPECIES.length();
  private static final int COLUMNS = VECTORS * LANES;

  private VectorTile4x2() {}

  /**
   * The products of rows r … of one packed panel and rows c … of another, summed over so many
   * columns of the matrix; the tile by rows.
   */
  static void multiply(double[] left, int r, double[] right, int c, int count, double[] tile) {

    DoubleVector c00 = DoubleVector.zero(SPECIES);
    DoubleVector c01 = c00;
    DoubleVector c10 = c00;
    DoubleVector c11 = c00;
    DoubleVector c20 = c00;
    DoubleVector c21 = c00;
    DoubleVector c30 = c00;
    DoubleVector c31 = c00;
    for (int k = 0, end = count * VectorGramKernel.PANEL; k < end; k += VectorGramKernel.PANEL) {
      DoubleVector b0 = DoubleVector.fromArray(SPECIES, right, c + k);
      DoubleVector b1 = DoubleVector.fromArray(SPECIES, right, c + k + LANES);
      DoubleVector a = DoubleVector.broadcast(SPECIES, left[r + k]);
      c00 = a.fma(b0, c00);
      c01 = a.fma(b1, c01);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 1]);
      c10 = a.fma(b0, c10);
      c11 = a.fma(b1, c11);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 2]);
      c20 = a.fma(b0, c20);
      c21 = a.fma(b1, c21);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 3]);
      c30 = a.fma(b0, c30);
      c31 = a.fma(b1, c31);
    }
    c00.intoArray(tile, 0);
    c01.intoArray(tile, LANES);
    c10.intoArray(tile, COLUMNS);
    c11.intoArray(tile, COLUMNS + LANES);
    c20.intoArray(tile, 2 * COLUMNS);
    c21.intoArray(tile, 2 * COLUMNS + LANES);
    c30.intoArray(tile, 3 * COLUMNS);
    c31.intoArray(tile, 3 * COLUMNS + LANES);
  }
}
