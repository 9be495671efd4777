package io.llmap.score;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A request for a model: which provider opens it, where it is, and what it is called.
 *
 * @param provider the name of a {@link ScorerProvider}
 * @param path a file or a folder
 * @param variant which of several versions of the model that lie in one folder, such as {@code
 *     fp16}; empty for the one that the provider takes by itself. A provider refuses a variant that
 *     it does not find, and one without variants refuses every one
 * @param name the model's label
 */
public record ModelSpec(String provider, Path path, Optional<String> variant, String name) {

  /**
   * Checks the variant.
   *
   * @param provider the name of a {@link ScorerProvider}
   * @param path a file or a folder
   * @param variant which of several versions of the model that lie in one folder, such as {@code
   *     fp16}; empty for the one that the provider takes by itself
   * @param name the model's label
   * @throws IllegalArgumentException if the variant is blank or holds a slash, a backslash or a
   *     colon
   */
  public ModelSpec {
    variant.ifPresent(ModelSpec::checkVariant);
  }

  /**
   * A model without a variant.
   *
   * @param provider the name of a {@link ScorerProvider}
   * @param path a file or a folder
   * @param name the model's label
   */
  public ModelSpec(String provider, Path path, String name) {
    this(provider, path, Optional.empty(), name);
  }

  /**
   * Returns a copy that names another version of the model in the same folder.
   *
   * @param value the new value, such as {@code fp16}
   * @return a copy
   * @throws IllegalArgumentException if the variant is blank or holds a slash, a backslash or a
   *     colon
   */
  public ModelSpec withVariant(String value) {
    return new ModelSpec(provider, path, Optional.of(value), name);
  }

  /**
   * Reads {@code PROVIDER:PATH[:VARIANT][#NAME]}.
   *
   * <p>Without {@code #NAME} the name is the last element of the path, with {@code :VARIANT} behind
   * it if there is one. The last {@code #} counts, so a path that holds one needs a name behind it.
   * The last colon in the last element of the path starts the variant; a folder whose own name
   * holds one is written with a slash at its end.
   *
   * @param spec such as {@code onnx:/models/gpt2#gpt2-small} or {@code onnx:/models/gpt2:fp16}
   * @return the parts
   * @throws IllegalArgumentException if the provider, the path, the variant or the name is empty
   */
  public static ModelSpec parse(String spec) {
    int colon = spec.indexOf(':');
    int hash = spec.lastIndexOf('#');
    if (hash < colon) {
      hash = spec.length();
    }
    if (colon < 1 || hash == colon + 1) {
      throw malformed(spec);
    }
    String location = spec.substring(colon + 1, hash);
    int lastElement = Math.max(location.lastIndexOf('/'), location.lastIndexOf('\\')) + 1;
    int variantColon = location.lastIndexOf(':');
    Optional<String> variant = Optional.empty();
    if (variantColon >= lastElement) {
      variant = Optional.of(location.substring(variantColon + 1));
      location = location.substring(0, variantColon);
      if (location.isEmpty() || variant.get().isBlank()) {
        throw malformed(spec);
      }
    }
    Path path = Path.of(location);
    String name;
    if (hash < spec.length()) {
      name = spec.substring(hash + 1);
    } else {
      Path last = path.toAbsolutePath().normalize().getFileName();
      name = last == null ? "" : last + variant.map(value -> ":" + value).orElse("");
    }
    if (name.isBlank()) {
      throw new IllegalArgumentException("the model \"" + spec + "\" has no name; add #NAME");
    }
    return new ModelSpec(spec.substring(0, colon), path, variant, name);
  }

  private static void checkVariant(String variant) {
    if (variant.isBlank() || variant.chars().anyMatch(c -> c == '/' || c == '\\' || c == ':')) {
      throw new IllegalArgumentException(
          "a variant is a word such as fp16, got \"" + variant + "\"");
    }
  }

  private static IllegalArgumentException malformed(String spec) {
    return new IllegalArgumentException(
        "a model is written PROVIDER:PATH[:VARIANT][#NAME], such as onnx:models/gpt2#gpt2; got \""
            + spec
            + "\"");
  }
}
