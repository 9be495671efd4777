package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NumpyArchiveTest {
  @TempDir Path folder;

  @Test
  void arraysOfEachTypeAreReadBackToTheSameBits() {
    Path path = folder.resolve("a.npz");
    float[][] floats = {
      {1.5f, -0f, Float.MIN_VALUE}, {Float.MAX_VALUE, Float.NEGATIVE_INFINITY, -1e-30f}
    };
    new NumpyArchive.Writer()
        .put("floats", floats)
        .put("integers", new int[] {1, -2, Integer.MAX_VALUE})
        .put("none", List.of())
        .put("strings", List.of("", "größe", "😀"))
        .write(path);

    try (NumpyArchive archive = NumpyArchive.open(path)) {
      assertThat(archive.floats("floats")).isDeepEqualTo(floats);
      assertThat(archive.integers("integers")).containsExactly(1, -2, Integer.MAX_VALUE);
      assertThat(archive.strings("none")).isEmpty();
      assertThat(archive.strings("strings")).containsExactly("", "größe", "😀");
    }
  }

  @Test
  void aTypeOrShapeThatIsNotAskedForIsRefused() {
    Path path = folder.resolve("a.npz");
    new NumpyArchive.Writer().put("a", new int[] {1}).put("f", new float[][] {{1}}).write(path);
    try (NumpyArchive archive = NumpyArchive.open(path)) {
      assertThatThrownBy(() -> archive.floats("a"))
          .isInstanceOf(LlmapException.class)
          .hasMessage(path + ", array \"a\", has 1 dimensions, not 2");
      assertThatThrownBy(() -> archive.integers("f"))
          .isInstanceOf(LlmapException.class)
          .hasMessage(path + ", array \"f\", has 2 dimensions, not 1");
      assertThatThrownBy(() -> archive.strings("a"))
          .isInstanceOf(LlmapException.class)
          .hasMessageContaining("has elements of type i8, not strings");
      assertThatThrownBy(() -> archive.strings("b"))
          .isInstanceOf(LlmapException.class)
          .hasMessage(path + " has no array \"b\"; it has a.npy, f.npy");
    }
  }

  @Test
  void onlyFloatsInRowOrderAreReadAsFloats() throws IOException {
    for (String header :
        List.of(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }",
            "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }")) {
      Path path = withEntry(header, 8);
      try (NumpyArchive archive = NumpyArchive.open(path)) {
        assertThatThrownBy(() -> archive.floats("x"))
            .isInstanceOf(LlmapException.class)
            .hasMessageEndingWith("f4 in C order is read");
      }
    }
  }

  @Test
  void aNumberThatIsNoIntIsRefused() throws IOException {
    Path path = withEntry("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4);
    try (NumpyArchive archive = NumpyArchive.open(path)) {
      assertThatThrownBy(() -> archive.integers("x"))
          .isInstanceOf(LlmapException.class)
          .hasMessageStartingWith(path + ": element 0 of \"x\" is 2.3");
    }
  }

  @Test
  void aNameIsWrittenOnce() {
    NumpyArchive.Writer writer = new NumpyArchive.Writer().put("a", List.of());
    assertThatThrownBy(() -> writer.put("a", List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("there are two arrays named \"a\"");
  }

  @Test
  void whatIsNoArchiveIsNamed() throws IOException {
    Path path = Files.writeString(folder.resolve("a.npz"), "nothing of the sort");
    assertThatThrownBy(() -> NumpyArchive.open(path))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith("cannot read " + path);
  }

  /** An array of bytes 1, 1, 1 …, which as a float is 2.37e-38. */
  private Path withEntry(String header, int bytes) throws IOException {
    Path path = folder.resolve("x.npz");
    try (OutputStream file = Files.newOutputStream(path);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      zip.putNextEntry(new ZipEntry("x.npy"));
      byte[] text = (header + "\n").getBytes(StandardCharsets.US_ASCII);
      zip.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) text.length, 0});
      zip.write(text);
      for (int b = 0; b < bytes; b++) {
        zip.write(1);
      }
      zip.closeEntry();
    }
    return path;
  }
}
