package io.llmap.testing.models;

import com.google.gson.Gson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The four tiny models that the tests of every backend score: tokenizer, configuration and golden
 * numbers are here, the weights in each backend's format are there. Made by tools/fixtures.
 */
public enum TinyModel {
  GPT2,
  LLAMA,
  GPT_NEOX,
  QWEN3;

  /** The context of every one, in tokens. */
  public static final int CONTEXT = 96;

  private static final List<String> FILES =
      List.of("tokenizer.json", "tokenizer_config.json", "config.json");

  private static final Map<String, Path> FOLDERS = new ConcurrentHashMap<>();

  /** The family's name, as Hugging Face writes it: {@code gpt_neox}. */
  public String family() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** A folder with tokenizer and configuration, for this process and to be left as it is. */
  public Path folder() {
    return FOLDERS.computeIfAbsent(family(), key -> extract());
  }

  /**
   * A folder as users have it, with a backend's own files beside tokenizer and configuration, for
   * this process and to be left as it is.
   *
   * @param test a class of the backend's tests
   * @param files resources beside that class, such as {@code gpt2/model.onnx}
   */
  public Path folder(Class<?> test, String... files) {
    String key = family() + " " + test.getName() + " " + Arrays.toString(files);
    return FOLDERS.computeIfAbsent(
        key,
        k -> {
          Path folder = extract();
          for (String file : files) {
            copy(test, file, folder);
          }
          return folder;
        });
  }

  public List<GoldenText> goldens() {
    String name = family() + "/golden.json";
    try (InputStream in = open(TinyModel.class, name)) {
      String json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return List.of(new Gson().fromJson(json, GoldenText[].class));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path extract() {
    try {
      // A jar may hold the resources, and tokenizers are read from folders.
      Path folder = Files.createTempDirectory("llmap-" + family());
      folder.toFile().deleteOnExit();
      for (String file : FILES) {
        copy(TinyModel.class, family() + "/" + file, folder);
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void copy(Class<?> beside, String resource, Path folder) {
    Path target = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
    target.toFile().deleteOnExit();
    try (InputStream in = open(beside, resource)) {
      Files.copy(in, target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InputStream open(Class<?> beside, String resource) {
    InputStream in = beside.getResourceAsStream(resource);
    if (in == null) {
      throw new IllegalArgumentException(
          "there is no resource " + resource + " beside " + beside.getName());
    }
    return in;
  }

  @Override
  public String toString() {
    return family();
  }
}
