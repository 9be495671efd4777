package io.llmap.onnx;

import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import io.llmap.score.PrefixPolicy;
import io.llmap.text.Text;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * One text of a golden file, made with PyTorch by tools/fixtures: float32 forward pass of one
 * unpadded sequence, log-softmax in float64.
 */
record Golden(
    String id,
    String text,
    int[] ids,
    int[] byteOffsets,
    @SerializedName("document-start") double[] documentStart,
    double[] tokenizer,
    double[] none) {

  static final List<String> FAMILIES = List.of("gpt2", "llama", "gpt_neox", "qwen3");

  static Path folder(String family) {
    return resource(family);
  }

  static Path graph(String name) {
    return resource("graphs/" + name + ".onnx");
  }

  private static Path resource(String name) {
    try {
      return Path.of(Objects.requireNonNull(Golden.class.getResource(name), name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<Golden> read(String family) {
    try {
      String json = Files.readString(folder(family).resolve("golden.json"));
      return List.of(new Gson().fromJson(json, Golden[].class));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Text asText() {
    return Text.of(id, text);
  }

  /** Of the tokens that the policy scores, in order. */
  double[] logProbs(PrefixPolicy policy) {
    return switch (policy) {
      case DOCUMENT_START -> documentStart;
      case TOKENIZER -> tokenizer;
      case NONE -> none;
    };
  }
}
