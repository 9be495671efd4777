package io.llmap.onnx;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.GitLfs;
import io.llmap.score.ModelSpec;
import io.llmap.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files of one model, found and looked over.
 *
 * @param model the graph
 * @param weights what the graph keeps in other files
 * @param folder where tokenizer.json and config.json are
 */
record OnnxModelFiles(Path model, List<Path> weights, Path folder) {
  private static final int BUFFER_BYTES = 1 << 20;

  /**
   * Finds the files from what a user names, a folder or the graph, and checks that the graph is
   * ONNX and whole, and that its weights are there.
   *
   * @throws BackendUnavailableException if not; one line that says what to do
   */
  static OnnxModelFiles locate(ModelSpec spec) {
    Path path = spec.path().toAbsolutePath().normalize();
    List<Path> folders = new ArrayList<>();
    Path model;
    if (Files.isDirectory(path)) {
      folders.add(path);
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
    folders.add(parent(model));
    folders.add(parent(parent(model)));
    try {
      checkFormat(model);
      return new OnnxModelFiles(model, checkedWeights(model), tokenizerFolder(folders));
    } catch (IOException e) {
      throw unreadable(model, e);
    }
  }

  /** The first folder with a tokenizer, else the first with a config, else the first. */
  private static Path tokenizerFolder(List<Path> folders) {
    return Stream.of("tokenizer.json", "config.json")
        .flatMap(name -> folders.stream().filter(f -> Files.isRegularFile(f.resolve(name))))
        .findFirst()
        .orElse(folders.get(0));
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
              .formatted(model, format.get(), format.get().remedy(parent(model))));
    }
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
   * SHA-256 over name, length and content of every file that can change a score: the graph, its
   * weights in other files, and what decides the token ids. Streamed; the cost is reading the
   * files.
   */
  String fingerprint() {
    try {
      List<Path> files = new ArrayList<>(List.of(model));
      files.addAll(weights);
      files.addAll(HuggingFaceTokenizer.files(folder));
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[BUFFER_BYTES];
      for (Path file : files) {
        update(digest, file, buffer);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw unreadable(model, e);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  private static BackendUnavailableException unreadable(Path model, IOException e) {
    return new BackendUnavailableException(
        "the model %s cannot be read: %s"
            .formatted(
                model,
                OneLine.of(
                    e instanceof FileSystemException
                        ? e.toString()
                        : String.valueOf(e.getMessage()))),
        e);
  }

  /** The size of a graph and of its weights in other files. */
  static long weightBytes(Path model) throws IOException {
    long bytes = Files.size(model);
    for (String location : ExternalData.files(model).keySet()) {
      bytes += Files.size(parent(model).resolve(location));
    }
    return bytes;
  }

  private static void update(MessageDigest digest, Path file, byte[] buffer) throws IOException {
    digest.update(String.valueOf(file.getFileName()).getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(Files.size(file)).flip());
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
  }
}
