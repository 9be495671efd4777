package io.llmap.score;

import java.nio.file.Path;

/**
 * A request for a model: which provider opens it, where it is, and what it is called.
 *
 * @param provider the name of a {@link ScorerProvider}
 * @param path a file or a folder
 * @param name the model's label
 */
public record ModelSpec(String provider, Path path, String name) {

  /**
   * Reads {@code PROVIDER:PATH[#NAME]}. Without {@code #NAME} the name is the last element of the
   * path. The last {@code #} counts, so a path that holds one needs a name behind it.
   *
   * @param spec such as {@code onnx:/models/gpt2#gpt2-small}
   * @return the parts
   * @throws IllegalArgumentException if the provider, the path or the name is empty
   */
  public static ModelSpec parse(String spec) {
    int colon = spec.indexOf(':');
    int hash = spec.lastIndexOf('#');
    if (hash < colon) {
      hash = spec.length();
    }
    if (colon < 1 || hash == colon + 1) {
      throw new IllegalArgumentException(
          "a model is written PROVIDER:PATH[#NAME], such as onnx:models/gpt2#gpt2; got \""
              + spec
              + "\"");
    }
    Path path = Path.of(spec.substring(colon + 1, hash));
    String name;
    if (hash < spec.length()) {
      name = spec.substring(hash + 1);
    } else {
      Path last = path.toAbsolutePath().normalize().getFileName();
      name = last == null ? "" : last.toString();
    }
    if (name.isBlank()) {
      throw new IllegalArgumentException("the model \"" + spec + "\" has no name; add #NAME");
    }
    return new ModelSpec(spec.substring(0, colon), path, name);
  }
}
