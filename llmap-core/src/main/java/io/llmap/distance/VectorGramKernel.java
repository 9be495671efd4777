package io.llmap.distance;

import io.llmap.internal.Parallel;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The Gram kernel with the Vector API, in the manner of Goto and van de Geijn (2008): the columns
 * are taken in blocks; a block of all rows is packed so that tiles read it in order; each tile of
 * the triangle is summed in registers and added to the triangle once a block.
 *
 * <p>A panel of the packed block holds some rows, column by column. The same panel gives a tile its
 * rows, one number at a time, and its columns, a vector at a time, so every row is packed once.
 *
 * <p>Every sum runs over the columns in order, in blocks of {@value #DEPTH} that are added in
 * order, whichever thread computes it.
 */
final class VectorGramKernel implements GramKernel {
  /** Wider vectors than 512 bits would not divide a panel. */
  static final VectorSpecies<Double> SPECIES =
      DoubleVector.SPECIES_PREFERRED.length() <= 8
          ? DoubleVector.SPECIES_PREFERRED
          : DoubleVector.SPECIES_512;

  private static final boolean X86 = System.getProperty("os.arch", "").matches("amd64|x86_64");

  /** AVX-512 and all of ARM have 32 vector registers, AVX2 and older have 16. */
  private static final boolean MANY_REGISTERS = !X86 || SPECIES.length() >= 8;

  private static final int TILE_ROWS = MANY_REGISTERS ? VectorTile8x3.ROWS : VectorTile4x2.ROWS;
  private static final int TILE_COLUMNS =
      SPECIES.length() * (MANY_REGISTERS ? VectorTile8x3.VECTORS : VectorTile4x2.VECTORS);

  /**
   * Rows of a panel: a multiple of a tile's rows and columns. Three tiles of AVX2 would share one
   * of 24, each reading a third of every cache line three times.
   */
  static final int PANEL = MANY_REGISTERS ? 24 : 8;

  /** Columns of a block: eight rows are 16 KiB then, a part of any first-level cache. */
  static final int DEPTH = 256;

  /** Panels of a band: 96 rows, 192 KiB of a block in the second-level cache. */
  private static final int BAND = 96 / PANEL;

  /** Whether vectors are multiplied and added in one operation here; else they are emulated. */
  static boolean fused() {
    return !X86 || SPECIES.length() >= 4;
  }

  @Override
  public void add(RowSource a, double[] triangle) {
    PackedTriangle.requireLength(a.rows(), triangle);
    int panels = (a.rows() + PANEL - 1) / PANEL;
    int bands = (panels + BAND - 1) / BAND;
    int depth = Math.min(DEPTH, a.columns());
    double[][] packed = new double[panels][PANEL * depth];
    for (int from = 0; from < a.columns(); from += DEPTH) {
      int first = from;
      int count = Math.min(DEPTH, a.columns() - from);
      Parallel.forEach(panels, panel -> pack(a, panel * PANEL, first, count, packed[panel]));
      Parallel.forEach(
          PackedTriangle.length(bands), pair -> addBands(packed, count, pair, a.rows(), triangle));
    }
  }

  private static void pack(RowSource a, int firstRow, int from, int count, double[] panel) {
    double[] row = new double[count];
    int rows = Math.min(PANEL, a.rows() - firstRow);
    for (int r = 0; r < rows; r++) {
      a.read(firstRow + r, from, from + count, row, 0);
      for (int k = 0, at = r; k < count; k++, at += PANEL) {
        panel[at] = row[k];
      }
    }
  }

  private static void addBands(
      double[][] packed, int count, int pair, int rows, double[] triangle) {
    int rowBand = PackedTriangle.row(pair);
    int columnBand = pair - PackedTriangle.start(rowBand);
    double[] tile = new double[TILE_ROWS * TILE_COLUMNS];
    int lastRow = Math.min(rows, (rowBand + 1) * BAND * PANEL);
    int lastColumn = (columnBand + 1) * BAND * PANEL;
    for (int i = rowBand * BAND * PANEL; i < lastRow; i += TILE_ROWS) {
      int behind = Math.min(lastColumn, i + TILE_ROWS);
      for (int j = columnBand * BAND * PANEL; j < behind; j += TILE_COLUMNS) {
        multiply(packed[i / PANEL], i % PANEL, packed[j / PANEL], j % PANEL, count, tile);
        if (j + TILE_COLUMNS <= i + 1 && i + TILE_ROWS <= rows) {
          addTile(tile, i, j, triangle);
        } else {
          addEdge(tile, i, j, rows, triangle);
        }
      }
    }
  }

  private static void multiply(
      double[] left, int r, double[] right, int c, int count, double[] tile) {
    if (MANY_REGISTERS) {
      VectorTile8x3.multiply(left, r, right, c, count, tile);
    } else {
      VectorTile4x2.multiply(left, r, right, c, count, tile);
    }
  }

  private static void addTile(double[] tile, int i, int j, double[] triangle) {
    int at = PackedTriangle.start(i) + j;
    for (int r = 0; r < TILE_ROWS; r++) {
      for (int c = 0; c < TILE_COLUMNS; c += SPECIES.length()) {
        DoubleVector.fromArray(SPECIES, triangle, at + c)
            .add(DoubleVector.fromArray(SPECIES, tile, r * TILE_COLUMNS + c))
            .intoArray(triangle, at + c);
      }
      at += i + r + 1;
    }
  }

  /** Adds what lies in the triangle of a tile that the diagonal or the last row cuts. */
  private static void addEdge(double[] tile, int i, int j, int rows, double[] triangle) {
    for (int r = 0; r < TILE_ROWS && i + r < rows; r++) {
      int start = PackedTriangle.start(i + r);
      int inside = Math.min(TILE_COLUMNS, i + r + 1 - j);
      for (int c = 0; c < inside; c++) {
        triangle[start + j + c] += tile[r * TILE_COLUMNS + c];
      }
    }
  }
}
