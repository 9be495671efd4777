package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MatrixFilesTest {
  private static final List<String> NAMES =
      List.of("a,b", "\"", "line\nbreak\r\n", "größe 模型 🦙", "#bytes", "model", " x ", "\uFEFFbom");
  private static final List<String> IDS = List.of("0", "t,1", "\"t\"", "\uFEFF");

  @TempDir Path folder;

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("matrix.csv"), content);
  }

  /** Values whose shortest decimal form is long, tiny or large. */
  private static LogLikelihoodMatrix awkward() {
    Random random = new Random(3);
    double[][] values = new double[NAMES.size()][IDS.size()];
    for (double[] row : values) {
      Arrays.setAll(row, n -> -random.nextDouble() * Math.pow(10, random.nextInt(600) - 300));
    }
    values[0] = new double[] {-0.0, 0.0, -Double.MIN_VALUE, -Double.MAX_VALUE};
    return LogLikelihoodMatrix.of(NAMES, IDS, new int[] {1, 1024, 7, Integer.MAX_VALUE}, values);
  }

  @Test
  void csvAndNpzAreReadBackToTheSameBits() {
    assertRoundTrip(awkward(), MatrixFiles::writeCsv, MatrixFiles::readCsv);
    assertRoundTrip(awkward(), MatrixFiles::writeNpz, MatrixFiles::readNpz);
  }

  private void assertRoundTrip(
      LogLikelihoodMatrix matrix,
      BiConsumer<Path, LogLikelihoodMatrix> write,
      Function<Path, LogLikelihoodMatrix> read) {
    Path path = folder.resolve("round-trip");
    write.accept(path, matrix);
    assertSame(read.apply(path), matrix);
  }

  /** More than one chunk of the reader, and items that do not divide a chunk. */
  @Property(tries = 20)
  void anyFiniteMatrixIsReadBackToTheSameBits(
      @ForAll @IntRange(min = 1, max = 30) int k,
      @ForAll @IntRange(min = 1, max = 1500) int n,
      @ForAll long seed)
      throws IOException {
    Random random = new Random(seed);
    double[][] values = new double[k][n];
    for (double[] row : values) {
      Arrays.setAll(row, s -> finite(random));
    }
    LogLikelihoodMatrix matrix =
        LogLikelihoodMatrix.of(
            IntStream.range(0, k).mapToObj(i -> "m".repeat(1 + i * 7) + i).toList(),
            IntStream.range(0, n).mapToObj(s -> "🦙" + s).toList(),
            random.ints(n, 1, 2000).toArray(),
            values);
    Path path = Files.createTempFile("matrix", ".tmp");
    try {
      MatrixFiles.writeNpz(path, matrix);
      assertSame(MatrixFiles.readNpz(path), matrix);
      MatrixFiles.writeCsv(path, matrix);
      assertSame(MatrixFiles.readCsv(path), matrix);
      MatrixFiles.writeNpy(path, values);
      assertThat(MatrixFiles.readNpy(path)).isDeepEqualTo(values);
    } finally {
      Files.delete(path);
    }
  }

  private static double finite(Random random) {
    double value = Double.longBitsToDouble(random.nextLong());
    return Double.isFinite(value) ? -Math.abs(value) : 0;
  }

  @Test
  void anArrayMayHoldWhatALogLikelihoodMayNot() {
    Path path = folder.resolve("any.npy");
    double[][] values = {{Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}};

    MatrixFiles.writeNpy(path, values);

    assertThat(MatrixFiles.readNpy(path)[0]).containsExactly(values[0]);
  }

  @Test
  void equalMatricesAreEqualFiles() throws IOException {
    Path a = folder.resolve("a");
    Path b = folder.resolve("b");
    MatrixFiles.writeNpz(a, awkward());
    MatrixFiles.writeNpz(b, awkward());

    assertThat(a).hasSameBinaryContentAs(b);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(a, b);
    }
  }

  @Test
  void csvHasTheDocumentedLayout() {
    Path path = folder.resolve("layout.csv");
    MatrixFiles.writeCsv(
        path,
        LogLikelihoodMatrix.of(
            List.of("gpt", "a \"b\", c"),
            List.of("t0", "t,1"),
            new int[] {10, 20},
            new double[][] {{-1, -2.5}, {-1e-7, -1e22}}));

    assertThat(path)
        .hasContent(
            """
            model,t0,"t,1"
            #bytes,10,20
            gpt,-1.0,-2.5
            "a ""b"", c",-1.0E-7,-1.0E22
            """);
  }

  @Test
  void csvOfOtherProgramsIsRead() throws IOException {
    Path path =
        file(
            "\uFEFFanything,\"t0\",t1\r\n#bytes, 10 ,20\r\n\r\n\"multi\r\nline\",-1,-2e0\r\nb,\"-3\",+0.00");

    LogLikelihoodMatrix matrix = MatrixFiles.readCsv(path);

    assertThat(matrix.names()).containsExactly("multi\r\nline", "b");
    assertThat(matrix.textIds()).containsExactly("t0", "t1");
    assertThat(matrix.toFlatArray()).containsExactly(-1, -2, -3, 0);
    assertThat(matrix.textBytes(0)).isEqualTo(10);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "model,t0,t1/#bytes,1,2/a,-1|FILE, line 3: 2 fields, but the header has 3",
        "model,t0,t1/#bytes,1,2/a,-1,-2,-3|FILE, line 3: 4 fields, but the header has 3",
        "model,t0/#bytes,x/a,-1|FILE, line 2: the byte count of text \"t0\" is \"x\"",
        "model,t0/#bytes,1.5/a,-1|FILE, line 2: the byte count of text \"t0\" is \"1.5\"",
        "model,t0/#bytes,1/\"a/b\",-1/c,?|FILE, line 5: the log-likelihood of text \"t0\" under model \"c\" is \"?\", not a number",
        "model,t0/#bytes,1/a,|FILE, line 3: the log-likelihood of text \"t0\" under model \"a\" is \"\", not a number",
        "model,t0/#bytes,1/\"a,-1|FILE, line 3: a quoted field is not closed before the end of the file",
        "model,t0/#bytes,1/\"a\"b,-1|FILE, line 3: there is text behind the quoted field \"a\"",
        "model,t0/a,-1|FILE has no record \"#bytes\" behind the header; give the text set to read it without",
        "model/#bytes|FILE has no header with text ids",
        "model,t0/#bytes,1|FILE: a matrix needs at least one model and one text, got 0 and 1",
        "model,t0/#bytes,0/a,-1|FILE: text \"t0\" has 0 bytes",
        "model,t0/#bytes,1/a,-1/a,-2|FILE: two models are named \"a\"",
        "model,t0,t0/#bytes,1,1/a,-1,-1|FILE: two texts have the id \"t0\"",
        "model,t0/#bytes,1/a,NaN|FILE: the log-likelihood of text \"t0\" under model \"a\" is NaN",
        "model,t0/#bytes,1/a,-Infinity|FILE: the log-likelihood of text \"t0\" under model \"a\" is -Infinity",
      })
  void aBadCsvIsRefusedWithItsLine(String content, String problem) throws IOException {
    Path path = file(content.replace('/', '\n') + "\n");

    assertThatThrownBy(() -> MatrixFiles.readCsv(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(problem.replace("FILE", path.toString()));
  }

  @Test
  void anEmptyCsvAndOneThatIsNotUtf8AreNamed() throws IOException {
    Path empty = file("");
    assertThatThrownBy(() -> MatrixFiles.readCsv(empty))
        .isInstanceOf(LlmapException.class)
        .hasMessage(empty + " has no header with text ids");
    Path latin = Files.write(folder.resolve("latin.csv"), new byte[] {'m', ',', (byte) 0xE9, '\n'});
    assertThatThrownBy(() -> MatrixFiles.readCsv(latin))
        .isInstanceOf(LlmapException.class)
        .hasMessage("cannot read " + latin + ": it is not valid UTF-8");
  }

  private static TextSet texts() {
    return TextSet.of(List.of(Text.of("t0", "ab"), Text.of("t1", "é!"), Text.of("t2", "x")));
  }

  @Test
  void columnsOfKnownTextsComeInTheOrderOfTheTexts() throws IOException {
    for (String bytes : List.of("", "#bytes,3,1,2\n")) {
      LogLikelihoodMatrix matrix =
          MatrixFiles.readCsv(
              file("model,t1,t2,t0\n" + bytes + "a,-1,-2,0\nb,-4,-5,-3\n"), texts());

      assertThat(matrix.textIds()).containsExactly("t0", "t1", "t2");
      assertThat(matrix.toFlatArray()).containsExactly(0, -1, -2, -3, -4, -5);
      assertThat(matrix.textBytes(1)).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "model,t0,t1/a,-1,-2|FILE has 2 texts, the text set 3",
        "model,t0,t1,t9/a,-1,-2,-3|FILE has no column for the text \"t2\"",
        "model,t0,t1,t0/a,-1,-2,-3|FILE: two columns have the text id \"t0\"",
        "model,t0,t1,t2/#bytes,2,3,4/a,-1,-2,-3|FILE says that the text \"t2\" has 4 bytes, but it has 1",
        "model,t0,t1,t2/a,-1,NaN,-3|FILE: the log-likelihood of text \"t1\" under model \"a\" is NaN",
      })
  void columnsOfOtherTextsAreRefused(String content, String problem) throws IOException {
    Path path = file(content.replace('/', '\n'));

    assertThatThrownBy(() -> MatrixFiles.readCsv(path, texts()))
        .isInstanceOf(LlmapException.class)
        .hasMessage(problem.replace("FILE", path.toString()));
  }

  @Test
  void aTableHasAHeaderAndARecordAModel() {
    Path path = folder.resolve("table.csv");
    MatrixFiles.writeTable(
        path,
        List.of("a,b", "c"),
        List.of("x", "\"y\""),
        new double[][] {{1, Double.NaN}, {-0.5, 3}});

    assertThat(path).hasContent("model,x,\"\"\"y\"\"\"\n\"a,b\",1.0,NaN\nc,-0.5,3.0\n");
  }

  @Test
  void aTableOfAnotherShapeThanItsNamesIsNotWritten() {
    Path path = folder.resolve("table.csv");
    assertThatThrownBy(
            () -> MatrixFiles.writeTable(path, List.of("a"), List.of("x"), new double[2][1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("1 models but 2 rows");
    assertThatThrownBy(
            () -> MatrixFiles.writeTable(path, List.of("a"), List.of("x"), new double[1][2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("1 columns, but the row of model \"a\" has 2 values");
    assertThat(path).doesNotExist();
  }

  @Test
  void furtherArraysAndProvenanceStandBesideTheMatrix() throws IOException {
    Path path = folder.resolve("more.npz");
    Map<String, double[][]> more = new LinkedHashMap<>();
    more.put("q", new double[][] {{1, 2}, {3, 4}});
    more.put("größe", new double[][] {{5}});

    MatrixFiles.writeNpz(path, awkward(), more, "{\"from\": \"é\"}\n");

    assertSame(MatrixFiles.readNpz(path), awkward());
    try (ZipFile zip = new ZipFile(path.toFile())) {
      assertThat(zip.stream().map(ZipEntry::getName))
          .containsExactly(
              "log_likelihood.npy",
              "names.npy",
              "text_ids.npy",
              "text_bytes.npy",
              "q.npy",
              "größe.npy",
              "provenance.npy");
      ZipEntry q = zip.getEntry("q.npy");
      assertThat(NpyFormat.readMatrix(zip.getInputStream(q), q.getSize(), "q"))
          .isDeepEqualTo(more.get("q"));
      ZipEntry provenance = zip.getEntry("provenance.npy");
      assertThat(
              NpyFormat.readStrings(
                  zip.getInputStream(provenance), provenance.getSize(), "provenance"))
          .containsExactly("{\"from\": \"é\"}\n");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "log_likelihood",
    "names",
    "text_ids",
    "text_bytes",
    "missing",
    "text_set_fingerprint",
    "scoring_options",
    "model_fingerprints",
    "provenance"
  })
  void aNameOfTheFilesOwnArraysIsTaken(String name) throws IOException {
    Path path = folder.resolve("taken.npz");
    Map<String, double[][]> more = Map.of(name, new double[][] {{1}});

    assertThatThrownBy(() -> MatrixFiles.writeNpz(path, awkward(), more, "p"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("the array name \"" + name + "\" is taken");
    assertFolderIsEmpty();
  }

  @Test
  void raggedRowsAreRefusedWithTheirArray() throws IOException {
    Path path = folder.resolve("ragged");
    double[][] longer = {{1}, {2, 3}};
    double[][] shorter = {{1, 2}, {3}};
    assertThatThrownBy(() -> MatrixFiles.writeNpy(path, longer))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("row 1 of the array has 2 columns, row 0 has 1");
    assertThatThrownBy(() -> MatrixFiles.writeNpz(path, awkward(), Map.of("q", shorter), ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("row 1 of the array \"q\" has 1 columns, row 0 has 2");
    assertFolderIsEmpty();
  }

  @Test
  void namesThatNumpyHasNoFormForAreRefused() throws IOException {
    for (String name : List.of("nul\0", "lone\uD83E")) {
      LogLikelihoodMatrix matrix =
          LogLikelihoodMatrix.of(List.of(name), List.of("t"), new int[] {1}, new double[][] {{-1}});
      assertThatThrownBy(() -> MatrixFiles.writeNpz(folder.resolve("bad.npz"), matrix))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("ends with NUL or has a lone surrogate");
    }
    assertFolderIsEmpty();
  }

  private void assertFolderIsEmpty() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"log_likelihood", "names", "text_ids", "text_bytes"})
  void aMissingArrayIsNamedWithThoseThatThereAre(String missing) throws IOException {
    Path whole = folder.resolve("whole.npz");
    MatrixFiles.writeNpz(whole, awkward());
    Path path = folder.resolve("missing.npz");
    try (ZipFile zip = new ZipFile(whole.toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(path))) {
      for (ZipEntry entry : zip.stream().toList()) {
        if (!entry.getName().equals(missing + ".npy")) {
          out.putNextEntry(new ZipEntry(entry.getName()));
          try (InputStream in = zip.getInputStream(entry)) {
            in.transferTo(out);
          }
        }
      }
    }

    assertThatThrownBy(() -> MatrixFiles.readNpz(path))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith(path + " has no array \"" + missing + "\"; it has ")
        .hasMessageNotContaining(missing + ".npy");
  }

  @Test
  void aBadNpzIsRefusedAsAMatrixIs() throws IOException {
    assertNpzRefused(
        List.of("a", "a"),
        new int[] {1},
        new double[][] {{-1}, {-2}},
        ": two models are named \"a\"");
    assertNpzRefused(
        List.of("a"),
        new int[] {1},
        new double[][] {{Double.NaN}},
        ": the log-likelihood of text \"t\" under model \"a\" is NaN");
    assertNpzRefused(
        List.of("a"),
        new int[] {1, 2},
        new double[][] {{-1}},
        ": 1 names but 1 rows; 1 text ids but 2 byte counts");
    assertNpzRefused(
        List.of("a"),
        new int[] {1},
        new double[][] {{-1, -2}},
        ": model \"a\" has 2 values, expected 1");
  }

  private void assertNpzRefused(List<String> names, int[] bytes, double[][] values, String problem)
      throws IOException {
    Path path = folder.resolve("bad.npz");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      zip.putNextEntry(new ZipEntry("names.npy"));
      NpyFormat.write(zip, names);
      zip.putNextEntry(new ZipEntry("text_ids.npy"));
      NpyFormat.write(zip, List.of("t"));
      zip.putNextEntry(new ZipEntry("text_bytes.npy"));
      NpyFormat.write(zip, bytes);
      zip.putNextEntry(new ZipEntry("log_likelihood.npy"));
      NpyFormat.write(zip, values);
    }
    assertThatThrownBy(() -> MatrixFiles.readNpz(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + problem);
  }

  @Test
  void aByteCountThatIsNotAnIntegerIsRefused() throws IOException {
    Path path = folder.resolve("half.npz");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path));
        InputStream halves = MatrixFilesTest.class.getResourceAsStream("vector.npy")) {
      for (String name : List.of("names", "text_ids")) {
        zip.putNextEntry(new ZipEntry(name + ".npy"));
        NpyFormat.write(zip, List.of("t", "u"));
      }
      zip.putNextEntry(new ZipEntry("log_likelihood.npy"));
      NpyFormat.write(zip, new double[][] {{-1, -2}, {-3, -4}});
      zip.putNextEntry(new ZipEntry("text_bytes.npy"));
      halves.transferTo(zip);
    }
    assertThatThrownBy(() -> MatrixFiles.readNpz(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + ": text 1 has 2.5 bytes");
  }

  private static void assertSame(LogLikelihoodMatrix actual, LogLikelihoodMatrix expected) {
    assertThat(actual.names()).isEqualTo(expected.names());
    assertThat(actual.textIds()).isEqualTo(expected.textIds());
    assertThat(actual.toFlatArray()).isEqualTo(expected.toFlatArray());
    for (int n = 0; n < expected.texts(); n++) {
      assertThat(actual.textBytes(n)).isEqualTo(expected.textBytes(n));
    }
  }
}
