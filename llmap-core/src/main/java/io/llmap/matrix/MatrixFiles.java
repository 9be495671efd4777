package io.llmap.matrix;

import io.llmap.LlmapException;
import io.llmap.internal.AtomicFile;
import io.llmap.internal.CsvFormat;
import io.llmap.internal.FileErrors;
import io.llmap.internal.LineReader;
import io.llmap.internal.ScoreRow;
import io.llmap.internal.ScoreRow.MalformedException;
import io.llmap.text.TextSet;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

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
 * {@code names} (K strings), {@code text_ids} (N strings), {@code text_bytes} (N, int64).
 *
 * <p><b>CSV.</b> UTF-8, RFC 4180 quoting. The first record is the header: {@code model} and then
 * the text ids. The second record is {@code #bytes} and then the UTF-8 lengths of the texts. Every
 * other record is a model's name and its log-likelihoods.
 */
public final class MatrixFiles {
  private static final String BYTES = "#bytes";
  private static final List<String> ARRAYS =
      List.of("log_likelihood", "names", "text_ids", "text_bytes", "provenance");
  // Zip entries carry a time; a fixed one makes equal matrices equal files.
  private static final LocalDateTime ZIP_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

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
   * @param path a {@code .npz} file with the four arrays
   * @return the matrix
   * @throws LlmapException if the file cannot be read or is damaged, an array is missing or of
   *     another type, lengths differ, a name is repeated, or a value is not finite, which names its
   *     model and text
   */
  public static LogLikelihoodMatrix readNpz(Path path) {
    try (ZipFile zip = new ZipFile(path.toFile())) {
      List<String> names = entry(path, zip, "names", NpyFormat::readStrings);
      List<String> ids = entry(path, zip, "text_ids", NpyFormat::readStrings);
      double[] bytes = entry(path, zip, "text_bytes", NpyFormat::readVector);
      double[][] values = entry(path, zip, "log_likelihood", NpyFormat::readMatrix);
      int[] counts = new int[bytes.length];
      for (int n = 0; n < counts.length; n++) {
        counts[n] = (int) bytes[n];
        if (counts[n] != bytes[n]) {
          throw new LlmapException(path + ": text " + n + " has " + bytes[n] + " bytes");
        }
      }
      return matrix(path, names, ids, counts, values);
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
  }

  private interface NpyReader<T> {
    T read(InputStream in, long bytes, String where) throws IOException;
  }

  private static <T> T entry(Path path, ZipFile zip, String name, NpyReader<T> reader)
      throws IOException {
    ZipEntry entry = zip.getEntry(name + ".npy");
    if (entry == null) {
      throw new LlmapException(
          "%s has no array \"%s\"; it has %s"
              .formatted(
                  path,
                  name,
                  zip.stream().map(ZipEntry::getName).collect(Collectors.joining(", "))));
    }
    CRC32 crc = new CRC32();
    try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), crc)) {
      T value = reader.read(in, entry.getSize(), path + ", array \"" + name + "\",");
      if (crc.getValue() != entry.getCrc()) {
        throw new LlmapException(path + " is damaged: the checksum of \"" + name + "\" differs");
      }
      return value;
    }
  }

  private static LogLikelihoodMatrix matrix(
      Path path, List<String> names, List<String> ids, int[] bytes, double[][] values) {
    try {
      return LogLikelihoodMatrix.of(names, ids, bytes, values);
    } catch (IllegalArgumentException e) {
      throw new LlmapException(path + ": " + e.getMessage(), e);
    }
  }

  /**
   * Writes a log-likelihood matrix as four arrays that {@code numpy.load} reads.
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
   * @param provenance where the numbers come from, as the only element of a string array {@code
   *     provenance}; empty for none
   * @throws IllegalArgumentException if a string ends with NUL or holds a lone surrogate, which
   *     numpy has no form for, the rows of an array differ in length, or a name is taken: by the
   *     matrix's four arrays or by {@code provenance}
   * @throws LlmapException if the file cannot be written
   */
  public static void writeNpz(
      Path path, LogLikelihoodMatrix matrix, Map<String, double[][]> more, String provenance) {
    more.forEach(
        (name, rows) -> {
          if (ARRAYS.contains(name)) {
            throw new IllegalArgumentException(
                "the array name \"" + name + "\" is taken; taken are " + ARRAYS);
          }
          requireEqualLengths("the array \"" + name + "\"", rows);
        });
    int[] bytes = textBytes(matrix);
    double[][] values = rows(matrix);
    AtomicFile.write(
        path,
        out -> {
          try (ZipOutputStream zip = new ZipOutputStream(out)) {
            writeEntry(zip, "log_likelihood", array -> NpyFormat.write(array, values));
            writeEntry(zip, "names", array -> NpyFormat.write(array, matrix.names()));
            writeEntry(zip, "text_ids", array -> NpyFormat.write(array, matrix.textIds()));
            writeEntry(zip, "text_bytes", array -> NpyFormat.write(array, bytes));
            for (Map.Entry<String, double[][]> entry : more.entrySet()) {
              writeEntry(zip, entry.getKey(), array -> NpyFormat.write(array, entry.getValue()));
            }
            if (!provenance.isEmpty()) {
              writeEntry(zip, "provenance", array -> NpyFormat.write(array, List.of(provenance)));
            }
          }
        });
  }

  private static void writeEntry(ZipOutputStream zip, String name, AtomicFile.Content content)
      throws IOException {
    // Stored, as numpy does, because log-likelihoods hardly compress; that needs the sum and size
    // first.
    CRC32 crc = new CRC32();
    long[] size = new long[1];
    content.writeTo(
        new CheckedOutputStream(
            new OutputStream() {
              @Override
              public void write(int b) {
                size[0]++;
              }

              @Override
              public void write(byte[] b, int off, int len) {
                size[0] += len;
              }
            },
            crc));
    ZipEntry entry = new ZipEntry(name + ".npy");
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(size[0]);
    entry.setCrc(crc.getValue());
    entry.setTimeLocal(ZIP_TIME);
    zip.putNextEntry(entry);
    content.writeTo(zip);
    zip.closeEntry();
  }

  private static int[] textBytes(LogLikelihoodMatrix matrix) {
    int[] bytes = new int[matrix.texts()];
    Arrays.setAll(bytes, matrix::textBytes);
    return bytes;
  }

  private static double[][] rows(LogLikelihoodMatrix matrix) {
    double[][] rows = new double[matrix.models()][];
    Arrays.setAll(rows, matrix::row);
    return rows;
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
    LogLikelihoodTable table = readLogLikelihoods(path);
    if (table.bytes.length == 0) {
      throw new LlmapException(
          path
              + " has no record \"#bytes\" behind the header; give the text set to read it without");
    }
    return matrix(path, table.names, table.ids, table.bytes, table.rows());
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
    LogLikelihoodTable table = readLogLikelihoods(path);
    Map<String, Integer> columns = new HashMap<>();
    for (int c = 0; c < table.ids.size(); c++) {
      if (columns.put(table.ids.get(c), c) != null) {
        throw new LlmapException(
            path + ": two columns have the text id \"" + table.ids.get(c) + "\"");
      }
    }
    if (columns.size() != texts.size()) {
      throw new LlmapException(
          "%s has %d texts, the text set %d".formatted(path, columns.size(), texts.size()));
    }
    double[][] rows = new double[table.names.size()][texts.size()];
    int[] bytes = new int[texts.size()];
    for (int n = 0; n < bytes.length; n++) {
      String id = texts.get(n).id();
      Integer column = columns.get(id);
      if (column == null) {
        throw new LlmapException(path + " has no column for the text \"" + id + "\"");
      }
      bytes[n] = texts.get(n).bytes();
      if (table.bytes.length > 0 && table.bytes[column] != bytes[n]) {
        throw new LlmapException(
            "%s says that the text \"%s\" has %d bytes, but it has %d"
                .formatted(path, id, table.bytes[column], bytes[n]));
      }
      for (int i = 0; i < rows.length; i++) {
        rows[i][n] = table.values.get(i)[column];
      }
    }
    return matrix(path, table.names, texts.ids(), bytes, rows);
  }

  /** What stands in a CSV file; no byte counts if it has none. */
  private static final class LogLikelihoodTable {
    private final List<String> ids;
    private int[] bytes = new int[0];
    private final List<String> names = new ArrayList<>();
    private final List<double[]> values = new ArrayList<>();

    LogLikelihoodTable(List<String> ids) {
      this.ids = ids;
    }

    double[][] rows() {
      return values.toArray(new double[0][]);
    }
  }

  private static LogLikelihoodTable readLogLikelihoods(Path path) {
    try (CsvFormat csv =
        new CsvFormat(
            new BufferedReader(
                new InputStreamReader(
                    Files.newInputStream(path), StandardCharsets.UTF_8.newDecoder())),
            path.toString())) {
      List<String> header = csv.next();
      if (header.size() < 2) {
        throw new LlmapException(path + " has no header with text ids");
      }
      LogLikelihoodTable table = new LogLikelihoodTable(header.subList(1, header.size()));
      boolean second = true;
      for (List<String> fields = csv.next(); !fields.isEmpty(); fields = csv.next()) {
        if (fields.size() != header.size()) {
          throw csv.malformed(
              "%d fields, but the header has %d".formatted(fields.size(), header.size()));
        }
        if (second && fields.get(0).equals(BYTES)) {
          table.bytes = new int[table.ids.size()];
          for (int n = 0; n < table.bytes.length; n++) {
            table.bytes[n] = byteCount(csv, table.ids.get(n), fields.get(n + 1));
          }
        } else {
          double[] row = new double[table.ids.size()];
          for (int n = 0; n < row.length; n++) {
            row[n] = number(csv, fields.get(0), table.ids.get(n), fields.get(n + 1));
          }
          table.names.add(fields.get(0));
          table.values.add(row);
        }
        second = false;
      }
      return table;
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
  }

  private static int byteCount(CsvFormat csv, String id, String cell) {
    try {
      return Integer.parseInt(cell.strip());
    } catch (NumberFormatException e) {
      throw csv.malformed("the byte count of text \"" + id + "\" is \"" + cell + "\"");
    }
  }

  private static double number(CsvFormat csv, String model, String id, String cell) {
    try {
      return Double.parseDouble(cell);
    } catch (NumberFormatException e) {
      throw csv.malformed(
          "the log-likelihood of text \"%s\" under model \"%s\" is \"%s\", not a number"
              .formatted(id, model, cell));
    }
  }

  /**
   * Writes a log-likelihood matrix as CSV, in the layout of this class.
   *
   * @param path the file to create or replace
   * @param matrix the matrix
   * @throws LlmapException if the file cannot be written
   */
  public static void writeCsv(Path path, LogLikelihoodMatrix matrix) {
    CsvFormat.write(
        path,
        out -> {
          writeHeader(out, matrix.textIds());
          out.append(BYTES);
          for (int b : textBytes(matrix)) {
            out.append(',').append(Integer.toString(b));
          }
          out.append('\n');
          for (int i = 0; i < matrix.models(); i++) {
            writeRow(out, matrix.names().get(i), matrix.row(i));
          }
        });
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
          writeHeader(out, columns);
          for (int i = 0; i < values.length; i++) {
            writeRow(out, models.get(i), values[i]);
          }
        });
  }

  private static void writeHeader(Writer out, List<String> columns) throws IOException {
    out.append("model");
    for (String column : columns) {
      out.append(',');
      CsvFormat.append(out, column);
    }
    out.append('\n');
  }

  private static void writeRow(Writer out, String name, double[] row) throws IOException {
    CsvFormat.append(out, name);
    for (double value : row) {
      out.append(',').append(Double.toString(value));
    }
    out.append('\n');
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
    requireComplete(path, texts, row);
    return row;
  }

  private static void requireComplete(Path path, TextSet texts, double[] row) {
    long missing = Arrays.stream(row).filter(Double::isNaN).count();
    for (int n = 0; n < row.length; n++) {
      if (Double.isNaN(row[n])) {
        throw new LlmapException(
            "%s has no log-likelihood for %d of %d texts, the first of them \"%s\""
                .formatted(path, missing, row.length, texts.get(n).id()));
      }
    }
  }

  private static LlmapException malformed(Path path, LineReader lines, String problem) {
    return new LlmapException(path + ", line " + lines.number() + ": " + problem);
  }
}
