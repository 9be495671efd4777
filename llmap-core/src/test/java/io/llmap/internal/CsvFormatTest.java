package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvFormatTest {
  private static List<List<String>> read(String csv) throws IOException {
    List<List<String>> records = new ArrayList<>();
    try (CsvFormat format = new CsvFormat(new StringReader(csv), "file.csv")) {
      for (List<String> r = format.next(); !r.isEmpty(); r = format.next()) {
        records.add(r);
      }
    }
    return records;
  }

  @Property(tries = 500)
  void recordsAreReadBackAsTheyWereWritten(@ForAll("records") List<List<String>> records)
      throws IOException {
    StringBuilder csv = new StringBuilder();
    for (List<String> record : records) {
      String separator = "";
      for (String field : record) {
        csv.append(separator);
        CsvFormat.append(csv, field);
        separator = ",";
      }
      csv.append('\n');
    }

    assertThat(read(csv.toString())).isEqualTo(records);
  }

  /** Two fields at least: a record of one empty field is a blank line. */
  @Provide
  static Arbitrary<List<List<String>>> records() {
    return Arbitraries.strings()
        .withChars(',', '"', '\n', '\r', ' ', 'a', 'é', '\uFEFF')
        .ofMaxLength(6)
        .list()
        .ofMinSize(2)
        .ofMaxSize(4)
        .list()
        .ofMaxSize(4);
  }

  @Test
  void onlyFieldsThatNeedItAreQuoted() throws IOException {
    StringBuilder csv = new StringBuilder();
    for (String field : List.of("a b", "a,b", "a\"b", "a\nb", "a\rb", "", "'", "\uFEFFa")) {
      CsvFormat.append(csv, field);
      csv.append(';');
    }
    assertThat(csv).hasToString("a b;\"a,b\";\"a\"\"b\";\"a\nb\";\"a\rb\";;';\"\uFEFFa\";");
  }

  @Test
  void lineEndsBlankLinesAndTheByteOrderMarkAreNoPartOfARecord() throws IOException {
    assertThat(read("\uFEFFa,b\r\n\r\n\nc,\n\"d\",\"\"\r\n,e"))
        .containsExactly(List.of("a", "b"), List.of("c", ""), List.of("d", ""), List.of("", "e"));
    assertThat(read("")).isEmpty();
    assertThat(read("\uFEFF\r\n\n")).isEmpty();
  }

  @Test
  void anErrorNamesTheLineOnWhichItsRecordStarts() {
    assertThatThrownBy(() -> read("a,b\n\n\"two\nlines\",c\nd,\"open\n\n"))
        .isInstanceOf(LlmapException.class)
        .hasMessage("file.csv, line 5: a quoted field is not closed before the end of the file");
    assertThatThrownBy(() -> read("a\r\n\"b\" c"))
        .isInstanceOf(LlmapException.class)
        .hasMessage("file.csv, line 2: there is text behind the quoted field \"b\"");
  }

  @Test
  void aLoneSurrogateIsNotWrittenAsAQuestionMark(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("a.csv");
    assertThatThrownBy(() -> CsvFormat.write(file, out -> CsvFormat.append(out, "a\uD83Eb")))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith("cannot write " + file);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }
}
