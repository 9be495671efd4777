package io.llmap.onnx;

/** Messages of native libraries, fit for an error of one line. */
final class OneLine {
  private OneLine() {}

  static String of(String message) {
    return message.strip().replaceAll("\\s+", " ");
  }
}
