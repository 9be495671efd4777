package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that numpy 1.24.2 and 2.4.6 wrote, by tools/fixtures/make_pickles.py, and hostile ones. */
class NumpyPickleTest {
  private static final List<String> IDS = List.of("t0", "t1", "t2");
  private static final int[] BYTES = {10, 20, 30};

  @TempDir Path folder;

  private static Path numpy(String name) throws URISyntaxException {
    return Path.of(
        Objects.requireNonNull(NumpyPickleTest.class.getResource("pickle/" + name + ".pkl"), name)
            .toURI());
  }

  private static LogLikelihoodMatrix read(Path path) {
    return MatrixFiles.readPickle(path, IDS, BYTES);
  }

  private static void assertRefused(Path path, String problem) {
    assertThatThrownBy(() -> read(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + problem);
  }

  private static void assertDictionaryRefused(Path path, String problem) {
    assertRefused(
        path,
        " is no pickled dictionary of names and one-dimensional arrays of numbers: " + problem);
  }

  @ParameterizedTest
  @CsvSource({"1,2", "1,3", "1,4", "1,5", "2,2", "2,3", "2,4", "2,5"})
  void arraysOfNumpyAreReadInTheirOrder(int numpy, int protocol) throws URISyntaxException {
    LogLikelihoodMatrix matrix = read(numpy("numpy%d-protocol%d".formatted(numpy, protocol)));

    assertThat(matrix.names())
        .containsExactly(
            "z/double",
            "größe 模型 🦙",
            "half",
            "big",
            "big single",
            "integer",
            "long",
            "strided",
            "a");
    assertThat(matrix.textIds()).isEqualTo(IDS);
    assertThat(matrix.textBytes(2)).isEqualTo(30);
    assertThat(matrix.row(0)).containsExactly(-1.5, -0.1, -600.25);
    assertThat(matrix.row(1)).containsExactly(-1.5, -0.1f, -600.25);
    // The nearest halves: 0.1 is 1638.4 · 2⁻¹⁴, and above 512 they are 0.5 apart.
    assertThat(matrix.row(2)).containsExactly(-1.5, -1638 * 0x1p-14, -600);
    assertThat(matrix.row(3)).containsExactly(-1.5, -0.1, -600.25);
    assertThat(matrix.row(4)).containsExactly(-1.5, -0.1f, -600.25);
    assertThat(matrix.row(5)).containsExactly(-1, 0, -2147483648);
    assertThat(matrix.row(6)).containsExactly(-1, 0, -0x1p53);
    assertThat(matrix.row(7)).containsExactly(-1.5, -0.1, -600.25);
    assertThat(matrix.row(8)).containsExactly(-255.5, -0.0, -Double.MIN_VALUE);
    assertThat(matrix.provenance()).isEmpty();
  }

  @Test
  void longNamesAndArraysAreRead() throws URISyntaxException {
    LogLikelihoodMatrix matrix =
        MatrixFiles.readPickle(
            numpy("long"),
            IntStream.range(0, 300).mapToObj(Integer::toString).toList(),
            IntStream.range(0, 300).map(n -> 1).toArray());

    assertThat(matrix.names()).containsExactly("m".repeat(300), "n");
    assertThat(matrix.row(0)).isEqualTo(IntStream.range(-300, 0).asDoubleStream().toArray());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "matrix|the array of \"m\" has 2 dimensions, not 1",
        "scalar|it refers to numpy._core.multiarray.scalar, which is not followed because it may run code; save arrays as .npz",
        "float|it has the pickle instruction 0x47, which no such dictionary needs",
        "list|it has the pickle instruction 0x5d, which no such dictionary needs",
        "objects|an array has elements of type O8; f2, f4, f8, i4 and i8 are read",
        "strings|an array has elements of type U1; f2, f4, f8, i4 and i8 are read",
        "complex|an array has elements of type c16; f2, f4, f8, i4 and i8 are read",
        "structured|an array has elements of type V8; f2, f4, f8, i4 and i8 are read",
        "key|a key of the dictionary is no string",
        "array|it holds no dictionary",
        "no-dictionary|it holds no dictionary",
      })
  void whatIsNoDictionaryOfArraysIsRefusedWithItsReason(String name, String problem)
      throws URISyntaxException {
    assertDictionaryRefused(numpy(name), problem);
  }

  @Test
  void valuesThatAreNoLogLikelihoodsNameTheirModel() throws URISyntaxException {
    assertRefused(numpy("nan"), ": the log-likelihood of text \"t1\" under model \"m\" is NaN");
    assertRefused(numpy("short"), ": model \"n\" has 2 values, expected 3");
    assertRefused(
        numpy("protocol0"),
        " is no pickle of protocol 2 to 5: it does not start with 0x80 and such a number");
  }

  /** Instructions by hand, at protocol 4 unless they are of an older one. */
  private static final class Pickle {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Pickle(int protocol) {
      bytes.write(0x80);
      bytes.write(protocol);
    }

    Pickle add(String instructions) {
      bytes.writeBytes(instructions.getBytes(StandardCharsets.ISO_8859_1));
      return this;
    }

    Pickle add(byte[] instructions) {
      bytes.writeBytes(instructions);
      return this;
    }

    /** SHORT_BINUNICODE. */
    Pickle string(String value) {
      return add("\u008c" + (char) value.length() + value);
    }

    Path at(Path path) throws IOException {
      return Files.write(path, bytes.toByteArray());
    }
  }

  private Pickle pickle() {
    return new Pickle(4);
  }

  private Path hostile() {
    return folder.resolve("hostile.pkl");
  }

  /** What pickle.dumps makes of an object whose __reduce__ is (os.system, (command,)). */
  @Test
  void aCommandIsNotRun() throws IOException {
    Path trace = folder.resolve("trace");
    String command = "touch " + trace;
    String notFollowed = ", which is not followed because it may run code; save arrays as .npz";

    for (String function : List.of("posix system", "os system", "builtins eval", "nt system")) {
      String[] parts = function.split(" ", -1);
      Path stackGlobal =
          pickle()
              .string(parts[0])
              .string(parts[1])
              .add("\u0093")
              .string(command)
              .add("\u0085R.")
              .at(hostile());
      assertDictionaryRefused(
          stackGlobal, "it refers to " + parts[0] + "." + parts[1] + notFollowed);
      Path global =
          new Pickle(2)
              .add("c" + parts[0] + "\n" + parts[1] + "\n(X")
              .add(new byte[] {(byte) command.length(), 0, 0, 0})
              .add(command + "tR.")
              .at(hostile());
      assertDictionaryRefused(global, "it refers to " + parts[0] + "." + parts[1] + notFollowed);
    }
    assertThat(trace).doesNotExist();
  }

  /** The library's own constructors, and those a program has registered with it, stay unused. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "decimal Decimal",
        "datetime datetime",
        "copy_reg _reconstructor",
        "operator attrgetter",
        "array array",
        "builtins set",
        "builtins ValueError",
        "java.lang.Runtime getRuntime",
        "numpy.core.multiarray scalar",
        "pandas.core.frame DataFrame"
      })
  void noOtherConstructorIsKnown(String function) throws IOException {
    String[] parts = function.split(" ", -1);
    Path path = pickle().string(parts[0]).string(parts[1]).add("\u0093").add(")R.").at(hostile());

    assertDictionaryRefused(
        path,
        "it refers to %s.%s, which is not followed because it may run code; save arrays as .npz"
            .formatted(parts[0], parts[1]));
  }

  /** INST, OBJ, NEWOBJ, NEWOBJ_EX, PERSID, BINPERSID, EXT1, NEXT_BUFFER, DUP and an unknown one. */
  @ParameterizedTest
  @ValueSource(ints = {'i', 'o', 0x81, 0x92, 'P', 'Q', 0x82, 0x97, '2', 0xFF})
  void instructionsThatCallOrReferIndirectlyAreRefused(int instruction) throws IOException {
    Path path = pickle().add(")" + (char) instruction + "posix\nsystem\n.").at(hostile());

    assertDictionaryRefused(
        path,
        "it has the pickle instruction 0x%02x, which no such dictionary needs"
            .formatted(instruction));
  }

  @Test
  void aTypeIsNeitherCalledNorGivenAState() throws IOException {
    assertDictionaryRefused(
        pickle().string("numpy").string("ndarray").add("\u0093)R.").at(hostile()),
        "it calls numpy.ndarray");
    assertDictionaryRefused(
        pickle().string("numpy").string("ndarray").add("\u0093)b.").at(hostile()), "it is damaged");
  }

  @Test
  void lengthsThatTheFileDoesNotHaveTakeNoMemory() throws IOException {
    byte[] twoGigabytes = {-1, -1, -1, 0x7F};
    byte[] negative = {0, 0, 0, -128};
    for (char instruction : new char[] {'X', 'B'}) {
      assertDictionaryRefused(
          pickle().add("" + instruction).add(twoGigabytes).add("abc").at(hostile()),
          "a value of 2147483647 bytes begins 3 bytes before its end");
      assertDictionaryRefused(
          pickle().add("" + instruction).add(negative).add("abc").at(hostile()),
          "a value of 2147483648 bytes begins 3 bytes before its end");
    }
    byte[] huge = {-1, -1, -1, -1, -1, -1, -1, -1};
    for (char instruction : new char[] {0x8D, 0x8E, 0x96}) {
      assertDictionaryRefused(
          pickle().add("" + instruction).add(huge).add("abc").at(hostile()),
          "a value of 18446744073709551615 bytes begins 3 bytes before its end");
    }
  }

  /** The numbers of a type, memoised as 1. */
  private static Pickle type(Pickle pickle) {
    return pickle
        .string("numpy")
        .string("dtype")
        .add("\u0093")
        .string("f8")
        .add("\u0089\u0088\u0087Rq\u0001");
  }

  private static byte[] doubles(double... values) {
    ByteBuffer data = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(values).forEach(data::putDouble);
    return data.array();
  }

  /** A value of (shape,) numbers in the data that is memoised as 2, by _frombuffer. */
  private static Pickle array(Pickle pickle, String shape) {
    return pickle
        .string("numpy._core.numeric")
        .string("_frombuffer")
        .add("\u0093(h\u0002h\u0001" + shape + "\u0085")
        .string("C")
        .add("tR");
  }

  private Pickle withData(double... values) {
    byte[] data = doubles(values);
    return type(pickle()).add("C" + (char) data.length).add(data).add("q\u0002");
  }

  @Test
  void anArrayByHandIsReadSoThatTheRefusalsBelowHaveTheirReasons() throws IOException {
    Path path = array(withData(-1, -2, -3).add("}").string("m"), "K\u0003").add("s.").at(hostile());

    assertThat(read(path).row(0)).containsExactly(-1, -2, -3);
  }

  @Test
  void aShapeThatIsNotThatOfTheDataIsRefused() throws IOException {
    assertDictionaryRefused(
        array(withData(-1, -2, -3).add("}").string("m"), "K\u0004").add("s.").at(hostile()),
        "the array of \"m\" has 24 bytes of data, but 4 numbers of 8 bytes");
    assertDictionaryRefused(
        array(withData(-1, -2, -3).add("}").string("m"), "J\u00ff\u00ff\u00ff\u00ff")
            .add("s.")
            .at(hostile()),
        "the array of \"m\" has 24 bytes of data, but -1 numbers of 8 bytes");
    // 2⁶¹ + 3, whose eightfold is 24 in 64 bits.
    assertDictionaryRefused(
        array(
                withData(-1, -2, -3).add("}").string("m"),
                "\u008a\b\u0003\u0000\u0000\u0000\u0000\u0000\u0000 ")
            .add("s.")
            .at(hostile()),
        "it is damaged");
  }

  /** Each name takes a few bytes and would become a row. */
  @Test
  void oneArrayUnderManyNamesIsRefused() throws IOException {
    Pickle pickle = array(withData(new double[31]), "K\u001f").add("q\u0003}(");
    for (int i = 0; i < 100; i++) {
      pickle.string("m" + i).add("h\u0003");
    }
    assertDictionaryRefused(pickle.add("u.").at(hostile()), "its arrays are larger than the file");
  }

  @Test
  void oneTextEncodedManyTimesIsRefused() throws IOException {
    String text = "x".repeat(200);
    Pickle pickle =
        pickle()
            .string(text)
            .add("q\u0000")
            .string("latin1")
            .add("q\u0001")
            .string("_codecs")
            .string("encode")
            .add("\u0093q\u0002");
    for (int i = 0; i < 100; i++) {
      pickle.add("h\u0002h\u0000h\u0001\u0086R");
    }
    assertThatThrownBy(() -> read(pickle.add("}.").at(hostile())))
        .isInstanceOf(LlmapException.class)
        .hasMessageEndingWith(" characters as latin1");
  }

  @Test
  void aFileOfInstructionsWithoutArraysIsRefused() throws IOException {
    byte[] memoize = new byte[2_000_001];
    Arrays.fill(memoize, (byte) 0x94);
    assertDictionaryRefused(
        pickle().add("N").add(memoize).at(hostile()), "it has more than 2000000 instructions");
  }

  @Test
  void aValueThatIsNothingIsNoArray() throws IOException {
    assertDictionaryRefused(
        pickle().add("}").string("m").add("Ns.").at(hostile()), "the value of \"m\" is no array");
  }

  @Test
  void bytesBehindTheEndAreRefused() throws IOException {
    assertDictionaryRefused(
        pickle().add("}.").add("more").at(hostile()), "4 bytes stand behind its end");
  }

  @Test
  void everyTruncationIsRefused() throws IOException, URISyntaxException {
    for (String name : List.of("numpy1-protocol2", "numpy2-protocol4", "numpy2-protocol5")) {
      byte[] whole = Files.readAllBytes(numpy(name));
      for (int length = 0; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        assertThatThrownBy(() -> NumpyPickle.read(hostile(), cut))
            .as("%d bytes of %s", length, name)
            .isInstanceOf(LlmapException.class)
            .hasMessageStartingWith(hostile().toString());
      }
    }
  }

  /** A pickle has no checksum: a damaged number may be read, but nothing else may come of it. */
  @ParameterizedTest
  @ValueSource(strings = {"numpy1-protocol2", "numpy2-protocol4", "numpy2-protocol5"})
  void aDamagedByteGivesArraysOrAnErrorWithTheFilesName(String name)
      throws IOException, URISyntaxException {
    byte[] whole = Files.readAllBytes(numpy(name));
    int refused = 0;
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= (byte) (1 << at % 8);
      try {
        assertThat(NumpyPickle.read(hostile(), damaged)).isNotEmpty();
      } catch (LlmapException e) {
        refused++;
        assertThat(e).hasMessageStartingWith(hostile().toString());
      }
    }
    assertThat(refused).isGreaterThan(whole.length / 3);
  }

  @Test
  void withoutTheLibraryTheMessageNamesIt() throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (!Path.of(entry).getFileName().toString().startsWith("pickle-")) {
        urls.add(Path.of(entry).toUri().toURL());
      }
    }
    Path path = numpy("numpy2-protocol4");
    try (URLClassLoader without =
        new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader())) {
      Class<?> files = without.loadClass(MatrixFiles.class.getName());
      assertThatThrownBy(
              () ->
                  files
                      .getMethod("readPickle", Path.class, List.class, int[].class)
                      .invoke(null, path, IDS, BYTES))
          .cause()
          .hasMessage(
              "cannot read "
                  + path
                  + ": a pickle needs net.razorvine:pickle 1.5 on the class path");
    }
  }
}
