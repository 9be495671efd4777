package io.llmap.matrix;

import static java.lang.Double.NaN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Missing cells and provenance in files. */
class PartialMatrixFilesTest {
  private static final List<String> NAMES = List.of("#missing", "b", "ä");
  private static final List<String> IDS = List.of("t0", "t1");
  private static final double[][] VALUES = {{-1.5, NaN}, {-2, -3}, {NaN, -0.1}};
  private static final boolean[][] MISSING = {{false, true}, {false, false}, {true, false}};

  @TempDir Path folder;

  private static LogLikelihoodMatrix partial() {
    return LogLikelihoodMatrix.ofPartial(NAMES, IDS, new int[] {1, 2}, VALUES, MISSING);
  }

  private static MatrixProvenance provenance() {
    return new MatrixProvenance(
        "f00d",
        Map.of("prefix", "a=b, \"ü\"", "over-length", ""),
        Map.of("#missing", "sha-1", "b", "sha-2", "ä", "sha-3"));
  }

  private static void assertSame(LogLikelihoodMatrix actual, LogLikelihoodMatrix expected) {
    assertThat(actual.names()).isEqualTo(expected.names());
    assertThat(actual.textIds()).isEqualTo(expected.textIds());
    assertThat(actual.toFlatArray()).isEqualTo(expected.toFlatArray());
    assertThat(actual.textBytes(1)).isEqualTo(expected.textBytes(1));
    assertThat(actual.missingCells()).isEqualTo(expected.missingCells());
  }

  @Test
  void missingCellsComeBackFromNpzAndCsv() {
    Path npz = folder.resolve("m.npz");
    MatrixFiles.writeNpz(npz, partial());
    assertSame(MatrixFiles.readNpz(npz), partial());

    Path csv = folder.resolve("m.csv");
    MatrixFiles.writeCsv(csv, partial());
    assertSame(MatrixFiles.readCsv(csv), partial());
    assertThat(csv)
        .hasContent(
            "model,t0,t1\n#bytes,1,2\n#missing,1,1\n#missing,-1.5,\nb,-2.0,-3.0\nä,,-0.1\n");
  }

  @Test
  void aCompleteMatrixHasNoArrayOfMissingCellsAndNoRecordOfThem() throws IOException {
    LogLikelihoodMatrix complete = partial().selectModels(new int[] {1});
    Path npz = folder.resolve("m.npz");
    MatrixFiles.writeNpz(npz, complete);
    try (ZipFile zip = new ZipFile(npz.toFile())) {
      assertThat(zip.stream().map(ZipEntry::getName))
          .containsExactly("log_likelihood.npy", "names.npy", "text_ids.npy", "text_bytes.npy");
    }
    Path csv = folder.resolve("m.csv");
    MatrixFiles.writeCsv(csv, complete);
    assertThat(csv).hasContent("model,t0,t1\n#bytes,1,2\nb,-2.0,-3.0\n");
  }

  @Test
  void aFirstModelWithTheNameOfTheRecordIsStillAModel() {
    LogLikelihoodMatrix matrix =
        LogLikelihoodMatrix.of(
            List.of("#missing"), IDS, new int[] {1, 2}, new double[][] {{0, -1}});
    Path csv = folder.resolve("m.csv");
    MatrixFiles.writeCsv(csv, matrix);
    assertSame(MatrixFiles.readCsv(csv), matrix);
  }

  @Test
  void columnsWithMissingCellsComeInTheOrderOfTheTexts() throws IOException {
    TextSet texts = TextSet.of(List.of(Text.of("t0", "a"), Text.of("t1", "bc")));
    for (String bytes : List.of("", "#bytes,2,1\n")) {
      Path csv =
          Files.writeString(
              folder.resolve("m.csv"),
              "model,t1,t0\n" + bytes + "#missing,1,1\n#missing,,-1.5\nb,-3,-2\nä,-0.1,\n");
      assertSame(MatrixFiles.readCsv(csv, texts), partial());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "#bytes,1,1/a,-1,/b,-1,-2|FILE, line 3: the log-likelihood of text \"t1\" under model \"a\" is \"\", not a number",
        "#bytes,1,1/#missing,0,1/a,-1,/b,,-2|FILE says that 0 models lack the text \"t0\", but 1 cells are empty",
        "#bytes,1,1/#missing,0,1/a,-1,-3/b,-4,-2|FILE says that 1 models lack the text \"t1\", but 0 cells are empty",
        "#bytes,1,1/#missing,0,1/a,-1,NaN/b,-4,|FILE: the log-likelihood of text \"t1\" under model \"a\" is NaN",
        "#bytes,1,1/#missing,0,1/a,-1, /b,-4,|FILE, line 4: the log-likelihood of text \"t1\" under model \"a\" is \" \", not a number",
        "#bytes,1,1/#missing,0,x/a,-1,|FILE, line 3: the number of models without text \"t1\" is \"x\"",
        "#bytes,1,1/#missing,0,1/a,-1,|FILE: none of 1 models has the text \"t1\"",
        "#bytes,1,1/#missing,1,1/a,,/b,-1,-2|FILE: model \"a\" lacks all 2 texts",
        "#missing,0,1/#bytes,1,1/a,-1,/b,-1,-2|FILE has no record \"#bytes\" behind the header; give the text set to read it without",
      })
  void emptyFieldsThatAreNotDeclaredAreRefused(String content, String problem) throws IOException {
    Path path =
        Files.writeString(
            folder.resolve("m.csv"), "model,t0,t1\n" + content.replace('/', '\n') + "\n");

    assertThatThrownBy(() -> MatrixFiles.readCsv(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(problem.replace("FILE", path.toString()));
  }

  /** Cut within a line or between two, a file is never a smaller matrix with missing cells. */
  @Test
  void noCutCsvHasMoreMissingCellsThanTheWhole() throws IOException {
    Path whole = folder.resolve("whole.csv");
    MatrixFiles.writeCsv(whole, partial());
    String content = Files.readString(whole);
    for (int length = 0; length < content.length() - 4; length++) {
      Path cut = Files.writeString(folder.resolve("cut.csv"), content.substring(0, length));
      assertThatThrownBy(() -> MatrixFiles.readCsv(cut))
          .as(content.substring(0, length))
          .isInstanceOf(LlmapException.class)
          .hasMessageStartingWith(cut.toString());
    }
  }

  @Test
  void provenanceComesBackFromNpz() throws IOException {
    Path path = folder.resolve("m.npz");
    MatrixFiles.writeNpz(
        path,
        partial().withProvenance(provenance()),
        Map.of("q", new double[][] {{1}}),
        "for a person");

    assertSame(MatrixFiles.readNpz(path), partial());
    assertThat(MatrixFiles.readNpz(path).provenance()).contains(provenance());
    try (ZipFile zip = new ZipFile(path.toFile())) {
      assertThat(zip.stream().map(ZipEntry::getName))
          .containsExactly(
              "log_likelihood.npy",
              "names.npy",
              "text_ids.npy",
              "text_bytes.npy",
              "missing.npy",
              "text_set_fingerprint.npy",
              "scoring_options.npy",
              "model_fingerprints.npy",
              "q.npy",
              "provenance.npy");
    }
  }

  @Test
  void provenanceWithoutOptionsComesBackToo() {
    MatrixProvenance bare =
        new MatrixProvenance("f00d", Map.of(), provenance().modelFingerprints());
    Path path = folder.resolve("m.npz");
    MatrixFiles.writeNpz(path, partial().withProvenance(bare));

    assertThat(MatrixFiles.readNpz(path).provenance()).contains(bare);
  }

  private interface Array {
    void write(ZipOutputStream zip) throws IOException;
  }

  /** Rewrites a whole file with some arrays replaced, or left out where there is no replacement. */
  private Path damaged(Map<String, Array> replacements) throws IOException {
    Path whole = folder.resolve("whole.npz");
    MatrixFiles.writeNpz(whole, partial().withProvenance(provenance()));
    Path path = folder.resolve("damaged.npz");
    try (ZipFile zip = new ZipFile(whole.toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(path))) {
      for (ZipEntry entry : zip.stream().toList()) {
        String name = entry.getName().replace(".npy", "");
        if (!name.equals("missing") || !replacements.containsKey("no missing")) {
          out.putNextEntry(new ZipEntry(entry.getName()));
          if (replacements.containsKey(name)) {
            replacements.get(name).write(out);
          } else {
            try (InputStream in = zip.getInputStream(entry)) {
              in.transferTo(out);
            }
          }
        }
      }
    }
    return path;
  }

  private void assertRefused(String array, Array replacement, String problem) throws IOException {
    Path path = damaged(Map.of(array, replacement));
    assertThatThrownBy(() -> MatrixFiles.readNpz(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + problem);
  }

  @Test
  void anNpzWhoseArraysDisagreeIsRefused() throws IOException {
    assertRefused(
        "no missing",
        zip -> {},
        ": the log-likelihood of text \"t1\" under model \"#missing\" is NaN");
    assertRefused(
        "missing",
        zip -> NpyFormat.write(zip, new boolean[3][2]),
        ": the log-likelihood of text \"t1\" under model \"#missing\" is NaN");
    assertRefused(
        "missing",
        zip -> NpyFormat.write(zip, new boolean[][] {{true, true}, {false, false}, {true, false}}),
        ": the log-likelihood of text \"t0\" under model \"#missing\" is -1.5, but it is marked as"
            + " missing");
    assertRefused(
        "missing",
        zip -> NpyFormat.write(zip, new boolean[2][2]),
        ": 3 names but 2 rows of the mask");
    assertRefused(
        "missing",
        zip -> NpyFormat.write(zip, new double[3][2]),
        ", array \"missing\", has elements of type f8, not truth values (b1)");
    assertRefused(
        "model_fingerprints",
        zip -> NpyFormat.write(zip, List.of("sha-1", "sha-2")),
        ": 3 models have 2 fingerprints, their texts 1");
    assertRefused(
        "scoring_options",
        zip -> NpyFormat.write(zip, List.of("prefix")),
        ": the scoring option \"prefix\" has no value");
    assertRefused(
        "text_set_fingerprint",
        zip -> NpyFormat.write(zip, List.of(" ")),
        ": the text set has a blank fingerprint");
    assertRefused(
        "text_ids",
        zip -> NpyFormat.write(zip, List.of("t", "t")),
        ": two texts have the id \"t\"");
  }
}
