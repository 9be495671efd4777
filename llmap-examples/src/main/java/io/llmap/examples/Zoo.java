package io.llmap.examples;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llmap.LlmapException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The embedded model zoo: small real language models with their tokenizers, and the texts that they
 * are scored on. docs/zoo.md says how they were made.
 */
final class Zoo {
  private static final String ROOT = "zoo/";
  private static final List<String> MODEL_FILES =
      List.of("model.onnx", "config.json", "tokenizer.json", "tokenizer_config.json");

  private final List<Model> models;

  /**
   * One model of the zoo.
   *
   * @param name its name, and its folder's
   * @param corpus what it was trained on
   * @param relation how it came from its parent: {@code fine-tuned}, {@code quantised}, {@code
   *     checkpoint}; empty for a model of its own
   * @param parent the model that it came from, or empty
   */
  record Model(String name, String corpus, String relation, String parent) {}

  private Zoo(List<Model> models) {
    this.models = models;
  }

  /**
   * Reads the index.
   *
   * @return the zoo
   */
  static Zoo load() {
    List<Model> models = new ArrayList<>();
    try (InputStream in = open("zoo.json");
        JsonParser json = new JsonFactory().createParser(in)) {
      while (json.nextToken() != null) {
        if (json.currentToken() == JsonToken.FIELD_NAME && json.currentName().equals("models")) {
          json.nextToken();
          while (json.nextToken() == JsonToken.START_OBJECT) {
            models.add(model(json));
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Zoo(List.copyOf(models));
  }

  /** Reads the scalar fields of an object; a null counts as absent. */
  private static Model model(JsonParser json) throws IOException {
    Map<String, String> fields = new HashMap<>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      if (json.nextToken() != JsonToken.VALUE_NULL) {
        fields.put(field, json.getText());
      }
    }
    return new Model(
        fields.getOrDefault("name", ""),
        fields.getOrDefault("corpus", ""),
        fields.getOrDefault("relation", ""),
        fields.getOrDefault("parent", ""));
  }

  /**
   * The models, in the order in which they are best read.
   *
   * @return name, corpus, kinship
   */
  List<Model> models() {
    return models;
  }

  /**
   * Writes models and texts where they can be opened as files.
   *
   * @param folder receives a folder a model and {@code texts.jsonl}; files that are there are
   *     replaced
   */
  void extract(Path folder) {
    try {
      copy("texts.jsonl", folder);
      for (Model model : models) {
        for (String file : MODEL_FILES) {
          copy(model.name() + "/" + file, folder);
        }
      }
    } catch (IOException e) {
      String reason = e instanceof FileSystemException ? e.toString() : e.getMessage();
      throw new LlmapException("cannot unpack the model zoo into " + folder + ": " + reason, e);
    }
  }

  private static void copy(String resource, Path folder) throws IOException {
    Path target = folder.resolve(resource);
    Files.createDirectories(target.getParent());
    try (InputStream in = open(resource)) {
      Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static InputStream open(String resource) throws IOException {
    InputStream in = Zoo.class.getResourceAsStream(ROOT + resource);
    if (in == null) {
      throw new IOException("the resource " + ROOT + resource + " is missing from the jar");
    }
    return in;
  }
}
