package io.llmap.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A table of figures in a file: {@code #} lines say what they are, then a header, then rows. */
final class Tsv {
  private final List<String> comments;
  private final List<String> columns;
  private final List<Row> rows = new ArrayList<>();

  Tsv(List<String> comments, List<String> columns) {
    this.comments = List.copyOf(comments);
    this.columns = List.copyOf(columns);
  }

  static Tsv read(Path file) {
    try {
      List<String> comments = new ArrayList<>();
      List<String> lines = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        if (line.startsWith("# ")) {
          comments.add(line.substring(2));
        } else {
          lines.add(line);
        }
      }
      Tsv table = new Tsv(comments, List.of(lines.get(0).split("\t")));
      for (String line : lines.subList(1, lines.size())) {
        table.add((Object[]) line.split("\t", -1));
      }
      return table;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Adds a row; numbers with a fraction are written with seven digits. */
  void add(Object... values) {
    if (values.length != columns.size()) {
      throw new IllegalArgumentException(values.length + " values for the columns " + columns);
    }
    Map<String, String> cells = new HashMap<>();
    for (int c = 0; c < values.length; c++) {
      Object value = values[c];
      cells.put(
          columns.get(c),
          value instanceof Double d ? String.format(Locale.ROOT, "%.7g", d) : value.toString());
    }
    rows.add(new Row(cells));
  }

  void write(Path file) {
    List<String> lines = new ArrayList<>();
    comments.forEach(comment -> lines.add("# " + comment));
    lines.add(String.join("\t", columns));
    for (Row row : rows) {
      lines.add(String.join("\t", columns.stream().map(row.cells::get).toList()));
    }
    try {
      Files.createDirectories(file.getParent());
      Files.write(file, lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a comment of the form {@code name TAB value} says. */
  String setting(String name) {
    return comments.stream()
        .filter(comment -> comment.startsWith(name + "\t"))
        .map(comment -> comment.substring(name.length() + 1))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no setting " + name));
  }

  List<Row> rows() {
    return rows;
  }

  /** One row, by column. */
  record Row(Map<String, String> cells) {
    String text(String column) {
      String cell = cells.get(column);
      if (cell == null) {
        throw new IllegalArgumentException("no column " + column + " among " + cells.keySet());
      }
      return cell;
    }

    double number(String column) {
      return Double.parseDouble(text(column));
    }
  }
}
