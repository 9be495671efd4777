package io.llmap.onnx;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Formats that a user may take for ONNX, by the bytes that they begin with. */
enum ModelFormat {
  PYTORCH("PyTorch"),
  SAFETENSORS("safetensors"),
  GGUF("GGUF"),
  HDF5("HDF5 (Keras)"),
  ORT("ORT"),
  HTML("a web page");

  private static final int BEGINNING = 16;

  private final String label;

  ModelFormat(String label) {
    this.label = label;
  }

  /** As a person calls it. */
  @Override
  public String toString() {
    return label;
  }

  /**
   * What a user of such a file can do.
   *
   * @param folder where it lies
   */
  String remedy(Path folder) {
    return switch (this) {
      case PYTORCH, SAFETENSORS, HDF5 -> GraphChoice.exporting(folder.toString());
      case GGUF ->
          "go back to the model that it was made from and " + GraphChoice.exporting("MODEL");
      case ORT -> "name the .onnx file that it was made from";
      case HTML -> "get the file itself";
    };
  }

  /** Recognizes a file; empty for ONNX, which has no mark of its own, and for everything else. */
  static Optional<ModelFormat> of(Path file) throws IOException {
    byte[] bytes = new byte[BEGINNING];
    try (InputStream in = Files.newInputStream(file)) {
      in.readNBytes(bytes, 0, BEGINNING);
    }
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    // A zip archive, or protocol 2 to 5 of Python's pickle.
    if (text.startsWith("PK\3\4") || (text.charAt(0) == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)) {
      return Optional.of(PYTORCH);
    }
    if (text.startsWith("GGUF")) {
      return Optional.of(GGUF);
    }
    if (text.startsWith("\u0089HDF")) {
      return Optional.of(HDF5);
    }
    if (text.startsWith("ORTM", 4)) {
      return Optional.of(ORT);
    }
    if (text.stripLeading().startsWith("<")) {
      return Optional.of(HTML);
    }
    // The length of a header, and the header, in JSON.
    long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return header > 0 && header < Files.size(file) && text.startsWith("{\"", 8)
        ? Optional.of(SAFETENSORS)
        : Optional.empty();
  }
}
