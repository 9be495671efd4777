package io.llmap.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.JsonEOFException;
import io.llmap.LlmapException;
import io.llmap.internal.AtomicFile;
import io.llmap.internal.FileErrors;
import io.llmap.internal.LineReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The N texts that every model of a map is scored on, in a fixed order.
 *
 * <p>Distances are relative to the texts (method trap 18), so a set has a {@link #fingerprint()}
 * that is stored with every score. Immutable and safe for use by many threads.
 */
public final class TextSet implements Iterable<Text> {
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          // A line is in memory before it is parsed: a limit on a text's length would protect
          // nothing.
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .build();

  private final List<Text> texts;
  private final String fingerprint;

  private TextSet(List<Text> texts) {
    this.texts = texts;
    this.fingerprint = fingerprintOf(texts);
  }

  /**
   * Copies a list of texts.
   *
   * @param texts at least one text; ids all different
   * @return the set, in the same order
   * @throws IllegalArgumentException if there is no text, or an id is repeated; the message quotes
   *     it
   */
  public static TextSet of(List<Text> texts) {
    if (texts.isEmpty()) {
      throw new IllegalArgumentException("a text set needs at least one text");
    }
    Map<String, Integer> positions = new HashMap<>();
    for (int n = 0; n < texts.size(); n++) {
      Integer earlier = positions.putIfAbsent(texts.get(n).id(), n);
      if (earlier != null) {
        throw new IllegalArgumentException(
            "texts %d and %d both have the id \"%s\"".formatted(earlier, n, texts.get(n).id()));
      }
    }
    return new TextSet(List.copyOf(texts));
  }

  private static String fingerprintOf(List<Text> texts) {
    MessageDigest sha;
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
    for (Text text : texts) {
      for (String part : List.of(text.id(), text.prompt(), text.content())) {
        byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
        sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        sha.update(bytes);
      }
    }
    return HexFormat.of().formatHex(sha.digest());
  }

  /**
   * The number of texts, N.
   *
   * @return at least 1
   */
  public int size() {
    return texts.size();
  }

  /**
   * One text.
   *
   * @param n 0 to N − 1
   * @return the text
   */
  public Text get(int n) {
    return texts.get(n);
  }

  /**
   * The texts.
   *
   * @return N texts, unmodifiable
   */
  public List<Text> texts() {
    return texts;
  }

  /**
   * The texts' ids.
   *
   * @return N different ids
   */
  public List<String> ids() {
    return texts.stream().map(Text::id).toList();
  }

  /**
   * The mean length of the contents, B̄ in the unit bits per byte.
   *
   * @return UTF-8 bytes per text
   */
  public double meanBytes() {
    return texts.stream().mapToLong(Text::bytes).sum() / (double) texts.size();
  }

  @Override
  public Iterator<Text> iterator() {
    return texts.iterator();
  }

  /**
   * Identifies the set: SHA-256 over ids, prompts and contents in order.
   *
   * <p>The hashed bytes are, for every text in order and for each of its id, its prompt and its
   * content: the length of the UTF-8 form as four bytes, most significant first, then the UTF-8
   * form. In Python:
   *
   * <pre>
   * h = hashlib.sha256()
   * for id, prompt, content in texts:
   *     for s in (id, prompt, content):
   *         b = s.encode("utf-8"); h.update(struct.pack("&gt;I", len(b))); h.update(b)
   * </pre>
   *
   * @return 64 hexadecimal digits, lower case
   */
  public String fingerprint() {
    return fingerprint;
  }

  /**
   * Reads a set from a JSON Lines file: one object a line, UTF-8, with or without a byte order
   * mark.
   *
   * <p>The content is the field {@code text}, or {@code content} where there is no {@code text}.
   * The id is {@code id}, else {@code index}, each a string or a whole number, else the number of
   * the line, counted from 0. {@code prompt} is optional. A null counts as an absent field, other
   * fields are ignored, and so are blank lines. The files of the model-map paper can be read.
   *
   * @param path the file
   * @return the texts, in the file's order
   * @throws LlmapException if the file cannot be read, or a line is not UTF-8, is not one JSON
   *     object, has no text, an empty text or a field of another type, or repeats an id; the
   *     message names the file and the line, counted from 1
   */
  public static TextSet readJsonl(Path path) {
    List<Text> texts = new ArrayList<>();
    Map<String, Long> lines = new HashMap<>();
    try (LineReader reader = new LineReader(Files.newInputStream(path))) {
      while (reader.next()) {
        String line = decode(path, reader);
        if (line.isBlank()) {
          continue;
        }
        Text text;
        try {
          text = parse(line, Long.toString(reader.number() - 1));
        } catch (JsonEOFException e) {
          throw malformed(path, reader, "the line ends inside its JSON");
        } catch (JsonProcessingException e) {
          throw malformed(path, reader, e.getOriginalMessage());
        } catch (IllegalArgumentException e) {
          throw malformed(path, reader, e.getMessage());
        }
        Long earlier = lines.putIfAbsent(text.id(), reader.number());
        if (earlier != null) {
          throw malformed(
              path, reader, "the id \"" + text.id() + "\" stands in line " + earlier + " already");
        }
        texts.add(text);
      }
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
    if (texts.isEmpty()) {
      throw new LlmapException(path + " holds no text");
    }
    return new TextSet(List.copyOf(texts));
  }

  private static String decode(Path path, LineReader reader) {
    String line;
    try {
      line = reader.text();
    } catch (CharacterCodingException e) {
      throw malformed(path, reader, "it is not valid UTF-8");
    }
    return reader.number() == 1 && !line.isEmpty() && line.charAt(0) == BYTE_ORDER_MARK
        ? line.substring(1)
        : line;
  }

  private static LlmapException malformed(Path path, LineReader reader, @Nullable String message) {
    return new LlmapException(
        "%s, line %d: %s: %s".formatted(path, reader.number(), message, reader.quote()));
  }

  private static Text parse(String line, String defaultId) throws IOException {
    Map<String, String> fields = new HashMap<>();
    try (JsonParser parser = JSON.createParser(line)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException("it is not a JSON object");
      }
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String field = parser.currentName();
        JsonToken value = parser.nextToken();
        switch (field) {
          case "text", "content", "prompt", "id", "index" -> {
            boolean number =
                value == JsonToken.VALUE_NUMBER_INT
                    && (field.equals("id") || field.equals("index"));
            if (value == JsonToken.VALUE_STRING || number) {
              fields.put(field, parser.getText());
            } else if (value != JsonToken.VALUE_NULL) {
              throw new IllegalArgumentException(
                  "\"" + field + "\" has the wrong type (" + value + ")");
            }
          }
          default -> parser.skipChildren();
        }
      }
      if (parser.nextToken() != null) {
        throw new IllegalArgumentException("there is more than one JSON value");
      }
    }
    String content = fields.getOrDefault("text", fields.get("content"));
    if (content == null) {
      throw new IllegalArgumentException("there is no \"text\"");
    }
    String id = fields.getOrDefault("id", fields.getOrDefault("index", defaultId));
    return new Text(id, fields.getOrDefault("prompt", ""), content);
  }

  /**
   * Writes the set as JSON Lines that {@link #readJsonl} reads back to an equal set: {@code id},
   * {@code prompt} where there is one, {@code text}. The file appears complete or not at all.
   *
   * @param path the file to create or replace
   * @throws LlmapException if it cannot be written
   */
  public void writeJsonl(Path path) {
    AtomicFile.write(
        path,
        out -> {
          try (JsonGenerator json = JSON.createGenerator(out)) {
            json.setRootValueSeparator(null);
            for (Text text : texts) {
              json.writeStartObject();
              json.writeStringField("id", text.id());
              if (!text.prompt().isEmpty()) {
                json.writeStringField("prompt", text.prompt());
              }
              json.writeStringField("text", text.content());
              json.writeEndObject();
              json.writeRaw('\n');
            }
          }
        });
  }

  /**
   * Compares texts and their order.
   *
   * @param other another object
   * @return true if it is a set of equal texts in the same order
   */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof TextSet set && texts.equals(set.texts);
  }

  @Override
  public int hashCode() {
    return fingerprint.hashCode();
  }

  /**
   * Describes the set for a log line.
   *
   * @return the number of texts and the start of the fingerprint
   */
  @Override
  public String toString() {
    return size() + " texts, " + fingerprint.substring(0, 12);
  }
}
