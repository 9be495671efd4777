package io.llmap.score;

import io.llmap.internal.ScoreRow;
import io.llmap.text.TextSet;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The ids and lengths that the rows of a run must agree with: known from a text set, or learnt from
 * the first rows that are seen.
 */
final class TextTable {
  private final @Nullable String[] ids;
  private final int[] bytes;

  private TextTable(int texts) {
    ids = new @Nullable String[texts];
    bytes = new int[texts];
  }

  static TextTable of(TextSet texts) {
    TextTable table = new TextTable(texts.size());
    for (int n = 0; n < texts.size(); n++) {
      table.ids[n] = texts.get(n).id();
      table.bytes[n] = texts.get(n).bytes();
    }
    return table;
  }

  static TextTable toLearn(int texts) {
    return new TextTable(texts);
  }

  /**
   * Compares, and learns what is not known yet. A row without an id, which llmap does not write, is
   * taken at its index.
   *
   * @throws IllegalArgumentException if the row belongs to another text
   */
  void check(ScoreRow row) {
    int n = row.index();
    String rowId = row.id();
    if (rowId != null) {
      String id = ids[n];
      if (id == null) {
        ids[n] = rowId;
      } else if (!id.equals(rowId)) {
        throw new IllegalArgumentException(
            "row %d is the text \"%s\", but text %d is \"%s\"".formatted(n, rowId, n, id));
      }
    }
    if (row.bytes() >= 0) {
      if (bytes[n] == 0) {
        bytes[n] = row.bytes();
      } else if (bytes[n] != row.bytes()) {
        throw new IllegalArgumentException(
            "row %d is of a text of %d bytes, but text %d has %d"
                .formatted(n, row.bytes(), n, bytes[n]));
      }
    }
  }

  int size() {
    return ids.length;
  }

  /** All ids; a text whose id no row gave is named by its position, as the paper's files do. */
  List<String> ids() {
    List<String> all = new ArrayList<>(ids.length);
    for (int n = 0; n < ids.length; n++) {
      String id = ids[n];
      all.add(id == null ? Integer.toString(n) : id);
    }
    return all;
  }

  int[] bytes() {
    return bytes.clone();
  }
}
