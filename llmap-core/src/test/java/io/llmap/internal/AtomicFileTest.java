package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  private static byte[] bytes(String s) {
    return s.getBytes(StandardCharsets.UTF_8);
  }

  private void assertOnly(Path... expected) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(expected);
    }
  }

  @Test
  void aFileIsCreatedAndReplacedWhole() throws IOException {
    Path file = folder.resolve("a.txt");
    AtomicFile.write(file, out -> out.write(bytes("a long first content")));
    assertThat(file).hasContent("a long first content");

    AtomicFile.write(file, out -> out.write(bytes("short")));
    assertThat(file).hasContent("short");
    assertOnly(file);
  }

  @Test
  void theOldContentStandsUntilTheNewOneIsComplete() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "old");

    AtomicFile.write(
        file,
        out -> {
          out.write(new byte[1 << 18]);
          out.flush();
          assertThat(file).hasContent("old");
        });

    assertThat(file).hasSize(1 << 18);
  }

  @Test
  void aContentThatClosesItsStreamIsWritten() {
    Path file = folder.resolve("a.txt");
    AtomicFile.write(
        file,
        out -> {
          out.write(bytes("closed"));
          out.close();
        });
    assertThat(file).hasContent("closed");
  }

  @Test
  void aFailureInTheMiddleLeavesTheOldFileAndNoOther() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "old");
    IOException full = new IOException("No space left on device");

    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write(new byte[1 << 18]);
                      throw full;
                    }))
        .isInstanceOf(LlmapException.class)
        .hasMessage("cannot write " + file + ": No space left on device")
        .hasCause(full);

    assertThat(file).hasContent("old");
    assertOnly(file);
  }

  @Test
  void anUncheckedFailureLeavesNoFileEither() throws IOException {
    Path file = folder.resolve("a.txt");
    IllegalArgumentException bad = new IllegalArgumentException("bad value");

    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write(1);
                      throw bad;
                    }))
        .isSameAs(bad);

    assertOnly();
  }

  @Test
  void aMissingFolderIsNamed() {
    Path file = folder.resolve("missing").resolve("a.txt");
    assertThatThrownBy(() -> AtomicFile.write(file, out -> out.write(1)))
        .isInstanceOf(LlmapException.class)
        .hasMessage("cannot write " + file + ": there is no folder " + folder.resolve("missing"));
  }

  @Test
  void aFolderInTheWayIsNotReplaced() throws IOException {
    Path taken = Files.createDirectory(folder.resolve("taken"));

    assertThatThrownBy(() -> AtomicFile.write(taken, out -> out.write(1)))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith("cannot write " + taken + ": ");

    assertThat(taken).isDirectory();
    assertOnly(taken);
  }
}
