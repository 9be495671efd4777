package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelmapJsonlTest {
  private static final TextSet TEXTS =
      TextSet.of(List.of(Text.of("t0", "a"), Text.of("t1", "b"), Text.of("t2", "c")));

  @TempDir Path folder;

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("model.jsonl"), content);
  }

  /** As Python's json.dumps writes them; num-tokens is the input's length, one more than scored. */
  @Test
  void rowsOfTheAuthorsCodeGoWhereTheirIndexSays() throws IOException {
    Path path =
        file(
            """
            {"index": 2, "num-tokens": 3, "log-likelihood": -7.25, "token-log-probs": [-3.0, -4.25]}
            {"index": 0, "num-tokens": 1, "log-likelihood": 0, "token-log-probs": []}
            {"index": 1, "num-tokens": 4, "log-likelihood": -6.123456789012345e2}
            """);

    assertThat(MatrixFiles.readModelmapJsonl(path, TEXTS))
        .containsExactly(0, -612.3456789012345, -7.25);
  }

  @Test
  void unknownFieldsAMatchingIdAndARepeatedEqualRowAreAccepted() throws IOException {
    Path path =
        file(
            """
            {"id": "t0", "index": 0, "num-tokens": 2, "log-likelihood": -1, "more": {"a": [1]}}
            {"index": 1, "num-tokens": 2, "log-likelihood": -2}
            {"index": 1, "num-tokens": 2, "log-likelihood": -2}
            {"index": 2, "num-tokens": 2, "log-likelihood": -3, "token-log-probs": [-3]}""");

    assertThat(MatrixFiles.readModelmapJsonl(path, TEXTS)).containsExactly(-1, -2, -3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"index\": 3, \"num-tokens\": 2, \"log-likelihood\": -1}|index 3, but the text set has 3 texts",
        "{\"index\": -1, \"num-tokens\": 2, \"log-likelihood\": -1}|\"index\" is -1: {",
        "{\"index\": 0, \"num-tokens\": 2, \"log-likelihood\": -1}|text \"t0\" has the log-likelihood -1.0 here, but -5.0 in an earlier line",
        "{\"index\": 1, \"num-tokens\": 2, \"log-likelihood\": NaN}|the log-likelihood of text \"t1\" is NaN",
        "{\"index\": 1, \"num-tokens\": 2, \"log-likelihood\": -Infinity}|the log-likelihood of text \"t1\" is -Infinity",
        "{\"id\": \"t2\", \"index\": 1, \"num-tokens\": 2, \"log-likelihood\": -1}|index 1 is the text \"t2\", but text 1 of the set is \"t1\"",
        "{\"num-tokens\": 2, \"log-likelihood\": -1}|there is no \"index\": {",
        "{\"index\": 1, \"log-likelihood\": -1}|there is no \"num-tokens\": {",
        "{\"index\": 1, \"num-tokens\": 2}|there is no \"log-likelihood\": {",
        "{\"index\": 1, \"num-tokens\": 2, \"log-likelihood\": \"-1\"}|\"log-likelihood\" is not a number: {",
        "{\"index\": 1, \"num-tokens\": 2, \"log-likelihood\": -1, \"token-log-probs\": [-1, -2]}|num-tokens is 2, so 1 tokens are scored, but token-log-probs has 2",
        "{\"index\": 1, \"num-tokens\": 2, \"log-li|Unexpected end-of-input",
        "[1, 2]|the line is not an object: [1, 2]",
      })
  void aBadRowIsRefusedWithItsLine(String row, String problem) throws IOException {
    Path path = file("{\"index\": 0, \"num-tokens\": 2, \"log-likelihood\": -5}\n" + row + "\n");

    assertThatThrownBy(() -> MatrixFiles.readModelmapJsonl(path, TEXTS))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith(path + ", line 2: " + problem);
  }

  @Test
  void textsWithoutARowAreCountedAndTheFirstIsNamed() throws IOException {
    Path path = file("{\"index\": 0, \"num-tokens\": 2, \"log-likelihood\": -5}\n");

    assertThatThrownBy(() -> MatrixFiles.readModelmapJsonl(path, TEXTS))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + " has no log-likelihood for 2 of 3 texts, the first of them \"t1\"");
    assertThatThrownBy(() -> MatrixFiles.readModelmapJsonl(file(""), TEXTS))
        .hasMessageContaining("has no log-likelihood for 3 of 3 texts, the first of them \"t0\"");
  }

  @Test
  void textsThatTheAuthorsCodeSkippedAreMissingWhereThatIsAllowed() throws IOException {
    Map<String, Path> files = new LinkedHashMap<>();
    files.put("z", row(folder.resolve("z"), 0, -1));
    files.put("a", row(row(folder.resolve("a"), 2, -3), 1, -2));

    LogLikelihoodMatrix matrix = MatrixFiles.readPartialModelmapJsonl(files, TEXTS);

    assertThat(matrix.names()).containsExactly("z", "a");
    assertThat(matrix.textIds()).isEqualTo(TEXTS.ids());
    assertThat(matrix.row(0)).containsExactly(-1, Double.NaN, Double.NaN);
    assertThat(matrix.row(1)).containsExactly(Double.NaN, -2, -3);
    assertThat(matrix.missingCells()).isEqualTo(3);
    assertThatThrownBy(
            () -> MatrixFiles.readPartialModelmapJsonl(Map.of("z", folder.resolve("z")), TEXTS))
        .isInstanceOf(LlmapException.class)
        .hasMessageEndingWith(": none of 1 models has the text \"t1\"");
    Files.writeString(folder.resolve("z"), "{\"index\": 0, \"num-to");
    assertThatThrownBy(() -> MatrixFiles.readPartialModelmapJsonl(files, TEXTS))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith(folder.resolve("z") + ", line 1: ");
  }

  private static Path row(Path path, int index, double value) throws IOException {
    String line =
        "{\"index\": %d, \"num-tokens\": 2, \"log-likelihood\": %s}\n".formatted(index, value);
    return Files.writeString(path, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
