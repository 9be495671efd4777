package io.llmap.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextSetTest {
  @TempDir Path folder;

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("texts.jsonl"), content);
  }

  private static TextSet awkward() {
    return TextSet.of(
        List.of(
            Text.of("plain", "x"),
            Text.of("lines", "one\ntwo\r\nthree\u2028four\u0085"),
            Text.of("quotes \"and\" \\", "\"{\\u0041}\" \\ / \t\b\f\0\u007F\uFEFF"),
            Text.of("größe 模型", "é 模 🦙 \uDBFF\uDFFF"),
            new Text("asked", "Q: \"why?\"\nA:", " because"),
            Text.of("7", " \n ")));
  }

  @Test
  void aSetIsReadBackAsItWasWritten() {
    Path path = folder.resolve("set.jsonl");
    awkward().writeJsonl(path);

    TextSet read = TextSet.readJsonl(path);

    assertThat(read).isEqualTo(awkward()).hasSameHashCodeAs(awkward());
    assertThat(read.fingerprint()).isEqualTo(awkward().fingerprint());
  }

  @Test
  void aTextIsOneLineAndAnAbsentPromptIsNotWritten() throws IOException {
    Path path = folder.resolve("set.jsonl");
    awkward().writeJsonl(path);

    List<String> lines = Files.readAllLines(path);

    assertThat(lines).hasSize(6);
    assertThat(lines.get(0)).isEqualTo("{\"id\":\"plain\",\"text\":\"x\"}");
    assertThat(lines.get(4))
        .isEqualTo("{\"id\":\"asked\",\"prompt\":\"Q: \\\"why?\\\"\\nA:\",\"text\":\" because\"}");
  }

  @Test
  void theIdIsTheFieldIdElseIndexElseTheLineCountedFromZero() throws IOException {
    TextSet set =
        TextSet.readJsonl(
            file(
                """
                {"text": "a", "id": "first", "index": 9}
                {"text": "b", "index": 17}
                {"text": "c", "index": "seventeen"}

                {"text": "d", "id": null, "index": null}
                {"text": "e", "id": 12345678901234567890}
                """));

    assertThat(set.ids()).containsExactly("first", "17", "seventeen", "4", "12345678901234567890");
  }

  @Test
  void byteOrderMarkCarriageReturnsAndBlankLinesAreNoPartOfATextSet() throws IOException {
    TextSet set =
        TextSet.readJsonl(
            file(
                "\uFEFF{\"text\": \"a\"}\r\n\r\n  \t\r\n{\"text\": \"b\"}\r\n\n{\"text\": \"c\"}"));

    assertThat(set.texts())
        .containsExactly(Text.of("0", "a"), Text.of("3", "b"), Text.of("5", "c"));
  }

  @Test
  void unknownFieldsAreIgnoredAndContentStandsInForText() throws IOException {
    TextSet set =
        TextSet.readJsonl(
            file(
                """
                {"pile_idx": 940294, "meta": {"text": "no", "l": [1, {"id": 2}]}, "text": "yes"}
                {"content": "also", "prompt": null, "f": 1e5, "t": true}
                {"content": "not this", "text": "this", "prompt": "p"}
                {"text": null, "content": "that"}
                """));

    assertThat(set.texts())
        .containsExactly(
            Text.of("0", "yes"),
            Text.of("1", "also"),
            new Text("2", "p", "this"),
            Text.of("3", "that"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"text\": \"b\", \"id\"|the line ends inside its JSON",
        "{\"text\": \"b|the line ends inside its JSON",
        "{\"text\": \"b\"}}|Unexpected close marker",
        "{\"text\": \"b\"} {\"text\": \"c\"}|there is more than one JSON value",
        "nonsense|Unrecognized token 'nonsense'",
        "[\"b\"]|it is not a JSON object",
        "\"b\"|it is not a JSON object",
        "{\"id\": \"b\"}|there is no \"text\"",
        "{\"text\": null}|there is no \"text\"",
        "{\"id\": \"t7\", \"text\": \"\"}|text \"t7\" is empty",
        "{\"text\": \"b\", \"id\": \"\"}|a text needs an id",
        "{\"text\": \"b\", \"id\": \"a\"}|the id \"a\" stands in line 2 already",
        "{\"text\": \"b\", \"text\": \"c\"}|Duplicate field 'text'",
        "{\"text\": 5}|\"text\" has the wrong type (VALUE_NUMBER_INT)",
        "{\"text\": [\"b\"]}|\"text\" has the wrong type (START_ARRAY)",
        "{\"text\": \"b\", \"id\": 1.5}|\"id\" has the wrong type (VALUE_NUMBER_FLOAT)",
        "{\"text\": \"b\", \"index\": {}}|\"index\" has the wrong type (START_OBJECT)",
        "{\"text\": \"b\", \"prompt\": true}|\"prompt\" has the wrong type (VALUE_TRUE)",
        "{\"id\": \"t7\", \"text\": \"\\ud83e\"}|the content of text \"t7\" is not valid UTF-16",
      })
  void aBadLineIsNamedWithItsFileAndQuoted(String line, String problem) throws IOException {
    Path path = file("\n{\"text\": \"a\", \"id\": \"a\"}\n" + line + "\n{\"text\": \"z\"}\n");

    assertThatThrownBy(() -> TextSet.readJsonl(path))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith(path + ", line 3: " + problem)
        .hasMessageEndingWith(": " + line)
        .extracting(Throwable::getMessage)
        .asString()
        .doesNotContain("\n", "REDACTED");
  }

  @Test
  void aLongBadLineIsQuotedByItsStart() throws IOException {
    Path path = file("{\"text\": \"" + "é".repeat(500) + "\"");

    assertThatThrownBy(() -> TextSet.readJsonl(path))
        .hasMessage(
            path + ", line 1: the line ends inside its JSON: {\"text\": \"" + "é".repeat(50) + "…");
  }

  @Test
  void bytesThatAreNotUtf8AreRefusedWithTheirLine() throws IOException {
    byte[] good = "{\"text\": \"a\"}\n{\"text\": \"".getBytes(StandardCharsets.UTF_8);
    for (int[] bad : new int[][] {{0xFF}, {0xC3}, {0xED, 0xA0, 0xBE}, {0xC0, 0x80}}) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      bytes.write(good);
      Arrays.stream(bad).forEach(bytes::write);
      bytes.write("\"}\n".getBytes(StandardCharsets.UTF_8));
      Path path = Files.write(folder.resolve("bad.jsonl"), bytes.toByteArray());

      assertThatThrownBy(() -> TextSet.readJsonl(path))
          .isInstanceOf(LlmapException.class)
          .hasMessageStartingWith(path + ", line 2: it is not valid UTF-8: {\"text\"");
    }
  }

  @Test
  void aFileWithoutTextsOrNoFileAtAllIsNamed() throws IOException {
    for (String nothing : List.of("", "\n\n", "\uFEFF", "\uFEFF\r\n \r\n")) {
      Path path = file(nothing);
      assertThatThrownBy(() -> TextSet.readJsonl(path))
          .isInstanceOf(LlmapException.class)
          .hasMessage(path + " holds no text");
    }
    Path absent = folder.resolve("absent.jsonl");
    assertThatThrownBy(() -> TextSet.readJsonl(absent))
        .isInstanceOf(LlmapException.class)
        .hasMessage("cannot read " + absent + ": there is no " + absent);
  }

  @Test
  void aSetNeedsATextAndDifferentIds() {
    assertThatThrownBy(() -> TextSet.of(List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a text set needs at least one text");
    List<Text> texts = List.of(Text.of("a", "x"), Text.of("b", "y"), Text.of("a", "z"));
    assertThatThrownBy(() -> TextSet.of(texts))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("texts 0 and 2 both have the id \"a\"");
  }

  @Test
  void aSetIsACopyInTheGivenOrder() {
    List<Text> texts = new ArrayList<>(List.of(Text.of("b", "x"), Text.of("a", "éé")));
    TextSet set = TextSet.of(texts);
    texts.clear();

    assertThat(set).containsExactly(Text.of("b", "x"), Text.of("a", "éé"));
    assertThat(set.get(1).id()).isEqualTo("a");
    assertThat(set.ids()).containsExactly("b", "a");
    assertThat(set.meanBytes()).isCloseTo(2.5, within(0.0));
    assertThatThrownBy(() -> set.texts().add(Text.of("c", "z")))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(set).hasToString("2 texts, " + set.fingerprint().substring(0, 12));
  }

  /** The bytes as the documentation has them, put together by hand. */
  @Test
  void fingerprintIsTheSha256OfTheDocumentedBytes() throws NoSuchAlgorithmException {
    String bytes =
        "00000001"
            + "61" // a
            + "00000000" // no prompt
            + "00000003"
            + "783079" // x0y
            + "00000002"
            + "c3a9" // é
            + "00000001"
            + "51" // Q
            + "00000004"
            + "f09fa699"; // 🦙
    byte[] sha = MessageDigest.getInstance("SHA-256").digest(HexFormat.of().parseHex(bytes));

    assertThat(TextSet.of(List.of(Text.of("a", "x0y"), new Text("é", "Q", "🦙"))).fingerprint())
        .isEqualTo(HexFormat.of().formatHex(sha));
  }

  /** From the Python of the documentation, run once. */
  @Test
  void fingerprintIsThatOfPython() {
    assertThat(TextSet.of(List.of(Text.of("a", "x0y"), new Text("é", "Q", "🦙"))).fingerprint())
        .isEqualTo("10cafaeda32c1e68d37600d4b9ffbeee8d276e7f6ecfe63b5a249c8b3544ef02");
  }

  @Test
  void everyChangeOfAnIdAPromptAContentOrTheOrderChangesTheFingerprint() {
    Text a = new Text("a", "p", "x");
    Text b = Text.of("b", "y");
    List<List<Text>> sets =
        List.of(
            List.of(a, b),
            List.of(b, a),
            List.of(a),
            List.of(new Text("c", "p", "x"), b),
            List.of(new Text("a", "q", "x"), b),
            List.of(new Text("a", "p", "z"), b),
            // The same characters, cut elsewhere.
            List.of(new Text("a", "px", "b"), Text.of("c", "y")),
            List.of(new Text("ap", "x", "b"), Text.of("c", "y")),
            List.of(Text.of("ab", "c")),
            List.of(Text.of("a", "bc")),
            List.of(new Text("a", "b", "c")));

    Set<String> fingerprints = new HashSet<>();
    sets.forEach(set -> fingerprints.add(TextSet.of(set).fingerprint()));

    assertThat(fingerprints).hasSize(sets.size()).allMatch(f -> f.matches("[0-9a-f]{64}"));
  }

  @Property(tries = 100)
  void anyUnicodeSurvivesTheFile(
      @ForAll("unicode") String prompt, @ForAll("unicode") String content) throws IOException {
    TextSet set = TextSet.of(List.of(new Text(content, prompt, content), Text.of("-", prompt)));
    Path path = Files.createTempFile("texts", ".jsonl");
    try {
      set.writeJsonl(path);
      assertThat(TextSet.readJsonl(path)).isEqualTo(set);
    } finally {
      Files.delete(path);
    }
  }

  @Provide
  static Arbitrary<String> unicode() {
    // Longer than "-", so that the ids differ.
    return TextTest.unicode().map(s -> s + "+");
  }
}
