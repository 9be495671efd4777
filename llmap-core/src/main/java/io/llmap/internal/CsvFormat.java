package io.llmap.internal;

import io.llmap.LlmapException;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Comma-separated values, RFC 4180: fields with a comma, a quote or a line break are quoted, quotes
 * are doubled. Lines end with LF when written, LF or CRLF when read.
 */
public final class CsvFormat implements Closeable {
  private final Reader reader;
  private final String where;
  private long line = 1;
  private long recordLine;
  private int character;

  /**
   * Reads records.
   *
   * @param reader buffered; closed with this
   * @param where names the file in errors
   * @throws IOException if the reader does
   */
  public CsvFormat(Reader reader, String where) throws IOException {
    this.reader = reader;
    this.where = where;
    advance();
    if (character == '\uFEFF') {
      advance();
    }
  }

  private void advance() throws IOException {
    character = reader.read();
  }

  /**
   * Reads the next record; blank lines are skipped.
   *
   * @return its fields; empty at the end of the file
   * @throws IOException if the reader does
   */
  public List<String> next() throws IOException {
    while (character == '\n' || character == '\r') {
      endLine();
    }
    List<String> fields = new ArrayList<>();
    recordLine = line;
    if (character < 0) {
      return fields;
    }
    fields.add(field());
    while (character == ',') {
      advance();
      fields.add(field());
    }
    endLine();
    return fields;
  }

  private void endLine() throws IOException {
    if (character == '\r') {
      advance();
    }
    if (character == '\n') {
      line++;
      advance();
    }
  }

  private String field() throws IOException {
    StringBuilder field = new StringBuilder();
    if (character == '"') {
      advance();
      while (character != '"' || followedByQuote()) {
        if (character < 0) {
          throw malformed("a quoted field is not closed before the end of the file");
        }
        if (character == '\n') {
          line++;
        }
        field.append((char) character);
        advance();
      }
      if (character >= 0 && character != ',' && character != '\n' && character != '\r') {
        throw malformed("there is text behind the quoted field \"" + field + "\"");
      }
    } else {
      while (character >= 0 && character != ',' && character != '\n' && character != '\r') {
        field.append((char) character);
        advance();
      }
    }
    return field.toString();
  }

  /** Stands at a quote: goes behind it, and says whether another one makes them a character. */
  private boolean followedByQuote() throws IOException {
    advance();
    return character == '"';
  }

  /**
   * An exception for the record that was read last.
   *
   * @param problem what is wrong with it
   * @return "FILE, line N: PROBLEM"
   */
  public LlmapException malformed(String problem) {
    return new LlmapException(where + ", line " + recordLine + ": " + problem);
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }

  /** Writes the records of a file. */
  @FunctionalInterface
  public interface Records {
    /**
     * Writes everything.
     *
     * @param out buffered
     * @throws IOException if the writer does
     */
    void writeTo(Writer out) throws IOException;
  }

  /**
   * Creates or replaces a file, as {@link AtomicFile} does, in UTF-8.
   *
   * @param path the file
   * @param records what to write
   * @throws LlmapException if it cannot be written, or a field holds a lone surrogate
   */
  public static void write(Path path, Records records) {
    AtomicFile.write(
        path,
        out -> {
          // The encoder, unlike the charset, refuses a lone surrogate instead of writing '?'.
          Writer writer =
              new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8.newEncoder()));
          records.writeTo(writer);
          writer.flush();
        });
  }

  /**
   * Writes a field, quoted where it has to be.
   *
   * @param out receives it
   * @param field any text
   * @throws IOException if the receiver does
   */
  public static void append(Appendable out, String field) throws IOException {
    if (field.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')
        || field.startsWith("\uFEFF")) {
      out.append('"').append(field.replace("\"", "\"\"")).append('"');
    } else {
      out.append(field);
    }
  }
}
