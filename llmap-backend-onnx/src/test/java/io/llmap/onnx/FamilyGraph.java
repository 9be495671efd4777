package io.llmap.onnx;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import io.llmap.text.Text;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One graph of a family of architectures, made with PyTorch by tools/fixtures/make_families.py.
 *
 * @param path such as {@code mistral/with_past.onnx}
 */
record FamilyGraph(String path) {
  private static final Path FOLDER = OnnxModels.resource("families");
  private static final int PREFIX = 0;

  /** A text, and the ids of its tokens without the prefix. */
  record Sample(String id, String text, int[] ids) {
    Text asText() {
      return Text.of(id, text);
    }

    /** The sequence that is scored. */
    int[] sequence() {
      int[] sequence = new int[ids.length + 1];
      sequence[0] = PREFIX;
      System.arraycopy(ids, 0, sequence, 1, ids.length);
      return sequence;
    }
  }

  /** Every graph that there is, sorted. */
  static List<FamilyGraph> all() {
    try (Stream<Path> files = Files.walk(FOLDER)) {
      return files
          .filter(file -> file.toString().endsWith(".onnx"))
          .map(file -> new FamilyGraph(FOLDER.relativize(file).toString().replace('\\', '/')))
          .sorted((a, b) -> a.path().compareTo(b.path()))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Sample> samples() {
    return List.of(new Gson().fromJson(read(FOLDER.resolve("texts.json")), Sample[].class));
  }

  /** For each text's id the log-probabilities of its tokens behind the prefix. */
  Map<String, double[]> goldens() {
    return new Gson()
        .fromJson(
            read(file().resolveSibling("golden.json")),
            new TypeToken<Map<String, double[]>>() {}.getType());
  }

  Path file() {
    return FOLDER.resolve(path);
  }

  static ModelConfig config() {
    return ModelConfig.read(FOLDER);
  }

  @Override
  public String toString() {
    return path;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
