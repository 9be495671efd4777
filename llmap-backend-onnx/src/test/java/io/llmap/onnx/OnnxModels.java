package io.llmap.onnx;

import io.llmap.testing.models.TinyModel;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;

/** The graphs of the tests. */
final class OnnxModels {
  private OnnxModels() {}

  /** As users have it; to be left as it is. */
  static Path folder(TinyModel model) {
    return model.folder(OnnxModels.class, model.family() + "/model.onnx");
  }

  static Path graph(TinyModel model) {
    return folder(model).resolve("model.onnx");
  }

  static Path graph(String name) {
    return resource("graphs/" + name + ".onnx");
  }

  static Path resource(String name) {
    try {
      return Path.of(Objects.requireNonNull(OnnxModels.class.getResource(name), name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
