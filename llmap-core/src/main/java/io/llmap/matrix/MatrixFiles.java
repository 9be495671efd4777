package io.llmap.matrix;

import io.llmap.LlmapException;
import io.llmap.internal.AtomicFile;
import io.llmap.internal.CsvFormat;
import io.llmap.internal.FileErrors;
import io.llmap.internal.LineReader;
import io.llmap.internal.ScoreRow;
import io.llmap.internal.ScoreRow.MalformedException;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Matrices in files that other tools read and write: numpy's {@code .npy} and {@code .npz}, CSV,
 * and the JSON Lines of the model-map paper's code.
 *
 * <p>Every file is written under another name, forced to the disk and moved into place, so that it
 * appears complete or not at all; the same matrix gives the same bytes. Every number is read back
 * to the same bits. A file that cannot be read or written gives an {@link LlmapException} that
 * names it.
 *
 * <p><b>npz.</b> A log-likelihood matrix is four arrays: {@code log_likelihood} (K × N, float64),
 * {@code names} (K strings), {@code text_ids} (N strings), {@code text_bytes} (N, int64). If cells
 * are missing they are NaN, and a fifth array says so: {@code missing} (K × N, bool); NaN without
 * it is refused. A matrix with {@linkplain LogLikelihoodMatrix#provenance() provenance} has three
 * more: {@code text_set_fingerprint} (1 string), {@code scoring_options} (strings {@code
 * name=value}) and {@code model_fingerprints} (K strings).
 *
 * <p><b>CSV.</b> UTF-8, RFC 4180 quoting. The first record is the header: {@code model} and then
 * the text ids. The second record is {@code #bytes} and then the UTF-8 lengths of the texts. Every
 * other record is a model's name and its log-likelihoods. If cells are missing, a record stands
 * before the models: {@code #missing} and then for each text the number of models that lack it.
 * Only with it is an empty field a missing cell, and the counts must agree, so that a damaged file
 * does not turn into one with missing cells. Provenance is not kept in CSV.
 */
public final class MatrixFiles {
  private MatrixFiles() {}

  /**
   * Reads a two-dimensional array of numbers: f4, f8, i4 or i8, any byte order, C or Fortran order.
   *
   * @param path a {@code .npy} file
   * @return its rows
   * @throws LlmapException if the file cannot be read, is truncated or longer than its header says,
   *     has another number of dimensions or type of elements, or holds pickled objects
   */
  public static double[][] readNpy(Path path) {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      return NpyFormat.readMatrix(in, Files.size(path), path.toString());
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
  }

  /**
   * Reads a one-dimensional array of numbers, such as the byte counts that belong to a matrix.
   *
   * @param path a {@code .npy} file
   * @return its values
   * @throws LlmapException as {@link #readNpy} does
   */
  public static double[] readNpyVector(Path path) {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
      return NpyFormat.readVector(in, Files.size(path), path.toString());
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
  }

  /**
   * Writes numbers as a two-dimensional float64 array, little-endian, C order.
   *
   * @param path the file to create or replace
   * @param values rows of equal length
   * @throws IllegalArgumentException if the rows differ in length
   * @throws LlmapException if the file cannot be written
   */
  public static void writeNpy(Path path, double[][] values) {
    requireEqualLengths("the array", values);
    AtomicFile.write(path, out -> NpyFormat.write(out, values));
  }

  private static void requireEqualLengths(String what, double[][] rows) {
    for (int i = 1; i < rows.length; i++) {
      if (rows[i].length != rows[0].length) {
        throw new IllegalArgumentException(
            "row %d of %s has %d columns, row 0 has %d"
                .formatted(i, what, rows[i].length, rows[0].length));
      }
    }
  }

  /**
   * Reads a log-likelihood matrix, stored or deflated.
   *
   * @param path a {@code .npz} file with the four arrays, and those of missing cells and of
   *     provenance if it has them
   * @return the matrix
   * @throws LlmapException if the file cannot be read or is damaged, an array is missing or of
   *     another type, lengths differ, a name is repeated, or a value is no log-likelihood, which
   *     names its model and text
   */
  public static LogLikelihoodMatrix readNpz(Path path) {
    return NpzFormat.read(path);
  }

  /**
   * Writes a log-likelihood matrix as arrays that {@code numpy.load} reads.
   *
   * @param path the file to create or replace
   * @param matrix the matrix
   * @throws IllegalArgumentException if a name or an id ends with NUL or holds a lone surrogate,
   *     which numpy has no form for
   * @throws LlmapException if the file cannot be written
   */
  public static void writeNpz(Path path, LogLikelihoodMatrix matrix) {
    writeNpz(path, matrix, Map.of(), "");
  }

  /**
   * Writes a log-likelihood matrix with what was computed from it, in one file. {@link #readNpz}
   * finds the matrix in it.
   *
   * @param path the file to create or replace
   * @param matrix the matrix
   * @param more further two-dimensional arrays by name, written in the map's order
   * @param provenance what a person should know of all the arrays, as the only element of a string
   *     array {@code provenance}; empty for none
   * @throws IllegalArgumentException if a string ends with NUL or holds a lone surrogate, which
   *     numpy has no form for, the rows of an array differ in length, or a name is taken: by one of
   *     the matrix's arrays or by {@code provenance}
   * @throws LlmapException if the file cannot be written
   */
  public static void writeNpz(
      Path path, LogLikelihoodMatrix matrix, Map<String, double[][]> more, String provenance) {
    more.forEach((name, rows) -> requireEqualLengths("the array \"" + name + "\"", rows));
    NpzFormat.write(path, matrix, more, provenance);
  }

  /**
   * Reads a log-likelihood matrix that {@link #writeCsv} wrote, or one of the same layout.
   *
   * @param path a CSV file whose second record is {@code #bytes} and the lengths of the texts
   * @return the matrix
   * @throws LlmapException if the file cannot be read or is not UTF-8, a record has another number
   *     of fields than the header, a cell is not a number, the lengths are missing, a name is
   *     repeated, or a value is not finite, which names its model and text
   */
  public static LogLikelihoodMatrix readCsv(Path path) {
    return readCsvTable(path).toMatrix();
  }

  private static CsvMatrix readCsvTable(Path path) {
    try {
      return CsvMatrix.read(path);
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
  }

  /**
   * Reads the log-likelihoods of known texts, such as those of another tool. The columns may stand
   * in any order; the record of byte counts may be absent, and must agree if it is there.
   *
   * @param path a CSV file whose header has the ids of exactly these texts behind its first cell
   * @param texts the texts
   * @return the matrix, its columns in the order of the texts
   * @throws LlmapException as {@link #readCsv(Path)} does, or if the ids or lengths are not those
   *     of the texts
   */
  public static LogLikelihoodMatrix readCsv(Path path, TextSet texts) {
    return readCsvTable(path).toMatrix(texts);
  }

  /**
   * Writes a log-likelihood matrix as CSV, in the layout of this class.
   *
   * @param path the file to create or replace
   * @param matrix the matrix
   * @throws LlmapException if the file cannot be written
   */
  public static void writeCsv(Path path, LogLikelihoodMatrix matrix) {
    CsvMatrix.write(path, matrix);
  }

  /**
   * Writes any numbers of models as CSV, such as distances or coordinates: a header of {@code
   * model} and the columns' names, then a record for each model.
   *
   * @param path the file to create or replace
   * @param models the models' names
   * @param columns the columns' names
   * @param values a row for each model, a value for each column
   * @throws IllegalArgumentException if the shape differs from the names
   * @throws LlmapException if the file cannot be written
   */
  public static void writeTable(
      Path path, List<String> models, List<String> columns, double[][] values) {
    if (values.length != models.size()) {
      throw new IllegalArgumentException(models.size() + " models but " + values.length + " rows");
    }
    for (int i = 0; i < values.length; i++) {
      if (values[i].length != columns.size()) {
        throw new IllegalArgumentException(
            "%d columns, but the row of model \"%s\" has %d values"
                .formatted(columns.size(), models.get(i), values[i].length));
      }
    }
    CsvFormat.write(
        path,
        out -> {
          CsvMatrix.writeHeader(out, columns);
          for (int i = 0; i < values.length; i++) {
            CsvMatrix.writeRow(out, models.get(i), values[i], "NaN");
          }
        });
  }

  /**
   * Reads a pickled dictionary from model names to one-dimensional numpy arrays, such as the
   * authors of the model-map paper publish: numpy 1 or 2, protocol 2 to 5, elements of the types
   * f2, f4, f8, i4 and i8. Needs the library {@code net.razorvine:pickle} on the class path.
   *
   * <p>Nothing in the file is run: only numpy's arrays and their types are understood, by a reader
   * of llmap's own, and a file that refers to anything else is refused. The memory it takes is
   * bounded too: a few times the size of the file, and some 100 MB for a file made to waste it.
   *
   * @param path the file
   * @param textIds N different text ids, in the order of the arrays
   * @param textBytes N UTF-8 lengths, each at least 1
   * @return the matrix, its models in the order of the file, without provenance
   * @throws LlmapException if the library is not there, the file cannot be read, is damaged or
   *     larger than 2 GiB, holds something else, or an array is not of N log-likelihoods, which
   *     names its model
   */
  public static LogLikelihoodMatrix readPickle(Path path, List<String> textIds, int[] textBytes) {
    try {
      Map<String, double[]> arrays = NumpyPickle.read(path);
      return LogLikelihoodMatrix.wrap(
          List.copyOf(arrays.keySet()),
          textIds,
          textBytes,
          arrays.values().toArray(new double[0][]),
          null);
    } catch (IllegalArgumentException e) {
      throw new LlmapException(path + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    } catch (NoClassDefFoundError e) {
      throw new LlmapException(
          "cannot read " + path + ": a pickle needs net.razorvine:pickle 1.5 on the class path", e);
    }
  }

  /**
   * Reads one model's log-likelihoods from a file of the model-map paper's code
   * (shimo-lab/modelmap, likelihood.py), or from the {@code scores.jsonl} of a score store: one
   * JSON object a line with {@code index}, {@code num-tokens} (the input's length; its first token
   * is not scored), {@code log-likelihood} and, optionally, {@code token-log-probs}, in any order
   * of lines.
   *
   * <p>O(bytes of the file); per-token values are counted but not held.
   *
   * @param path the file
   * @param texts the texts; {@code index} is a position in them, checked against {@code id} where a
   *     line has one
   * @return N log-likelihoods in nats
   * @throws LlmapException if the file cannot be read, a line is not such an object, an index is
   *     out of range or has two values, a text has none, or a value is not finite; the message
   *     names the line or the text
   */
  public static double[] readModelmapJsonl(Path path, TextSet texts) {
    double[] row = readJsonl(path, texts);
    for (int n = 0; n < row.length; n++) {
      if (Double.isNaN(row[n])) {
        throw new LlmapException(
            "%s has no log-likelihood for %d of %d texts, the first of them \"%s\""
                .formatted(
                    path,
                    Arrays.stream(row).filter(Double::isNaN).count(),
                    row.length,
                    texts.get(n).id()));
      }
    }
    return row;
  }

  /**
   * Reads a matrix from files of the model-map paper's code, one for each model, in which texts may
   * be missing: that code skips a text that fails. A file that was cut off between two lines cannot
   * be told from such a one.
   *
   * @param files by a model's name, as {@link #readModelmapJsonl} reads them
   * @param texts the texts
   * @return the models in the map's order; a text without a line is a missing cell
   * @throws LlmapException as {@link #readModelmapJsonl} does, but for texts that are missing; or
   *     if a model lacks every text, no model has a text, or there is no file
   */
  public static LogLikelihoodMatrix readPartialModelmapJsonl(
      Map<String, Path> files, TextSet texts) {
    List<double[]> rows = new ArrayList<>();
    List<boolean[]> missing = new ArrayList<>();
    for (Path file : files.values()) {
      double[] row = readJsonl(file, texts);
      boolean[] absent = new boolean[row.length];
      for (int n = 0; n < row.length; n++) {
        absent[n] = Double.isNaN(row[n]);
      }
      rows.add(row);
      missing.add(absent);
    }
    int[] bytes = texts.texts().stream().mapToInt(Text::bytes).toArray();
    try {
      return LogLikelihoodMatrix.wrap(
          List.copyOf(files.keySet()),
          texts.ids(),
          bytes,
          rows.toArray(new double[0][]),
          missing.toArray(new boolean[0][]));
    } catch (IllegalArgumentException e) {
      throw new LlmapException(files.values() + ": " + e.getMessage(), e);
    }
  }

  /** NaN for a text that has no line. */
  private static double[] readJsonl(Path path, TextSet texts) {
    double[] row = new double[texts.size()];
    Arrays.fill(row, Double.NaN);
    try (LineReader lines = new LineReader(Files.newInputStream(path))) {
      while (lines.next()) {
        ScoreRow score;
        try {
          score = ScoreRow.parse(lines.buffer(), lines.start(), lines.length(), false);
        } catch (MalformedException e) {
          throw malformed(path, lines, e.getMessage() + ": " + lines.quote());
        }
        int n = score.index();
        if (n >= row.length) {
          throw malformed(
              path, lines, "index " + n + ", but the text set has " + row.length + " texts");
        }
        if (score.id() != null && !score.id().equals(texts.get(n).id())) {
          throw malformed(
              path,
              lines,
              "index %d is the text \"%s\", but text %d of the set is \"%s\""
                  .formatted(n, score.id(), n, texts.get(n).id()));
        }
        if (!Double.isFinite(score.logLikelihood())) {
          throw malformed(
              path,
              lines,
              "the log-likelihood of text \"%s\" is %s"
                  .formatted(texts.get(n).id(), score.logLikelihood()));
        }
        if (!Double.isNaN(row[n]) && row[n] != score.logLikelihood()) {
          throw malformed(
              path,
              lines,
              "text \"%s\" has the log-likelihood %s here, but %s in an earlier line"
                  .formatted(texts.get(n).id(), score.logLikelihood(), row[n]));
        }
        row[n] = score.logLikelihood();
      }
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
    return row;
  }

  private static LlmapException malformed(Path path, LineReader lines, String problem) {
    return new LlmapException(path + ", line " + lines.number() + ": " + problem);
  }
}
