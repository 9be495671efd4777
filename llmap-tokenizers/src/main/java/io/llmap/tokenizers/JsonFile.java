package io.llmap.tokenizers;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.GitLfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The top level of one of the small JSON files of a model folder. A value is a Map, a List, a
 * String, a Number or a Boolean; {@link #has} tells a null from a field that is missing.
 */
final class JsonFile {
  /**
   * A vocabulary's tokens are field names: hundreds of thousands, each seen once. Interning them in
   * Jackson's symbol table would cost time, and fails where an attacker makes them collide.
   */
  static final JsonFactory FACTORY =
      JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

  private static final Object NULL =
      new Object() {
        @Override
        public String toString() {
          return "null";
        }
      };

  private final Path path;
  private final Map<?, ?> fields;

  private JsonFile(Path path, Map<?, ?> fields) {
    this.path = path;
    this.fields = fields;
  }

  /** Reads a file; one that is not there has no fields. */
  static JsonFile read(Path path) {
    if (!Files.isRegularFile(path)) {
      return new JsonFile(path, Map.of());
    }
    try (JsonParser parser = FACTORY.createParser(path.toFile())) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new BackendUnavailableException(path + " is not a JSON object");
      }
      return new JsonFile(path, object(parser));
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  static BackendUnavailableException unreadable(Path path, IOException e) {
    Optional<String> pointer = pointer(path);
    if (pointer.isPresent()) {
      return new BackendUnavailableException(pointer.get(), e);
    }
    String reason =
        e instanceof JacksonException json
            ? "%s (line %d)"
                .formatted(
                    json.getOriginalMessage(),
                    json.getLocation() == null ? 0 : json.getLocation().getLineNr())
            : e.toString();
    return new BackendUnavailableException(
        path + " cannot be read as JSON: " + oneLine(reason) + "; get the file again", e);
  }

  private static Optional<String> pointer(Path path) {
    try {
      return GitLfs.pointer(path);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  static String oneLine(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }

  Path path() {
    return path;
  }

  boolean has(String name) {
    return fields.containsKey(name);
  }

  /** The value of a field; empty when the field is missing or null. */
  Optional<Object> get(String name) {
    return Optional.<Object>ofNullable(fields.get(name)).filter(value -> value != NULL);
  }

  /** The object in a field; without fields when it is missing or no object. */
  JsonFile child(String name) {
    return new JsonFile(path, get(name).orElse(NULL) instanceof Map<?, ?> child ? child : Map.of());
  }

  /** The names of the fields, sorted. */
  SortedSet<String> names() {
    SortedSet<String> names = new TreeSet<>();
    fields.keySet().forEach(name -> names.add(String.valueOf(name)));
    return names;
  }

  private static Map<String, Object> object(JsonParser parser) throws IOException {
    Map<String, Object> map = new HashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      map.put(name, value(parser));
    }
    return map;
  }

  private static Object value(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> {
        List<Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(parser));
        }
        yield list;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      default -> NULL;
    };
  }
}
