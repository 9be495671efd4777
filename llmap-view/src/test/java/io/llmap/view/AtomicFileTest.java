package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.llmap.LlmapException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  @Test
  void replacesAFileAndLeavesNothingElse() throws IOException {
    Path file = Files.writeString(folder.resolve("map.svg"), "old and longer");
    AtomicFile.write(file, new byte[] {'n', 'e', 'w'});
    assertThat(file).hasContent("new");
    assertThat(folder.toFile().list()).containsExactly("map.svg");
  }

  @Test
  void missingFolderIsNamed() {
    Path file = folder.resolve("none").resolve("map.svg");
    assertThatExceptionOfType(LlmapException.class)
        .isThrownBy(() -> Maps.named("a").writeSvg(file))
        .withMessage("cannot write " + file + ": its folder does not exist");
  }

  @Test
  void folderInThePlaceOfTheFileStays() throws IOException {
    Path file = Files.createDirectory(folder.resolve("map.svg"));
    assertThatExceptionOfType(LlmapException.class)
        .isThrownBy(() -> Maps.named("a").writeSvg(file))
        .withMessage("cannot write " + file + ": it is a folder");
    assertThat(folder.toFile().list()).containsExactly("map.svg");
  }
}
