package io.llmap.djl;

import io.llmap.testing.models.TinyModel;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/** The files that tools/fixtures/make_torchscript.py made. */
final class Fixture {
  private Fixture() {}

  static Path graph(String name) {
    return path("graphs/" + name + ".pt");
  }

  static Path family(String name) {
    return path(name + "/" + name + ".pt");
  }

  /** As users have it; to be left as it is. */
  static Path folder(TinyModel model) {
    return model.folder(Fixture.class, model.family() + "/" + model.family() + ".pt");
  }

  private static Path path(String name) {
    URL url = Objects.requireNonNull(Fixture.class.getResource(name), name);
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
