package io.llmap.score;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import io.llmap.LlmapException.CorruptStoreException;
import io.llmap.internal.AtomicFile;
import io.llmap.internal.FileErrors;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where scores come from: the model, the texts, the options and the versions of what computed them.
 *
 * <p>The model's fingerprint, the text set's fingerprint and the options decide the scores; the
 * rest is kept for a person. Immutable: the maps are copied and sorted by key.
 *
 * @param model the model
 * @param textSetFingerprint {@link TextSet#fingerprint()}
 * @param texts the number of texts, N
 * @param options {@link ScorerOptions#asMap()}
 * @param versions what ran, such as {@code llmap}, {@code java} and {@code backend}
 */
public record Provenance(
    ModelSource model,
    String textSetFingerprint,
    int texts,
    Map<String, String> options,
    Map<String, String> versions) {

  private static final JsonFactory JSON = new JsonFactory();

  /**
   * Copies the maps.
   *
   * @param model the model
   * @param textSetFingerprint {@link TextSet#fingerprint()}
   * @param texts the number of texts, N
   * @param options {@link ScorerOptions#asMap()}
   * @param versions what ran, such as {@code llmap}, {@code java} and {@code backend}
   * @throws IllegalArgumentException if the fingerprint is blank or there is no text
   */
  public Provenance {
    if (textSetFingerprint.isBlank() || texts < 1) {
      throw new IllegalArgumentException(
          "provenance needs a text set, got the fingerprint \"%s\" and %d texts"
              .formatted(textSetFingerprint, texts));
    }
    options = Collections.unmodifiableMap(new TreeMap<>(options));
    versions = Collections.unmodifiableMap(new TreeMap<>(versions));
  }

  /**
   * The provenance of scores that are computed now, by this version of llmap on this Java.
   *
   * @param model the model
   * @param texts the texts
   * @param options how they are scored
   * @return the provenance
   */
  public static Provenance of(ModelSource model, TextSet texts, ScorerOptions options) {
    String llmap = Provenance.class.getPackage().getImplementationVersion();
    Map<String, String> versions =
        Map.of(
            "llmap", llmap == null ? "unpackaged" : llmap,
            "java", Runtime.version().toString(),
            "backend", model.backend());
    return new Provenance(model, texts.fingerprint(), texts.size(), options.asMap(), versions);
  }

  /**
   * Identifies what decides the scores: the model's fingerprint, the text set's fingerprint and the
   * options; not the model's name or location, and no version.
   *
   * @return 16 hexadecimal digits: the start of the SHA-256 of these strings in this order, an
   *     option as its name and its value, each as four bytes of length and UTF-8
   */
  public String key() {
    MessageDigest sha;
    try {
      sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
    update(sha, model.fingerprint());
    update(sha, textSetFingerprint);
    options.forEach(
        (name, value) -> {
          update(sha, name);
          update(sha, value);
        });
    return HexFormat.of().formatHex(sha.digest(), 0, 8);
  }

  private static void update(MessageDigest sha, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    sha.update(bytes);
  }

  /**
   * Writes the provenance as JSON with a fixed order of fields. The file appears complete or not at
   * all, and is durable when the method returns.
   *
   * @param path the file to create or replace
   * @throws io.llmap.LlmapException if it cannot be written
   */
  public void write(Path path) {
    AtomicFile.write(path, out -> out.write((toJson() + "\n").getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * The provenance as JSON with a fixed order of fields.
   *
   * @return an object over several lines
   */
  public String toJson() {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.setPrettyPrinter(
          new DefaultPrettyPrinter(
                  Separators.createDefaultInstance()
                      .withObjectFieldValueSpacing(Separators.Spacing.AFTER))
              .withObjectIndenter(new DefaultIndenter("  ", "\n")));
      json.writeStartObject();
      json.writeObjectFieldStart("model");
      json.writeStringField("name", model.name());
      json.writeStringField("location", model.location());
      json.writeStringField("fingerprint", model.fingerprint());
      json.writeStringField("backend", model.backend());
      json.writeEndObject();
      json.writeObjectFieldStart("text-set");
      json.writeStringField("fingerprint", textSetFingerprint);
      json.writeNumberField("texts", texts);
      json.writeEndObject();
      writeMap(json, "options", options);
      writeMap(json, "versions", versions);
      json.writeEndObject();
    } catch (IOException e) {
      throw new AssertionError("a string can always be written to", e);
    }
    return out.toString();
  }

  private static void writeMap(JsonGenerator json, String field, Map<String, String> map)
      throws IOException {
    json.writeObjectFieldStart(field);
    for (Map.Entry<String, String> entry : map.entrySet()) {
      json.writeStringField(entry.getKey(), entry.getValue());
    }
    json.writeEndObject();
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @param path the file
   * @return the provenance
   * @throws CorruptStoreException if it is not such a file; the message says why
   * @throws io.llmap.LlmapException if it cannot be read
   */
  public static Provenance read(Path path) {
    byte[] content;
    try {
      content = Files.readAllBytes(path);
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
    Map<String, Map<String, String>> parts;
    try (JsonParser parser = JSON.createParser(content)) {
      parts = parse(parser);
    } catch (JsonProcessingException e) {
      throw new CorruptStoreException(path + " is not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      // Bytes that are no characters, such as the zeros that some file systems leave after a crash.
      throw new CorruptStoreException(path + " is not JSON: " + e.getMessage(), e);
    }
    try {
      Map<String, String> model = part(parts, "model");
      Map<String, String> texts = part(parts, "text-set");
      return new Provenance(
          new ModelSource(
              value(model, "name"),
              value(model, "location"),
              value(model, "fingerprint"),
              value(model, "backend")),
          value(texts, "fingerprint"),
          Integer.parseInt(value(texts, "texts")),
          part(parts, "options"),
          part(parts, "versions"));
    } catch (IllegalArgumentException e) {
      throw new CorruptStoreException(path + " is not a provenance: " + e.getMessage(), e);
    }
  }

  private static Map<String, Map<String, String>> parse(JsonParser parser) throws IOException {
    Map<String, Map<String, String>> parts = new TreeMap<>();
    if (parser.nextToken() == JsonToken.START_OBJECT) {
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String part = parser.currentName();
        if (parser.nextToken() == JsonToken.START_OBJECT) {
          Map<String, String> values = new TreeMap<>();
          while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            if (parser.nextToken().isScalarValue()) {
              values.put(name, parser.getText());
            } else {
              parser.skipChildren();
            }
          }
          parts.put(part, values);
        } else {
          parser.skipChildren();
        }
      }
    }
    return parts;
  }

  private static Map<String, String> part(Map<String, Map<String, String>> parts, String name) {
    Map<String, String> part = parts.get(name);
    if (part == null) {
      throw new IllegalArgumentException("there is no object \"" + name + "\"");
    }
    return part;
  }

  private static String value(Map<String, String> part, String name) {
    String value = part.get(name);
    if (value == null) {
      throw new IllegalArgumentException("there is no \"" + name + "\"");
    }
    return value;
  }
}
