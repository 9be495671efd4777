package io.llmap.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The whole demo, run once for all tests of this module. */
final class ZooRun {
  static final Path FOLDER = run();

  private ZooRun() {}

  private static Path run() {
    try {
      Path folder = Files.createTempDirectory(Path.of("target"), "demo with a space ");
      Command demo = Command.run("demo", "--out", folder);
      assertThat(demo.exit()).as(demo.err()).isZero();
      Files.writeString(folder.resolve("printed.txt"), demo.out());
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
