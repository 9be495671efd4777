package io.llmap.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Formats of models, and what is taken for them, by the bytes that they begin with. */
public enum ModelFormat {
  /** A zip archive, as PyTorch has written everything since its version 1.6. */
  PYTORCH_ZIP("PyTorch"),
  /** What {@code torch.save} wrote before, or a pickle of another library. */
  PICKLE("PyTorch"),
  /** {@code model.safetensors}: weights alone. */
  SAFETENSORS("safetensors"),
  /** llama.cpp's. */
  GGUF("GGUF"),
  /** Keras's weights. */
  HDF5("HDF5 (Keras)"),
  /** ONNX Runtime's own. */
  ORT("ORT"),
  /** What a server says in place of a file. */
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
   * Recognizes a file.
   *
   * @param file a file
   * @return empty for ONNX, which has no mark of its own, and for everything else
   * @throws IOException if it cannot be read
   */
  public static Optional<ModelFormat> of(Path file) throws IOException {
    byte[] bytes = new byte[BEGINNING];
    try (InputStream in = Files.newInputStream(file)) {
      in.readNBytes(bytes, 0, BEGINNING);
    }
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    if (text.startsWith("PK\3\4")) {
      return Optional.of(PYTORCH_ZIP);
    }
    // Protocol 2 to 5.
    if (text.charAt(0) == 0x80 && bytes[1] >= 2 && bytes[1] <= 5) {
      return Optional.of(PICKLE);
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
