package io.llmap.matrix;

import io.llmap.LlmapException;
import io.llmap.internal.CsvFormat;
import io.llmap.text.TextSet;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A log-likelihood matrix as CSV, in the layout of {@link MatrixFiles}. */
final class CsvMatrix {
  private static final String BYTES = "#bytes";
  private static final String MISSING = "#missing";

  private final Path path;
  private final List<String> ids;
  private final List<String> names = new ArrayList<>();
  private final List<double[]> values = new ArrayList<>();
  private final List<boolean[]> missing = new ArrayList<>();
  // Empty without the record.
  private int[] bytes = {};
  private int[] missingCounts = {};

  private CsvMatrix(Path path, List<String> ids) {
    this.path = path;
    this.ids = ids;
  }

  static CsvMatrix read(Path path) throws IOException {
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
      CsvMatrix matrix = new CsvMatrix(path, header.subList(1, header.size()));
      for (List<String> fields = csv.next(); !fields.isEmpty(); fields = csv.next()) {
        if (fields.size() != header.size()) {
          throw csv.malformed(
              "%d fields, but the header has %d".formatted(fields.size(), header.size()));
        }
        matrix.add(csv, fields.get(0), fields.subList(1, fields.size()));
      }
      matrix.requireMissingCounts();
      return matrix;
    }
  }

  private void add(CsvFormat csv, String name, List<String> cells) {
    if (names.isEmpty() && bytes.length + missingCounts.length == 0 && name.equals(BYTES)) {
      bytes = counts(csv, "the byte count of text", cells);
    } else if (names.isEmpty() && missingCounts.length == 0 && name.equals(MISSING)) {
      missingCounts = counts(csv, "the number of models without text", cells);
    } else {
      double[] row = new double[ids.size()];
      boolean[] absent = new boolean[ids.size()];
      for (int n = 0; n < row.length; n++) {
        absent[n] = missingCounts.length > 0 && cells.get(n).isEmpty();
        row[n] = absent[n] ? Double.NaN : number(csv, name, ids.get(n), cells.get(n));
      }
      names.add(name);
      values.add(row);
      missing.add(absent);
    }
  }

  private int[] counts(CsvFormat csv, String what, List<String> cells) {
    int[] counts = new int[cells.size()];
    for (int n = 0; n < counts.length; n++) {
      try {
        counts[n] = Integer.parseInt(cells.get(n).strip());
      } catch (NumberFormatException e) {
        throw csv.malformed("%s \"%s\" is \"%s\"".formatted(what, ids.get(n), cells.get(n)));
      }
    }
    return counts;
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

  private void requireMissingCounts() {
    for (int n = 0; n < missingCounts.length; n++) {
      int text = n;
      long empty = missing.stream().filter(row -> row[text]).count();
      if (empty != missingCounts[n]) {
        throw new LlmapException(
            "%s says that %d models lack the text \"%s\", but %d cells are empty"
                .formatted(path, missingCounts[n], ids.get(n), empty));
      }
    }
  }

  LogLikelihoodMatrix toMatrix() {
    if (bytes.length == 0) {
      throw new LlmapException(
          path
              + " has no record \"#bytes\" behind the header; give the text set to read it without");
    }
    return matrix(ids, bytes, values, missing);
  }

  LogLikelihoodMatrix toMatrix(TextSet texts) {
    Map<String, Integer> columns = new HashMap<>();
    for (int c = 0; c < ids.size(); c++) {
      if (columns.put(ids.get(c), c) != null) {
        throw new LlmapException(path + ": two columns have the text id \"" + ids.get(c) + "\"");
      }
    }
    if (columns.size() != texts.size()) {
      throw new LlmapException(
          "%s has %d texts, the text set %d".formatted(path, columns.size(), texts.size()));
    }
    int n = texts.size();
    int[] order = new int[n];
    int[] lengths = new int[n];
    for (int s = 0; s < n; s++) {
      String id = texts.get(s).id();
      Integer column = columns.get(id);
      if (column == null) {
        throw new LlmapException(path + " has no column for the text \"" + id + "\"");
      }
      order[s] = column;
      lengths[s] = texts.get(s).bytes();
      if (bytes.length > 0 && bytes[column] != lengths[s]) {
        throw new LlmapException(
            "%s says that the text \"%s\" has %d bytes, but it has %d"
                .formatted(path, id, bytes[column], lengths[s]));
      }
    }
    List<double[]> rows = new ArrayList<>();
    List<boolean[]> mask = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      double[] row = new double[n];
      boolean[] absent = new boolean[n];
      for (int s = 0; s < n; s++) {
        row[s] = values.get(i)[order[s]];
        absent[s] = missing.get(i)[order[s]];
      }
      rows.add(row);
      mask.add(absent);
    }
    return matrix(texts.ids(), lengths, rows, mask);
  }

  private LogLikelihoodMatrix matrix(
      List<String> textIds, int[] lengths, List<double[]> rows, List<boolean[]> mask) {
    try {
      return LogLikelihoodMatrix.wrap(
          names, textIds, lengths, rows.toArray(new double[0][]), mask.toArray(new boolean[0][]));
    } catch (IllegalArgumentException e) {
      throw new LlmapException(path + ": " + e.getMessage(), e);
    }
  }

  static void write(Path path, LogLikelihoodMatrix matrix) {
    CsvFormat.write(
        path,
        out -> {
          writeHeader(out, matrix.textIds());
          out.append(BYTES);
          for (int n = 0; n < matrix.texts(); n++) {
            out.append(',').append(Integer.toString(matrix.textBytes(n)));
          }
          out.append('\n');
          // A first model of that name would be taken for the record.
          if (matrix.missingCells() > 0 || matrix.names().get(0).equals(MISSING)) {
            writeMissingCounts(out, matrix);
          }
          for (int i = 0; i < matrix.models(); i++) {
            writeRow(out, matrix.names().get(i), matrix.sharedRow(i), "");
          }
        });
  }

  private static void writeMissingCounts(Writer out, LogLikelihoodMatrix matrix)
      throws IOException {
    out.append(MISSING);
    for (int n = 0; n < matrix.texts(); n++) {
      int count = 0;
      for (int i = 0; i < matrix.models(); i++) {
        count += matrix.isMissing(i, n) ? 1 : 0;
      }
      out.append(',').append(Integer.toString(count));
    }
    out.append('\n');
  }

  static void writeHeader(Writer out, List<String> columns) throws IOException {
    out.append("model");
    for (String column : columns) {
      out.append(',');
      CsvFormat.append(out, column);
    }
    out.append('\n');
  }

  /** Writes a record; NaN as the given text. */
  static void writeRow(Writer out, String name, double[] row, String nan) throws IOException {
    CsvFormat.append(out, name);
    for (double value : row) {
      out.append(',').append(Double.isNaN(value) ? nan : Double.toString(value));
    }
    out.append('\n');
  }
}
