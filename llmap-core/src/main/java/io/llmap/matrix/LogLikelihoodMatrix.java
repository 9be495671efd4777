package io.llmap.matrix;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Log-likelihoods L[i,n] of K models on N texts: natural logarithm, summed over the tokens of a
 * text (2502.16173, section 3).
 *
 * <p>Immutable; complete and finite by construction. K × N doubles.
 */
public final class LogLikelihoodMatrix {
  private final List<String> names;
  private final List<String> textIds;
  private final int[] textBytes;
  private final double[] values;

  private LogLikelihoodMatrix(
      List<String> names, List<String> textIds, int[] textBytes, double[] values) {
    this.names = names;
    this.textIds = textIds;
    this.textBytes = textBytes;
    this.values = values;
  }

  /**
   * Copies values.
   *
   * @param names K different model names
   * @param textIds N different text ids
   * @param textBytes N UTF-8 lengths, each at least 1
   * @param values K × N, nats per text
   * @return the matrix
   * @throws IllegalArgumentException if K or N is 0, a shape differs, a name or id is repeated, or
   *     a value is NaN or infinite; the message names the model and the text
   */
  public static LogLikelihoodMatrix of(
      List<String> names, List<String> textIds, int[] textBytes, double[][] values) {
    int k = names.size();
    int n = textIds.size();
    if (k == 0 || n == 0) {
      throw new IllegalArgumentException(
          "a matrix needs at least one model and one text, got " + k + " and " + n);
    }
    requireDifferent(names, "models are named");
    requireDifferent(textIds, "texts have the id");
    if (values.length != k || textBytes.length != n) {
      throw new IllegalArgumentException(
          "%d names but %d rows; %d text ids but %d byte counts"
              .formatted(k, values.length, n, textBytes.length));
    }
    for (int s = 0; s < n; s++) {
      if (textBytes[s] < 1) {
        throw new IllegalArgumentException(
            "text \"" + textIds.get(s) + "\" has " + textBytes[s] + " bytes");
      }
    }
    double[] flat = new double[Math.multiplyExact(k, n)];
    for (int i = 0; i < k; i++) {
      if (values[i].length != n) {
        throw new IllegalArgumentException(
            "model \"" + names.get(i) + "\" has " + values[i].length + " values, expected " + n);
      }
      for (int s = 0; s < n; s++) {
        if (!Double.isFinite(values[i][s])) {
          throw new IllegalArgumentException(
              "the log-likelihood of text \"%s\" under model \"%s\" is %s"
                  .formatted(textIds.get(s), names.get(i), values[i][s]));
        }
      }
      System.arraycopy(values[i], 0, flat, i * n, n);
    }
    return new LogLikelihoodMatrix(
        List.copyOf(names), List.copyOf(textIds), textBytes.clone(), flat);
  }

  private static void requireDifferent(List<String> labels, String what) {
    Set<String> seen = new HashSet<>();
    for (String label : labels) {
      if (!seen.add(label)) {
        throw new IllegalArgumentException("two " + what + " \"" + label + "\"");
      }
    }
  }

  /**
   * The models' names.
   *
   * @return K different names
   */
  public List<String> names() {
    return names;
  }

  /**
   * The texts' ids.
   *
   * @return N different ids
   */
  public List<String> textIds() {
    return textIds;
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
    return textIds.size();
  }

  /**
   * One log-likelihood.
   *
   * @param i 0 to K − 1
   * @param n 0 to N − 1
   * @return nats
   */
  public double get(int i, int n) {
    // Without the check a column too far would be read from the next model.
    return values[i * texts() + Objects.checkIndex(n, texts())];
  }

  /**
   * One model's log-likelihoods.
   *
   * @param i 0 to K − 1
   * @return N values in nats, a new array
   */
  public double[] row(int i) {
    double[] row = new double[texts()];
    System.arraycopy(values, i * texts(), row, 0, row.length);
    return row;
  }

  /**
   * All values by rows.
   *
   * @return K·N values in nats, a new array
   */
  public double[] toFlatArray() {
    return values.clone();
  }

  /**
   * The length of a text.
   *
   * @param n 0 to N − 1
   * @return UTF-8 bytes, at least 1
   */
  public int textBytes(int n) {
    return textBytes[n];
  }

  /**
   * The mean length of the texts, B̄ in the unit bits per byte.
   *
   * @return UTF-8 bytes per text
   */
  public double meanBytes() {
    long sum = 0;
    for (int b : textBytes) {
      sum += b;
    }
    return (double) sum / textBytes.length;
  }

  /**
   * How well a model predicts the texts: the mean over texts of −L[i,n] / (bytes of text n · ln 2).
   *
   * @param i 0 to K − 1
   * @return bits per byte
   */
  public double bitsPerByte(int i) {
    double sum = 0;
    for (int s = 0; s < texts(); s++) {
      sum -= get(i, s) / (textBytes[s] * Math.log(2));
    }
    return sum / texts();
  }

  /**
   * The same models on some of the texts.
   *
   * @param indices positions of texts, each in 0 to N − 1, without repetition
   * @return a new matrix, its texts in the order of the indices
   * @throws IllegalArgumentException if there is no index, or one is repeated
   * @throws IndexOutOfBoundsException if an index is out of range
   */
  public LogLikelihoodMatrix selectTexts(int[] indices) {
    double[][] rows = new double[models()][indices.length];
    int[] bytes = new int[indices.length];
    String[] ids = new String[indices.length];
    for (int s = 0; s < indices.length; s++) {
      ids[s] = textIds.get(indices[s]);
      bytes[s] = textBytes[indices[s]];
      for (int i = 0; i < rows.length; i++) {
        rows[i][s] = get(i, indices[s]);
      }
    }
    return of(names, List.of(ids), bytes, rows);
  }
}
