package io.llmap.djl;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.ModelSpec;
import io.llmap.tokenizers.HuggingFaceFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files of one model, found.
 *
 * @param model TorchScript or ONNX
 * @param format which of the two
 * @param folder where tokenizer.json and config.json are
 */
record DjlModelFiles(Path model, Format format, HuggingFaceFolder folder) {
  /** What a model's file is, by the end of its name. */
  enum Format {
    TORCH_SCRIPT("PyTorch", ".pt"),
    ONNX("OnnxRuntime", ".onnx");

    private final String engine;
    private final String suffix;

    Format(String engine, String suffix) {
      this.engine = engine;
      this.suffix = suffix;
    }

    /** DJL's name of the engine that runs it. */
    String engine() {
      return engine;
    }

    private boolean isOf(Path file) {
      return String.valueOf(file.getFileName()).endsWith(suffix);
    }

    private String name(Path file) {
      String name = String.valueOf(file.getFileName());
      return name.substring(0, name.length() - suffix.length());
    }
  }

  /**
   * Finds the files from what a user names, a folder or the model.
   *
   * @throws BackendUnavailableException if there is none, or several and none is chosen; one line
   *     that says what to do
   */
  static DjlModelFiles locate(ModelSpec spec) {
    Path path = spec.path().toAbsolutePath().normalize();
    if (Files.isDirectory(path)) {
      return choose(path, spec.variant());
    }
    if (!Files.isRegularFile(path)) {
      throw new BackendUnavailableException("there is no model at " + path);
    }
    spec.variant()
        .ifPresent(
            variant -> {
              throw new BackendUnavailableException(
                  "%s is a file, which has no variant \"%s\"; name its folder, or leave the variant out"
                      .formatted(path, variant));
            });
    for (Format format : Format.values()) {
      if (format.isOf(path)) {
        return new DjlModelFiles(path, format, HuggingFaceFolder.of(path, path));
      }
    }
    throw new BackendUnavailableException(
        "%s is neither TorchScript (.pt) nor ONNX (.onnx) by its name; %s"
            .formatted(path, TorchScriptFile.CONVERT));
  }

  private static DjlModelFiles choose(Path folder, Optional<String> variant) {
    List<Path> models = new ArrayList<>();
    for (Format format : Format.values()) {
      List<Path> ofFormat = files(folder).filter(format::isOf).toList();
      for (String name : names(folder, variant)) {
        for (Path file : ofFormat) {
          if (format.name(file).equals(name)) {
            return new DjlModelFiles(file, format, HuggingFaceFolder.of(folder, file));
          }
        }
      }
      if (variant.isEmpty() && ofFormat.size() == 1) {
        Path file = ofFormat.get(0);
        return new DjlModelFiles(file, format, HuggingFaceFolder.of(folder, file));
      }
      models.addAll(ofFormat);
    }
    if (models.isEmpty()) {
      throw new BackendUnavailableException(
          "there is no TorchScript (.pt) and no ONNX (.onnx) file in %s; %s"
              .formatted(folder, TorchScriptFile.CONVERT));
    }
    String there =
        models.stream()
            .map(file -> String.valueOf(file.getFileName()))
            .collect(Collectors.joining(", "));
    throw new BackendUnavailableException(
        variant
            .map(v -> "%s has no variant \"%s\"; there are: %s".formatted(folder, v, there))
            .orElseGet(
                () ->
                    "%s has several models and no model.pt; name one of the files: %s"
                        .formatted(folder, there)));
  }

  /** Best first, without suffix. DJL's converter names the file after the folder. */
  private static List<String> names(Path folder, Optional<String> variant) {
    return variant
        .map(v -> List.of(v, "model_" + v))
        .orElse(List.of("model", String.valueOf(folder.getFileName())));
  }

  private static Stream<Path> files(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList().stream();
    } catch (IOException e) {
      throw HuggingFaceFolder.unreadable(folder, e);
    }
  }

  /**
   * SHA-256 over every file that can change a score: the model, what has its name in front, where
   * ONNX keeps weights, and what decides the token ids.
   */
  String fingerprint() {
    String name = String.valueOf(model.getFileName());
    List<Path> weights = new ArrayList<>(List.of(model));
    files(model.resolveSibling(""))
        .filter(file -> !file.equals(model))
        .filter(file -> String.valueOf(file.getFileName()).startsWith(name))
        .forEach(weights::add);
    return folder.fingerprint(weights);
  }
}
