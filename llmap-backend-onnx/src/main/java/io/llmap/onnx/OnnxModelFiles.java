package io.llmap.onnx;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.GitLfs;
import io.llmap.internal.ModelFormat;
import io.llmap.internal.OneLine;
import io.llmap.score.ModelSpec;
import io.llmap.tokenizers.HuggingFaceFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The files of one model, found and looked over.
 *
 * @param model the graph
 * @param weights what the graph keeps in other files
 * @param folder where tokenizer.json and config.json are
 */
record OnnxModelFiles(Path model, List<Path> weights, HuggingFaceFolder folder) {
  /**
   * Finds the files from what a user names, a folder or the graph, and checks that the graph is
   * ONNX and whole, and that its weights are there.
   *
   * @throws BackendUnavailableException if not; one line that says what to do
   */
  static OnnxModelFiles locate(ModelSpec spec) {
    Path path = spec.path().toAbsolutePath().normalize();
    Path model;
    if (Files.isDirectory(path)) {
      model = GraphChoice.in(path, spec.variant());
    } else if (Files.isRegularFile(path)) {
      spec.variant()
          .ifPresent(
              variant -> {
                throw new BackendUnavailableException(
                    "%s is a file, which has no variant \"%s\"; name its folder, or leave the variant out"
                        .formatted(path, variant));
              });
      model = path;
    } else {
      throw new BackendUnavailableException("there is no model at " + path);
    }
    try {
      checkFormat(model);
      return new OnnxModelFiles(model, checkedWeights(model), HuggingFaceFolder.of(path, model));
    } catch (IOException e) {
      throw HuggingFaceFolder.unreadable(model, e);
    }
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    return parent == null ? path : parent;
  }

  private static void checkFormat(Path model) throws IOException {
    if (Files.size(model) == 0) {
      throw new BackendUnavailableException(model + " is empty; get the file again");
    }
    refusePointer(model);
    Optional<ModelFormat> format = ModelFormat.of(model);
    if (format.isPresent()) {
      throw new BackendUnavailableException(
          "%s is not ONNX but %s; %s"
              .formatted(model, format.get(), remedy(format.get(), parent(model))));
    }
  }

  private static String remedy(ModelFormat format, Path folder) {
    return switch (format) {
      case PYTORCH_ZIP, PICKLE, SAFETENSORS, HDF5 -> GraphChoice.exporting(folder.toString());
      case GGUF ->
          "go back to the model that it was made from and " + GraphChoice.exporting("MODEL");
      case ORT -> "name the .onnx file that it was made from";
      case HTML -> "get the file itself";
    };
  }

  private static void refusePointer(Path file) throws IOException {
    Optional<String> pointer = GitLfs.pointer(file);
    if (pointer.isPresent()) {
      throw new BackendUnavailableException(pointer.get());
    }
  }

  private static List<Path> checkedWeights(Path model) throws IOException {
    List<Path> weights = new ArrayList<>();
    for (Map.Entry<String, Long> file : ExternalData.files(model).entrySet()) {
      Path weight = resolve(model, file.getKey());
      if (!Files.isRegularFile(weight)) {
        throw new BackendUnavailableException(
            "%s keeps weights in %s, which is not there; get that file too, under this name"
                .formatted(model, weight));
      }
      refusePointer(weight);
      long bytes = Files.size(weight);
      if (bytes < file.getValue()) {
        throw new BackendUnavailableException(
            "%s is cut: it has %d bytes, and %s needs %d; get the file again"
                .formatted(weight, bytes, model, file.getValue()));
      }
      weights.add(weight);
    }
    return weights;
  }

  private static Path resolve(Path model, String location) {
    Path folder = parent(model);
    try {
      Path weight = folder.resolve(location).normalize();
      if (weight.startsWith(folder) && !Path.of(location).isAbsolute()) {
        return weight;
      }
    } catch (InvalidPathException e) {
      // As a name that points elsewhere: no file of the folder has it.
    }
    throw new BackendUnavailableException(
        ("%s keeps weights in \"%s\", outside its folder, and such files are not read; save the model"
                + " with its weights beside it")
            .formatted(model, OneLine.of(location)));
  }

  /**
   * SHA-256 over every file that can change a score: the graph, its weights in other files, and
   * what decides the token ids.
   */
  String fingerprint() {
    List<Path> files = new ArrayList<>(List.of(model));
    files.addAll(weights);
    return folder.fingerprint(files);
  }

  /** The size of a graph and of its weights in other files. */
  static long weightBytes(Path model) throws IOException {
    long bytes = Files.size(model);
    for (String location : ExternalData.files(model).keySet()) {
      bytes += Files.size(parent(model).resolve(location));
    }
    return bytes;
  }
}
