package io.llmap.matrix;

import io.llmap.internal.Parallel;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The model coordinates Q: log-likelihoods clipped, then centred by rows and by columns
 * (2502.16173, section 3; method section 1).
 *
 * <pre>q[i,n] = L[i,n] − mean_n L[i,·] − mean_k (L[k,n] − mean L[k,·])</pre>
 *
 * <p>Every row and every column sums to zero. Where cells are missing, every mean is one over the
 * cells that are there, and a missing cell is missing in Q too, NaN wherever numbers come out; then
 * columns still sum to zero, but rows do not. What needs all cells calls {@link #requireComplete}.
 *
 * <p>Immutable and safe for use by many threads; K × N doubles.
 */
public final class CenteredMatrix {
  /** Column sums are added up piece by piece: so many at most, whatever the number of threads. */
  private static final int PIECES = 64;

  private final List<String> names;
  private final double[][] rows;
  private final int[] missing;
  private final double[] means;
  private final double[] columnMeans;
  private final Clipping clipping;
  private final double meanBytes;

  private CenteredMatrix(
      List<String> names,
      double[][] rows,
      int[] missing,
      double[] means,
      double[] columnMeans,
      Clipping clipping,
      double meanBytes) {
    this.names = names;
    this.rows = rows;
    this.missing = missing;
    this.means = means;
    this.columnMeans = columnMeans;
    this.clipping = clipping;
    this.meanBytes = meanBytes;
  }

  /**
   * Clips and centres a matrix.
   *
   * @param matrix raw log-likelihoods, K × N
   * @param clipping the threshold below which values are raised to it
   * @return the coordinates; O(K·N) time, and no memory beside them that grows with K; the same
   *     bits on any number of threads
   */
  public static CenteredMatrix of(LogLikelihoodMatrix matrix, Clipping clipping) {
    int k = matrix.models();
    int n = matrix.texts();
    double threshold = clipping.threshold();
    int[] missing = new int[k];
    Arrays.setAll(missing, matrix::missingTexts);
    double[] means = new double[k];
    int rowsPerPiece = (k + PIECES - 1) / PIECES;
    double[][] sums = new double[(k + rowsPerPiece - 1) / rowsPerPiece][n];
    Parallel.forEach(
        sums.length,
        piece -> {
          double[] clipped = new double[n];
          int end = Math.min(k, (piece + 1) * rowsPerPiece);
          for (int i = piece * rowsPerPiece; i < end; i++) {
            clip(matrix.sharedRow(i), threshold, clipped);
            means[i] = mean(clipped, missing[i]);
            if (missing[i] == 0) {
              addDifference(clipped, means[i], sums[piece]);
            } else {
              addPresentDifference(clipped, means[i], sums[piece]);
            }
          }
        });
    double[] columnMeans = columnMeans(sums, columnCounts(matrix, missing));
    double[][] rows = new double[k][];
    Parallel.forEach(
        k,
        i -> {
          double[] row = new double[n];
          centre(matrix.sharedRow(i), threshold, means[i], columnMeans, row);
          rows[i] = row;
        });
    return new CenteredMatrix(
        matrix.names(), rows, missing, means, columnMeans, clipping, matrix.meanBytes());
  }

  private static int[] columnCounts(LogLikelihoodMatrix matrix, int[] missing) {
    int[] counts = new int[matrix.texts()];
    Arrays.fill(counts, matrix.models());
    for (int i = 0; i < missing.length; i++) {
      if (missing[i] > 0) {
        for (int s = 0; s < counts.length; s++) {
          counts[s] -= matrix.isMissing(i, s) ? 1 : 0;
        }
      }
    }
    return counts;
  }

  private static double[] columnMeans(double[][] sums, int[] counts) {
    double[] total = sums[0];
    for (int piece = 1; piece < sums.length; piece++) {
      addDifference(sums[piece], 0, total);
    }
    for (int s = 0; s < total.length; s++) {
      total[s] /= counts[s];
    }
    return total;
  }

  /** Math.max lets NaN through, and is vectorised by the compiler. */
  private static void clip(double[] row, double threshold, double[] clipped) {
    for (int s = 0; s < clipped.length; s++) {
      clipped[s] = Math.max(row[s], threshold);
    }
  }

  private static double mean(double[] row, int missing) {
    return missing == 0 ? sum(row) / row.length : presentSum(row) / (row.length - missing);
  }

  /** Four sums, because each addition waits for the one before it. */
  private static double sum(double[] row) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int s = 0;
    for (; s + 3 < row.length; s += 4) {
      a += row[s];
      b += row[s + 1];
      c += row[s + 2];
      d += row[s + 3];
    }
    for (; s < row.length; s++) {
      a += row[s];
    }
    return (a + b) + (c + d);
  }

  private static double presentSum(double[] row) {
    double sum = 0;
    for (double value : row) {
      sum += Double.isNaN(value) ? 0 : value;
    }
    return sum;
  }

  private static void addDifference(double[] row, double mean, double[] sums) {
    for (int s = 0; s < sums.length; s++) {
      sums[s] += row[s] - mean;
    }
  }

  private static void addPresentDifference(double[] row, double mean, double[] sums) {
    for (int s = 0; s < sums.length; s++) {
      sums[s] += Double.isNaN(row[s]) ? 0 : row[s] - mean;
    }
  }

  private static void centre(
      double[] row, double threshold, double mean, double[] columnMeans, double[] target) {
    for (int s = 0; s < target.length; s++) {
      target[s] = Math.max(row[s], threshold) - mean - columnMeans[s];
    }
  }

  /**
   * Places a model that was not in the matrix: clipped at the kept threshold, its own mean removed,
   * the kept column means removed. Distances to the rows of this matrix equal those of a refit
   * (method 8.10).
   *
   * @param logLikelihoods raw log-likelihoods of the same N texts, finite
   * @return N coordinates, a new array
   * @throws IllegalArgumentException if the length differs or a value is not finite
   */
  public double[] project(double[] logLikelihoods) {
    return project(logLikelihoods, new boolean[texts()]);
  }

  /**
   * Places a model that was not in the matrix and lacks some of the texts; its mean is that over
   * the texts it has.
   *
   * @param logLikelihoods raw log-likelihoods of the same N texts, NaN where there is no score
   * @param absent N marks, true where there is no score
   * @return N coordinates, NaN where there is no score; a new array
   * @throws IllegalArgumentException if a length differs, a value is infinite, the marks and the
   *     values disagree, or every text is missing
   */
  public double[] project(double[] logLikelihoods, boolean[] absent) {
    if (logLikelihoods.length != texts() || absent.length != texts()) {
      throw new IllegalArgumentException(
          "the new row has %d texts and %d marks, the matrix %d texts"
              .formatted(logLikelihoods.length, absent.length, texts()));
    }
    int count = 0;
    for (int s = 0; s < texts(); s++) {
      double value = logLikelihoods[s];
      if (absent[s] ? !Double.isNaN(value) : !Double.isFinite(value)) {
        throw new IllegalArgumentException(
            "the new row's log-likelihood of text %d is %s%s"
                .formatted(s, value, absent[s] ? ", but it is marked as missing" : ""));
      }
      count += absent[s] ? 1 : 0;
    }
    if (count == texts()) {
      throw new IllegalArgumentException("the new row lacks all " + count + " texts");
    }
    double[] clipped = clipping.apply(logLikelihoods);
    double[] row = new double[texts()];
    centre(clipped, clipping.threshold(), mean(clipped, count), columnMeans, row);
    return row;
  }

  /**
   * Some of the models at the coordinates that they have here. Distances are those of this matrix;
   * the columns keep the means of all its models, so they need not sum to zero.
   *
   * @param indices positions of models, each in 0 to K − 1, without repetition
   * @return a matrix that shares rows with this one, its models in the order of the indices
   * @throws IllegalArgumentException if there is no index, or one is repeated
   * @throws IndexOutOfBoundsException if an index is out of range
   */
  public CenteredMatrix selectModels(int[] indices) {
    if (indices.length == 0 || Arrays.stream(indices).distinct().count() < indices.length) {
      throw new IllegalArgumentException(
          "a selection needs at least one model, each once, got " + Arrays.toString(indices));
    }
    return new CenteredMatrix(
        Arrays.stream(indices).mapToObj(names::get).toList(),
        Arrays.stream(indices).mapToObj(i -> rows[i]).toArray(double[][]::new),
        Arrays.stream(indices).map(i -> missing[i]).toArray(),
        Arrays.stream(indices).mapToDouble(i -> means[i]).toArray(),
        columnMeans,
        clipping,
        meanBytes);
  }

  /**
   * Refuses missing cells on behalf of a method that needs every cell.
   *
   * @param method what needs them, as it begins the message
   * @throws IllegalArgumentException if a cell is missing; the message names a model that lacks one
   */
  public void requireComplete(String method) {
    for (int i = 0; i < missing.length; i++) {
      if (missing[i] > 0) {
        throw new IllegalArgumentException(
            "%s needs every cell, but model \"%s\" lacks %d of %d texts; select texts or models"
                .formatted(method, names.get(i), missing[i], texts()));
      }
    }
  }

  /**
   * The number of missing cells.
   *
   * @return 0 for a complete matrix
   */
  public long missingCells() {
    return Arrays.stream(missing).asLongStream().sum();
  }

  /**
   * The number of texts that a model lacks.
   *
   * @param i 0 to K − 1
   * @return 0 to N − 1
   */
  public int missingTexts(int i) {
    return missing[i];
  }

  /**
   * Says whether a model has no coordinate for a text.
   *
   * @param i 0 to K − 1
   * @param n 0 to N − 1
   * @return true if the cell is missing
   */
  public boolean isMissing(int i, int n) {
    return Double.isNaN(rows[i][n]);
  }

  /**
   * The models' names.
   *
   * @return K names
   */
  public List<String> names() {
    return names;
  }

  /**
   * The number of models, K.
   *
   * @return at least 1
   */
  public int models() {
    return names.size();
  }

  /**
   * The number of texts, N.
   *
   * @return at least 1
   */
  public int texts() {
    return columnMeans.length;
  }

  /**
   * One coordinate.
   *
   * @param i 0 to K − 1
   * @param n 0 to N − 1
   * @return q[i,n], in nats; NaN where it is missing
   */
  public double get(int i, int n) {
    return rows[i][n];
  }

  /**
   * One model's coordinates.
   *
   * @param i 0 to K − 1
   * @return N numbers in nats, NaN where missing; a new array
   */
  public double[] row(int i) {
    return rows[i].clone();
  }

  /**
   * Copies a piece of a model's coordinates.
   *
   * @param i 0 to K − 1
   * @param from the first text
   * @param to the text after the last, at most N
   * @param target receives to − from numbers in nats, NaN where missing
   * @param offset where in the target they start
   * @throws IndexOutOfBoundsException if a text or a place in the target is out of range
   */
  public void copyRow(int i, int from, int to, double[] target, int offset) {
    Objects.checkFromToIndex(from, to, texts());
    System.arraycopy(rows[i], from, target, offset, to - from);
  }

  /**
   * All coordinates by rows.
   *
   * @return K·N numbers in nats, NaN where missing; a new array
   */
  public double[] toFlatArray() {
    return LogLikelihoodMatrix.flatten(rows);
  }

  /**
   * The mean log-likelihood of a model after clipping, over the texts that it has: how far it is
   * from the data, where q says in which direction.
   *
   * @param i 0 to K − 1
   * @return nats per text
   */
  public double meanLogLikelihood(int i) {
    return means[i];
  }

  /**
   * The clipping that was applied.
   *
   * @return the kept threshold
   */
  public Clipping clipping() {
    return clipping;
  }

  /**
   * The mean length of the texts.
   *
   * @return UTF-8 bytes per text
   */
  public double meanBytes() {
    return meanBytes;
  }
}
