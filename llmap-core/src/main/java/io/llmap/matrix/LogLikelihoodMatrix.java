package io.llmap.matrix;

import io.llmap.internal.Parallel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Log-likelihoods L[i,n] of K models on N texts: natural logarithm, summed over the tokens of a
 * text (2502.16173, section 3).
 *
 * <p>A cell may be missing, where a model has no score for a text: only {@link #ofPartial} makes
 * such cells, and they are NaN wherever numbers come out. Every other cell is finite and, but for
 * rounding, not above 0. Every model has a text and every text a model.
 *
 * <p>Immutable and safe for use by many threads. K × N doubles; matrices made from one another
 * share rows.
 */
public final class LogLikelihoodMatrix {
  /**
   * How far above 0 rounding may put a log-likelihood, for each byte of the text: a text has about
   * as many tokens as bytes at most, and single precision moves a token by no more.
   */
  private static final double ROUNDING_PER_BYTE = 1e-4;

  private final List<String> names;
  private final List<String> textIds;
  private final int[] textBytes;
  private final double[][] rows;
  private final int[] missing;
  private final Optional<MatrixProvenance> provenance;

  private LogLikelihoodMatrix(
      List<String> names,
      List<String> textIds,
      int[] textBytes,
      double[][] rows,
      int[] missing,
      Optional<MatrixProvenance> provenance) {
    this.names = names;
    this.textIds = textIds;
    this.textBytes = textBytes;
    this.rows = rows;
    this.missing = missing;
    this.provenance = provenance;
  }

  /**
   * Copies the values of a matrix that has them all.
   *
   * @param names K different model names
   * @param textIds N different text ids
   * @param textBytes N UTF-8 lengths, each at least 1
   * @param values K × N, nats per text
   * @return the matrix, without provenance
   * @throws IllegalArgumentException if K or N is 0, a shape differs, a name or id is repeated, or
   *     a value is NaN, infinite or above 0 by more than rounding, 10⁻⁴ nats for each byte; the
   *     message names the model and the text
   */
  public static LogLikelihoodMatrix of(
      List<String> names, List<String> textIds, int[] textBytes, double[][] values) {
    return wrap(names, textIds, textBytes, copy(values), null);
  }

  /**
   * Copies the values of a matrix in which models lack texts. The mask says which, and the values
   * must agree with it: NaN without a mark is an error of the scorer, and a number under a mark one
   * of the mask.
   *
   * @param names K different model names
   * @param textIds N different text ids
   * @param textBytes N UTF-8 lengths, each at least 1
   * @param values K × N, nats per text, NaN where there is no score
   * @param missing K × N, true where there is no score
   * @return the matrix, without provenance
   * @throws IllegalArgumentException as {@link #of} does, or if the mask and the values disagree, a
   *     model lacks every text, or no model has a text
   */
  public static LogLikelihoodMatrix ofPartial(
      List<String> names,
      List<String> textIds,
      int[] textBytes,
      double[][] values,
      boolean[][] missing) {
    return wrap(names, textIds, textBytes, copy(values), missing);
  }

  private static double[][] copy(double[][] values) {
    double[][] rows = new double[values.length][];
    Parallel.forEach(rows.length, i -> rows[i] = values[i].clone());
    return rows;
  }

  /** Takes rows without copying them; without a mask nothing is missing. */
  static LogLikelihoodMatrix wrap(
      List<String> names,
      List<String> textIds,
      int[] textBytes,
      double[][] rows,
      boolean @Nullable [][] mask) {
    LogLikelihoodMatrix matrix = unchecked(names, textIds, textBytes, rows, Optional.empty());
    matrix.requireValues(mask);
    if (mask != null) {
      matrix.countMissing();
    }
    return matrix;
  }

  /** Takes rows whose values were checked before, in which NaN is a missing cell. */
  static LogLikelihoodMatrix derive(
      List<String> names,
      List<String> textIds,
      int[] textBytes,
      double[][] rows,
      Optional<MatrixProvenance> provenance) {
    LogLikelihoodMatrix matrix = unchecked(names, textIds, textBytes, rows, provenance);
    matrix.countMissing();
    return matrix;
  }

  private static LogLikelihoodMatrix unchecked(
      List<String> names,
      List<String> textIds,
      int[] textBytes,
      double[][] rows,
      Optional<MatrixProvenance> provenance) {
    int k = names.size();
    int n = textIds.size();
    if (k == 0 || n == 0) {
      throw new IllegalArgumentException(
          "a matrix needs at least one model and one text, got " + k + " and " + n);
    }
    requireDifferent(names, "models are named");
    requireDifferent(textIds, "texts have the id");
    if (rows.length != k || textBytes.length != n) {
      throw new IllegalArgumentException(
          "%d names but %d rows; %d text ids but %d byte counts"
              .formatted(k, rows.length, n, textBytes.length));
    }
    for (int s = 0; s < n; s++) {
      if (textBytes[s] < 1) {
        throw new IllegalArgumentException(
            "text \"" + textIds.get(s) + "\" has " + textBytes[s] + " bytes");
      }
    }
    for (int i = 0; i < k; i++) {
      requireLength(names.get(i), "values", rows[i].length, n);
    }
    return new LogLikelihoodMatrix(
        List.copyOf(names), List.copyOf(textIds), textBytes.clone(), rows, new int[k], provenance);
  }

  private static void requireDifferent(List<String> labels, String what) {
    Set<String> seen = new HashSet<>();
    for (String label : labels) {
      if (!seen.add(label)) {
        throw new IllegalArgumentException("two " + what + " \"" + label + "\"");
      }
    }
  }

  private static void requireLength(String model, String what, int actual, int expected) {
    if (actual != expected) {
      throw new IllegalArgumentException(
          "model \"%s\" has %d %s, expected %d".formatted(model, actual, what, expected));
    }
  }

  private void requireValues(boolean @Nullable [][] mask) {
    int k = models();
    if (mask != null && mask.length != k) {
      throw new IllegalArgumentException(k + " names but " + mask.length + " rows of the mask");
    }
    for (int i = 0; mask != null && i < k; i++) {
      requireLength(names.get(i), "marks", mask[i].length, texts());
    }
    int[] bad = new int[k];
    Parallel.forEach(k, i -> bad[i] = firstBad(rows[i], mask == null ? null : mask[i]));
    for (int i = 0; i < k; i++) {
      int s = bad[i];
      if (s < texts()) {
        throw new IllegalArgumentException(
            "the log-likelihood of text \"%s\" under model \"%s\" is %s%s"
                .formatted(
                    textIds.get(s),
                    names.get(i),
                    rows[i][s],
                    problem(rows[i][s], mask != null && mask[i][s])));
      }
    }
  }

  private int firstBad(double[] row, boolean @Nullable [] mask) {
    int s = 0;
    while (s < row.length
        && ((mask != null && mask[s]) ? Double.isNaN(row[s]) : isPossible(row[s], textBytes[s]))) {
      s++;
    }
    return s;
  }

  private static boolean isPossible(double value, int bytes) {
    return value > Double.NEGATIVE_INFINITY && value <= ROUNDING_PER_BYTE * bytes;
  }

  private static String problem(double value, boolean marked) {
    if (marked) {
      return ", but it is marked as missing";
    }
    return Double.isFinite(value) ? ", the logarithm of a probability above 1; is it a loss?" : "";
  }

  /** Rows are checked one by one before this, so that NaN means missing. */
  private void countMissing() {
    Parallel.forEach(rows.length, i -> missing[i] = countMissing(rows[i]));
    if (missingCells() == 0) {
      return;
    }
    boolean[] present = new boolean[texts()];
    for (int i = 0; i < rows.length; i++) {
      if (missing[i] == texts()) {
        throw new IllegalArgumentException(
            "model \"" + names.get(i) + "\" lacks all " + texts() + " texts");
      }
      for (int s = 0; s < present.length; s++) {
        present[s] |= !Double.isNaN(rows[i][s]);
      }
    }
    for (int s = 0; s < present.length; s++) {
      if (!present[s]) {
        throw new IllegalArgumentException(
            "none of " + models() + " models has the text \"" + textIds.get(s) + "\"");
      }
    }
  }

  private static int countMissing(double[] row) {
    int count = 0;
    for (double value : row) {
      count += Double.isNaN(value) ? 1 : 0;
    }
    return count;
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
   * @return nats; NaN where it is missing, which no arithmetic turns into a number
   */
  public double get(int i, int n) {
    return rows[i][n];
  }

  /**
   * Says whether a model has no score for a text.
   *
   * @param i 0 to K − 1
   * @param n 0 to N − 1
   * @return true if the cell is missing
   */
  public boolean isMissing(int i, int n) {
    return Double.isNaN(rows[i][n]);
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
   * One model's log-likelihoods.
   *
   * @param i 0 to K − 1
   * @return N values in nats, NaN where missing; a new array
   */
  public double[] row(int i) {
    return rows[i].clone();
  }

  /**
   * Copies a piece of a model's log-likelihoods.
   *
   * @param i 0 to K − 1
   * @param from the first text
   * @param to the text after the last, at most N
   * @param target receives to − from values in nats, NaN where missing
   * @param offset where in the target they start
   * @throws IndexOutOfBoundsException if a text or a place in the target is out of range
   */
  public void copyRow(int i, int from, int to, double[] target, int offset) {
    Objects.checkFromToIndex(from, to, texts());
    System.arraycopy(rows[i], from, target, offset, to - from);
  }

  /**
   * All values by rows.
   *
   * @return K·N values in nats, NaN where missing; a new array
   */
  public double[] toFlatArray() {
    return flatten(rows);
  }

  static double[] flatten(double[][] rows) {
    int n = rows[0].length;
    double[] flat = new double[Math.multiplyExact(rows.length, n)];
    Parallel.forEach(rows.length, i -> System.arraycopy(rows[i], 0, flat, i * n, n));
    return flat;
  }

  /** All values, NaN where missing; shared and not to be changed. */
  double[][] sharedRows() {
    return rows;
  }

  /** The values of a model, shared and not to be changed. */
  double[] sharedRow(int i) {
    return rows[i];
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
   * How well a model predicts the texts that it has: the mean over them of −L[i,n] / (bytes of text
   * n · ln 2).
   *
   * @param i 0 to K − 1
   * @return bits per byte
   */
  public double bitsPerByte(int i) {
    double sum = 0;
    for (int s = 0; s < texts(); s++) {
      if (!isMissing(i, s)) {
        sum -= rows[i][s] / (textBytes[s] * Math.log(2));
      }
    }
    return sum / (texts() - missing[i]);
  }

  /**
   * Where the numbers come from, if it is known.
   *
   * @return the provenance
   */
  public Optional<MatrixProvenance> provenance() {
    return provenance;
  }

  /**
   * The same numbers with a statement where they come from.
   *
   * @param value names exactly the models of this matrix
   * @return a matrix that shares its rows with this one
   * @throws IllegalArgumentException if it names other models
   */
  public LogLikelihoodMatrix withProvenance(MatrixProvenance value) {
    Set<String> fingerprinted = value.modelFingerprints().keySet();
    if (!fingerprinted.equals(Set.copyOf(names))) {
      throw new IllegalArgumentException(
          "the provenance is of the models %s, the matrix of %s".formatted(fingerprinted, names));
    }
    return new LogLikelihoodMatrix(names, textIds, textBytes, rows, missing, Optional.of(value));
  }

  /**
   * The same numbers without a statement where they come from, so that they can be merged with
   * numbers that have none; that they belong together is then the caller's word.
   *
   * @return a matrix that shares its rows with this one
   */
  public LogLikelihoodMatrix withoutProvenance() {
    return new LogLikelihoodMatrix(names, textIds, textBytes, rows, missing, Optional.empty());
  }

  /**
   * The same models on some of the texts, with the provenance and the missing cells.
   *
   * @param indices positions of texts, each in 0 to N − 1, without repetition
   * @return a new matrix, its texts in the order of the indices
   * @throws IllegalArgumentException if there is no index, one is repeated, or a model lacks all of
   *     the texts
   * @throws IndexOutOfBoundsException if an index is out of range
   */
  public LogLikelihoodMatrix selectTexts(int[] indices) {
    int[] bytes = new int[indices.length];
    List<String> ids = new ArrayList<>();
    for (int s = 0; s < indices.length; s++) {
      ids.add(textIds.get(indices[s]));
      bytes[s] = textBytes[indices[s]];
    }
    double[][] some = new double[models()][indices.length];
    Parallel.forEach(
        models(),
        i -> {
          for (int s = 0; s < indices.length; s++) {
            some[i][s] = rows[i][indices[s]];
          }
        });
    return derive(names, ids, bytes, some, provenance);
  }

  /**
   * Some of the models on the same texts, with their provenance and their missing cells.
   *
   * @param indices positions of models, each in 0 to K − 1, without repetition
   * @return a matrix that shares rows with this one, its models in the order of the indices
   * @throws IllegalArgumentException if there is no index, one is repeated, or none of the models
   *     has a text
   * @throws IndexOutOfBoundsException if an index is out of range
   */
  public LogLikelihoodMatrix selectModels(int[] indices) {
    List<String> some = new ArrayList<>();
    double[][] theirs = new double[indices.length][];
    for (int i = 0; i < theirs.length; i++) {
      some.add(names.get(indices[i]));
      theirs[i] = rows[indices[i]];
    }
    return derive(some, textIds, textBytes, theirs, provenance.map(p -> p.ofModels(some)));
  }

  /**
   * Puts the models of two matrices into one, such as those that two machines have scored. The
   * texts must be the same: ids, lengths and order, and the fingerprint of their set and the
   * scoring options where the matrices have {@linkplain #provenance() provenance}; either both have
   * it or neither.
   *
   * <p>A model that is in both must be the same: equal fingerprints, where they are known, and
   * equal log-likelihoods. A cell that one of the two lacks is taken from the other.
   *
   * @param other further models, or further scores of the same ones
   * @return this matrix's models and then the other's further ones; shares rows with both
   * @throws IllegalArgumentException if the matrices are of different texts or options, or differ
   *     in a model that both have; the message lists all that differs
   */
  public LogLikelihoodMatrix merge(LogLikelihoodMatrix other) {
    return new MatrixMerge(this, other).merged();
  }
}
