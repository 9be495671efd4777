package io.llmap.onnx;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * The files of one model.
 *
 * @param model the graph
 * @param folder where tokenizer.json and config.json are
 */
record OnnxModelFiles(Path model, Path folder) {
  private static final int BUFFER_BYTES = 1 << 20;

  /** Finds the files from what a user names: a folder, or the graph. */
  static OnnxModelFiles locate(Path named) {
    Path path = named.toAbsolutePath().normalize();
    if (Files.isDirectory(path)) {
      Path model =
          Stream.of("model.onnx", "onnx/model.onnx")
              .map(path::resolve)
              .filter(Files::isRegularFile)
              .findFirst()
              .orElseThrow(
                  () ->
                      new BackendUnavailableException(
                          "there is neither model.onnx nor onnx/model.onnx in "
                              + path
                              + "; export the model to ONNX, or name the .onnx file itself"));
      return new OnnxModelFiles(model, path);
    }
    if (!Files.isRegularFile(path)) {
      throw new BackendUnavailableException("there is no model at " + path);
    }
    Path folder = parent(path);
    if (!hasTokenizer(folder) && hasTokenizer(parent(folder))) {
      folder = parent(folder);
    }
    return new OnnxModelFiles(path, folder);
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    return parent == null ? path : parent;
  }

  private static boolean hasTokenizer(Path folder) {
    return Files.isRegularFile(folder.resolve("tokenizer.json"));
  }

  /**
   * SHA-256 over name, length and content of every file that can change a score: the graph, its
   * weights in other files, and what decides the token ids. Streamed; the cost is reading the
   * files.
   */
  String fingerprint() {
    try {
      List<Path> files = weights(model);
      files.addAll(HuggingFaceTokenizer.files(folder));
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[BUFFER_BYTES];
      for (Path file : files) {
        update(digest, file, buffer);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new BackendUnavailableException(
          "the files of the model %s cannot be read: %s"
              .formatted(
                  model,
                  OneLine.of(
                      e instanceof FileSystemException
                          ? e.toString()
                          : String.valueOf(e.getMessage()))),
          e);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** The size of a graph and of its weights in other files. */
  static long weightBytes(Path model) throws IOException {
    long bytes = 0;
    for (Path file : weights(model)) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  private static List<Path> weights(Path model) throws IOException {
    List<Path> files = new ArrayList<>(List.of(model));
    for (String location : ExternalData.locations(model)) {
      files.add(parent(model).resolve(location));
    }
    return files;
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
