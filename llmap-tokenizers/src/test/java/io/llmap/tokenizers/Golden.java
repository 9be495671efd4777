package io.llmap.tokenizers;

import com.google.gson.Gson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** One text of a golden file, made with Python's tokenizers library by tools/fixtures. */
record Golden(
    String id,
    String text,
    int[] ids,
    int[] byteOffsets,
    int[] specialIds,
    int[] specialByteOffsets) {

  static final List<String> FAMILIES = List.of("gpt2", "llama", "gpt_neox", "qwen3");

  static Path folder(String family) {
    try {
      return Path.of(Objects.requireNonNull(Golden.class.getResource(family)).toURI());
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

  @Override
  public String toString() {
    return id;
  }
}
