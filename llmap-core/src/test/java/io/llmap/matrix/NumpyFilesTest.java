package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that numpy 2.4.6 wrote, by tools/fixtures/make_npy.py. */
class NumpyFilesTest {
  private static final double[][] VALUES = {{-1.5, 0.1, 3e300}, {-0.0, Double.MIN_VALUE, -600.25}};
  private static final List<String> NAMES = List.of("plain", "größe", "模型 🦙", "");
  private static final List<String> IDS = List.of("a,b", "quoted \"c\"", "line\nbreak");

  @TempDir Path folder;

  private static Path numpy(String name) throws URISyntaxException {
    return Path.of(Objects.requireNonNull(NumpyFilesTest.class.getResource(name), name).toURI());
  }

  private static double[][] logLikelihood() {
    double[][] values = new double[4][3];
    for (int i = 0; i < 12; i++) {
      values[i / 3][i % 3] = i / -7.0;
    }
    return values;
  }

  private static LogLikelihoodMatrix matrix() {
    return LogLikelihoodMatrix.of(NAMES, IDS, new int[] {1000, 1, 1024}, logLikelihood());
  }

  @ParameterizedTest
  @ValueSource(strings = {"f8", "f8-big", "f8-fortran", "f8-v2", "f8-v3"})
  void doublesAreReadInAnyOrderAndVersionToTheSameBits(String name) throws URISyntaxException {
    assertSameBits(MatrixFiles.readNpy(numpy(name + ".npy")), VALUES);
  }

  @ParameterizedTest
  @ValueSource(strings = {"f4", "f4-big-fortran"})
  void floatsAreWidened(String name) throws URISyntaxException {
    assertSameBits(
        MatrixFiles.readNpy(numpy(name + ".npy")),
        new double[][] {{-1.5, 0.1f, 3e38f}, {-0.0, Float.MIN_VALUE, -600.25}});
  }

  @Test
  void integersAreReadExactly() throws URISyntaxException {
    assertSameBits(
        MatrixFiles.readNpy(numpy("i4.npy")),
        new double[][] {{-1, 0, 2147483647}, {-2147483648, 7, 42}});
    assertSameBits(
        MatrixFiles.readNpy(numpy("i8.npy")),
        new double[][] {{-0x1p53, 0x1p53, 0x1p62}, {0, 1, -0x1p63}});
    assertThat(MatrixFiles.readNpyVector(numpy("vector.npy"))).containsExactly(1, 2.5);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "object|holds pickled Python objects, which run code when they are read; save numbers or strings",
        "structured|has an element type that is not a plain one: [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (2,), }",
        "complex|has elements of type c16; f2, f4, f8, i4 and i8 are read",
        "strings|has elements of type U1; f2, f4, f8, i4 and i8 are read",
        "vector|has 1 dimensions, not 2",
        "cube|has 3 dimensions, not 2",
        "scalar|has 0 dimensions, not 2",
        "i8-inexact|has the integer 9007199254740993, which no double holds exactly",
      })
  void whatIsNotAMatrixOfNumbersIsRefusedWithItsReason(String name, String problem)
      throws URISyntaxException {
    Path path = numpy(name + ".npy");

    assertThatThrownBy(() -> MatrixFiles.readNpy(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + " " + problem);
  }

  @Test
  void aMatrixIsNotAVector() throws URISyntaxException {
    Path path = numpy("f8.npy");
    assertThatThrownBy(() -> MatrixFiles.readNpyVector(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + " has 2 dimensions, not 1");
  }

  @Test
  void writtenArraysAreByteForByteThoseOfNumpy() throws IOException, URISyntaxException {
    Path path = folder.resolve("own.npy");
    MatrixFiles.writeNpy(path, VALUES);

    assertThat(path).hasSameBinaryContentAs(numpy("f8.npy"));
  }

  @Test
  void everyArrayOfAWrittenNpzIsByteForByteThatOfNumpy() throws IOException, URISyntaxException {
    Path path = folder.resolve("own.npz");
    MatrixFiles.writeNpz(path, matrix());

    try (ZipFile own = new ZipFile(path.toFile());
        ZipFile numpy = new ZipFile(numpy("stored.npz").toFile())) {
      assertThat(own.stream().map(ZipEntry::getName).toList())
          .isEqualTo(numpy.stream().map(ZipEntry::getName).toList());
      for (ZipEntry entry : own.stream().toList()) {
        assertThat(own.getInputStream(entry))
            .as(entry.getName())
            .hasSameContentAs(numpy.getInputStream(numpy.getEntry(entry.getName())));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"stored", "deflated"})
  void aLogLikelihoodMatrixOfNumpyIsRead(String name) throws URISyntaxException {
    assertSame(MatrixFiles.readNpz(numpy(name + ".npz")), matrix());
  }

  @Test
  void anNpzOfOtherTypesAndOrdersIsRead() throws URISyntaxException {
    LogLikelihoodMatrix read = MatrixFiles.readNpz(numpy("foreign.npz"));

    assertThat(read.names()).isEqualTo(NAMES);
    assertThat(read.textIds()).isEqualTo(IDS);
    assertThat(read.textBytes(2)).isEqualTo(1024);
    assertThat(read.toFlatArray())
        .containsExactly(
            Arrays.stream(matrix().toFlatArray()).map(v -> (double) (float) v).toArray());
  }

  @Test
  void pickledNamesAreRefused() throws URISyntaxException {
    Path path = numpy("object.npz");
    assertThatThrownBy(() -> MatrixFiles.readNpz(path))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith(path + ", array \"names\", holds pickled Python objects");
  }

  @Test
  void everyTruncationOfAnArrayFileIsRefused() throws IOException, URISyntaxException {
    for (String name : List.of("f8.npy", "f8-v2.npy", "f8-fortran.npy")) {
      byte[] whole = Files.readAllBytes(numpy(name));
      for (int length = 0; length < whole.length; length++) {
        Path path = Files.write(folder.resolve("cut.npy"), Arrays.copyOf(whole, length));
        assertThatThrownBy(() -> MatrixFiles.readNpy(path))
            .as("%d bytes of %s", length, name)
            .isInstanceOf(LlmapException.class)
            .hasMessageStartingWith(path.toString())
            .hasNoCause();
      }
    }
  }

  @Test
  void everyTruncationOfAnNpzIsRefused() throws IOException, URISyntaxException {
    for (String name : List.of("stored.npz", "deflated.npz")) {
      byte[] whole = Files.readAllBytes(numpy(name));
      for (int length = 0; length < whole.length; length++) {
        Path path = Files.write(folder.resolve("cut.npz"), Arrays.copyOf(whole, length));
        assertThatThrownBy(() -> MatrixFiles.readNpz(path))
            .as("%d bytes of %s", length, name)
            .isInstanceOf(LlmapException.class)
            .hasMessageContaining(path.toString());
      }
    }
  }

  /** A damaged byte is either found or stands where it means nothing, such as a time. */
  @ParameterizedTest
  @ValueSource(strings = {"stored", "deflated"})
  void noDamagedByteOfAnNpzGivesAnotherMatrix(String name) throws IOException, URISyntaxException {
    byte[] whole = Files.readAllBytes(numpy(name + ".npz"));
    int refused = 0;
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 0x10;
      Path path = Files.write(folder.resolve("damaged.npz"), damaged);
      try {
        assertSame(MatrixFiles.readNpz(path), matrix());
      } catch (LlmapException e) {
        refused++;
        assertThat(e).hasMessageContaining(path.toString());
      }
    }
    assertThat(refused).isGreaterThan(whole.length / 2);
  }

  @Test
  void bytesBehindTheDataAreRefused() throws IOException, URISyntaxException {
    byte[] whole = Files.readAllBytes(numpy("f8.npy"));
    Path path = Files.write(folder.resolve("long.npy"), Arrays.copyOf(whole, whole.length + 1));

    assertThatThrownBy(() -> MatrixFiles.readNpy(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(
            path + " has 49 bytes of data, but an array of shape (2, 3) and type f8 has 48");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 1), }|has a shape or an element that is too large",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2000000000, 2000000000, 2000000000), }|has a shape or an element that is too large",
        "{'descr': '<f99999999999', 'fortran_order': False, 'shape': (1, 1), }|has a shape or an element that is too large",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }|has 0 bytes of data, but an array of shape (1000000, 1000000) and type f8 has 8000000000000",
        "{'descr': '<f0', 'fortran_order': False, 'shape': (1, 1), }|has elements of type f0; f2, f4, f8, i4 and i8 are read",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (1, 1), }|has elements of type U0; f2, f4, f8, i4 and i8 are read",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 1), }|has a header without fortran_order or shape: {'descr': '<f8', 'fortran_order': False, 'shape': (-1, 1), }",
        "{'descr': '<f8', 'shape': (1, 1), }|has a header without fortran_order or shape: {'descr': '<f8', 'shape': (1, 1), }",
        "{}|has an element type that is not a plain one: {}",
      })
  void aHeaderThatLiesIsRefusedBeforeMemoryIsTaken(String header, String problem)
      throws IOException {
    Path path = Files.write(folder.resolve("lie.npy"), npy(1, header));

    assertThatThrownBy(() -> MatrixFiles.readNpy(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + " " + problem);
  }

  @Test
  void otherVersionsAndOtherFilesAreRefused() throws IOException {
    Path four = Files.write(folder.resolve("four.npy"), npy(4, "{}"));
    assertThatThrownBy(() -> MatrixFiles.readNpy(four))
        .hasMessage(four + " has the .npy version 4; 1, 2 and 3 are known");
    Path text = Files.writeString(folder.resolve("text.npy"), "model,t0\n");
    assertThatThrownBy(() -> MatrixFiles.readNpy(text))
        .hasMessage(text + " is not a .npy file: it does not start with \\x93NUMPY");
    Path absent = folder.resolve("absent.npy");
    assertThatThrownBy(() -> MatrixFiles.readNpy(absent))
        .isInstanceOf(LlmapException.class)
        .hasMessage("cannot read " + absent + ": there is no " + absent);
  }

  private static byte[] npy(int version, String header) {
    byte[] text = header.getBytes(StandardCharsets.ISO_8859_1);
    return ByteBuffer.allocate(10 + text.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0})
        .putShort((short) text.length)
        .put(text)
        .array();
  }

  private static void assertSame(LogLikelihoodMatrix actual, LogLikelihoodMatrix expected) {
    assertThat(actual.names()).isEqualTo(expected.names());
    assertThat(actual.textIds()).isEqualTo(expected.textIds());
    assertThat(actual.toFlatArray()).isEqualTo(expected.toFlatArray());
    for (int n = 0; n < expected.texts(); n++) {
      assertThat(actual.textBytes(n)).isEqualTo(expected.textBytes(n));
    }
  }

  /** isDeepEqualTo compares doubles by their bits, apart from NaN. */
  private static void assertSameBits(double[][] actual, double[][] expected) {
    assertThat(actual).isDeepEqualTo(expected);
  }
}
