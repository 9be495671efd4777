package io.llmap.score;

/**
 * Which model was scored, precisely enough to know it again.
 *
 * @param name the label of the model in matrices and on maps
 * @param location where it was read from, for a person; a path, or a class for a scorer without
 *     files
 * @param fingerprint SHA-256, in hexadecimal, of the files that determine the scores, so that a
 *     changed model is never taken for the old one
 * @param backend what ran it, with its version, such as {@code onnx (ONNX Runtime 1.28.0)}
 */
public record ModelSource(String name, String location, String fingerprint, String backend) {

  /**
   * Checks that the name can label a row and name a folder.
   *
   * @param name the label of the model in matrices and on maps
   * @param location where it was read from, for a person; a path, or a class for a scorer without
   *     files
   * @param fingerprint SHA-256, in hexadecimal, of the files that determine the scores, so that a
   *     changed model is never taken for the old one
   * @param backend what ran it, with its version, such as {@code onnx (ONNX Runtime 1.28.0)}
   * @throws IllegalArgumentException if the name or the fingerprint is blank, or the name holds a
   *     control character or half a character
   */
  public ModelSource {
    if (name.isBlank()) {
      throw new IllegalArgumentException("a model needs a name; its location is " + location);
    }
    if (name.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException("a model's name holds a control character: " + name);
    }
    if (name.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
      throw new IllegalArgumentException(
          "a model's name is not valid UTF-16 (a lone surrogate): " + name);
    }
    if (fingerprint.isBlank()) {
      throw new IllegalArgumentException("model " + name + " has no fingerprint");
    }
  }
}
