package io.llmap.matrix;

import java.util.List;
import java.util.Objects;

/**
 * The model coordinates Q: log-likelihoods clipped, then centred by rows and by columns
 * (2502.16173, section 3; method section 1).
 *
 * <pre>q[i,n] = L[i,n] − mean_n L[i,·] − mean_k (L[k,n] − mean L[k,·])</pre>
 *
 * <p>Every row and every column sums to zero. Immutable; K × N doubles.
 */
public final class CenteredMatrix {
  private final List<String> names;
  private final double[] values;
  private final int texts;
  private final double[] means;
  private final double[] columnMeans;
  private final Clipping clipping;
  private final double meanBytes;

  private CenteredMatrix(
      List<String> names,
      double[] values,
      int texts,
      double[] means,
      double[] columnMeans,
      Clipping clipping,
      double meanBytes) {
    this.names = names;
    this.values = values;
    this.texts = texts;
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
   * @return the coordinates; O(K·N)
   */
  public static CenteredMatrix of(LogLikelihoodMatrix matrix, Clipping clipping) {
    int k = matrix.models();
    int n = matrix.texts();
    double[] values = new double[Math.multiplyExact(k, n)];
    double[] means = new double[k];
    double[] columnMeans = new double[n];
    for (int i = 0; i < k; i++) {
      double[] row = clipping.apply(matrix.row(i));
      means[i] = removeMean(row);
      System.arraycopy(row, 0, values, i * n, n);
      for (int s = 0; s < n; s++) {
        columnMeans[s] += row[s];
      }
    }
    for (int s = 0; s < n; s++) {
      columnMeans[s] /= k;
    }
    for (int i = 0; i < k; i++) {
      for (int s = 0; s < n; s++) {
        values[i * n + s] -= columnMeans[s];
      }
    }
    return new CenteredMatrix(
        matrix.names(), values, n, means, columnMeans, clipping, matrix.meanBytes());
  }

  private static double removeMean(double[] row) {
    double sum = 0;
    for (double v : row) {
      sum += v;
    }
    double mean = sum / row.length;
    for (int s = 0; s < row.length; s++) {
      row[s] -= mean;
    }
    return mean;
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
    if (logLikelihoods.length != texts) {
      throw new IllegalArgumentException(
          "the new row has " + logLikelihoods.length + " texts, the matrix " + texts);
    }
    for (int s = 0; s < texts; s++) {
      if (!Double.isFinite(logLikelihoods[s])) {
        throw new IllegalArgumentException(
            "the new row's log-likelihood of text " + s + " is " + logLikelihoods[s]);
      }
    }
    double[] row = clipping.apply(logLikelihoods);
    removeMean(row);
    for (int s = 0; s < texts; s++) {
      row[s] -= columnMeans[s];
    }
    return row;
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
    return texts;
  }

  /**
   * One coordinate.
   *
   * @param i 0 to K − 1
   * @param n 0 to N − 1
   * @return q[i,n], in nats
   */
  public double get(int i, int n) {
    // Without the check a column too far would be read from the next model.
    return values[i * texts + Objects.checkIndex(n, texts)];
  }

  /**
   * One model's coordinates.
   *
   * @param i 0 to K − 1
   * @return N numbers in nats, a new array
   */
  public double[] row(int i) {
    double[] row = new double[texts];
    System.arraycopy(values, i * texts, row, 0, texts);
    return row;
  }

  /**
   * Copies a piece of a model's coordinates.
   *
   * @param i 0 to K − 1
   * @param from the first text
   * @param to the text after the last, at most N
   * @param target receives to − from numbers in nats
   * @param offset where in the target they start
   * @throws IndexOutOfBoundsException if a text or a place in the target is out of range
   */
  public void copyRow(int i, int from, int to, double[] target, int offset) {
    Objects.checkFromToIndex(from, to, texts);
    System.arraycopy(values, i * texts + from, target, offset, to - from);
  }

  /**
   * All coordinates by rows.
   *
   * @return K·N numbers in nats, a new array
   */
  public double[] toFlatArray() {
    return values.clone();
  }

  /**
   * The mean log-likelihood of a model after clipping: how far it is from the data, where q says in
   * which direction.
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
