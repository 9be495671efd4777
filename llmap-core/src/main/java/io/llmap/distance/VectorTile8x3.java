package io.llmap.distance;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A tile of 8 rows by 3 vectors: 24 sums, 3 vectors and a broadcast in 32 registers; 11 loads feed
 * 24 multiplications. The sums are locals, written out one by one, because only then do they stay
 * in registers. Nothing more fits into the method: the compiler stops inlining vector operations
 * when it has grown to 18,000 nodes, and what is not inlined is a hundred times slower.
 */
final class VectorTile8x3 {
  static final int ROWS = 8;
  static final int VECTORS = 3;

  private static final VectorSpecies<Double> SPECIES = VectorGramKernel.SPECIES;
  private static final int LANES = SPECIES.length();
  private static final int COLUMNS = VECTORS * LANES;

  private VectorTile8x3() {}

  /**
   * The products of rows r … of one packed panel and rows c … of another, summed over so many
   * columns of the matrix; the tile by rows.
   */
  static void multiply(double[] left, int r, double[] right, int c, int count, double[] tile) {

    DoubleVector c00 = DoubleVector.zero(SPECIES);
    DoubleVector c01 = c00;
    DoubleVector c02 = c00;
    DoubleVector c10 = c00;
    DoubleVector c11 = c00;
    DoubleVector c12 = c00;
    DoubleVector c20 = c00;
    DoubleVector c21 = c00;
    DoubleVector c22 = c00;
    DoubleVector c30 = c00;
    DoubleVector c31 = c00;
    DoubleVector c32 = c00;
    DoubleVector c40 = c00;
    DoubleVector c41 = c00;
    DoubleVector c42 = c00;
    DoubleVector c50 = c00;
    DoubleVector c51 = c00;
    DoubleVector c52 = c00;
    DoubleVector c60 = c00;
    DoubleVector c61 = c00;
    DoubleVector c62 = c00;
    DoubleVector c70 = c00;
    DoubleVector c71 = c00;
    DoubleVector c72 = c00;
    for (int k = 0, end = count * VectorGramKernel.PANEL; k < end; k += VectorGramKernel.PANEL) {
      DoubleVector b0 = DoubleVector.fromArray(SPECIES, right, c + k);
      DoubleVector b1 = DoubleVector.fromArray(SPECIES, right, c + k + LANES);
      DoubleVector b2 = DoubleVector.fromArray(SPECIES, right, c + k + 2 * LANES);
      DoubleVector a = DoubleVector.broadcast(SPECIES, left[r + k]);
      c00 = a.fma(b0, c00);
      c01 = a.fma(b1, c01);
      c02 = a.fma(b2, c02);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 1]);
      c10 = a.fma(b0, c10);
      c11 = a.fma(b1, c11);
      c12 = a.fma(b2, c12);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 2]);
      c20 = a.fma(b0, c20);
      c21 = a.fma(b1, c21);
      c22 = a.fma(b2, c22);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 3]);
      c30 = a.fma(b0, c30);
      c31 = a.fma(b1, c31);
      c32 = a.fma(b2, c32);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 4]);
      c40 = a.fma(b0, c40);
      c41 = a.fma(b1, c41);
      c42 = a.fma(b2, c42);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 5]);
      c50 = a.fma(b0, c50);
      c51 = a.fma(b1, c51);
      c52 = a.fma(b2, c52);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 6]);
      c60 = a.fma(b0, c60);
      c61 = a.fma(b1, c61);
      c62 = a.fma(b2, c62);
      a = DoubleVector.broadcast(SPECIES, left[r + k + 7]);
      c70 = a.fma(b0, c70);
      c71 = a.fma(b1, c71);
      c72 = a.fma(b2, c72);
    }
    c00.intoArray(tile, 0);
    c01.intoArray(tile, LANES);
    c02.intoArray(tile, 2 * LANES);
    c10.intoArray(tile, COLUMNS);
    c11.intoArray(tile, COLUMNS + LANES);
    c12.intoArray(tile, COLUMNS + 2 * LANES);
    c20.intoArray(tile, 2 * COLUMNS);
    c21.intoArray(tile, 2 * COLUMNS + LANES);
    c22.intoArray(tile, 2 * COLUMNS + 2 * LANES);
    c30.intoArray(tile, 3 * COLUMNS);
    c31.intoArray(tile, 3 * COLUMNS + LANES);
    c32.intoArray(tile, 3 * COLUMNS + 2 * LANES);
    c40.intoArray(tile, 4 * COLUMNS);
    c41.intoArray(tile, 4 * COLUMNS + LANES);
    c42.intoArray(tile, 4 * COLUMNS + 2 * LANES);
    c50.intoArray(tile, 5 * COLUMNS);
    c51.intoArray(tile, 5 * COLUMNS + LANES);
    c52.intoArray(tile, 5 * COLUMNS + 2 * LANES);
    c60.intoArray(tile, 6 * COLUMNS);
    c61.intoArray(tile, 6 * COLUMNS + LANES);
    c62.intoArray(tile, 6 * COLUMNS + 2 * LANES);
    c70.intoArray(tile, 7 * COLUMNS);
    c71.intoArray(tile, 7 * COLUMNS + LANES);
    c72.intoArray(tile, 7 * COLUMNS + 2 * LANES);
  }
}
