package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.CorruptStoreException;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DamagedRowsTest {
  private static final int N = 12;

  @TempDir Path root;

  private final TextSet texts = FakeScorer.texts(N);
  private final Provenance run = new FakeScorer("m").run(texts);
  private ScoreStore store;
  private Path rows;
  private byte[] whole;

  private final Logger logger = Logger.getLogger(ScoreLog.class.getName());
  private final List<String> warnings = new ArrayList<>();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord entry) {
          warnings.add(java.text.MessageFormat.format(entry.getMessage(), entry.getParameters()));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void scoreAll() throws IOException {
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    store = ScoreStore.at(root);
    assertThat(resume()).hasSize(N);
    rows = root.resolve("m").resolve(run.key()).resolve(ScoreLog.ROWS);
    whole = Files.readAllBytes(rows);
  }

  @AfterEach
  void giveTheLoggerBack() {
    logger.removeHandler(handler);
    logger.setUseParentHandlers(true);
  }

  /** Scores what is missing; returns what was. */
  private List<Integer> resume() {
    FakeScorer scorer = new FakeScorer("m");
    assertThat(store.score(scorer, texts, FakeScorer.OPTIONS, (n, s) -> {})).isEqualTo(N);
    return scorer.asked;
  }

  private List<String> lines() {
    return new ArrayList<>(new String(whole, StandardCharsets.UTF_8).lines().toList());
  }

  private int endOfLine(int line) {
    int at = 0;
    for (int i = 0; i <= line; at++) {
      i += whole[at] == '\n' ? 1 : 0;
    }
    return at;
  }

  @Test
  void fileCutAtAnyByteIsResumedToTheSameFile() throws IOException {
    // The rows stand in the order of their texts, and a resumed run goes on in that order.
    TreeSet<Integer> cuts = new TreeSet<>();
    for (int at = endOfLine(N - 3); at <= whole.length; at++) {
      cuts.add(at);
    }
    for (int at = 0; at < endOfLine(N - 3); at += 37) {
      cuts.add(at);
    }
    for (int line = 0; line < N; line++) {
      cuts.add(endOfLine(line) - 1);
      cuts.add(endOfLine(line));
    }
    for (int cut : cuts) {
      Files.write(rows, Arrays.copyOf(whole, cut));
      int kept =
          (int)
              new String(whole, 0, cut, StandardCharsets.ISO_8859_1)
                  .chars()
                  .filter(c -> c == '\n')
                  .count();
      int torn = cut - (kept == 0 ? 0 : endOfLine(kept - 1));

      assertThat(store.isComplete(run)).as("cut at %d", cut).isEqualTo(kept == N);
      warnings.clear();
      try (ScoreLog log = store.open(run, texts)) {
        assertThat(log.tornBytes()).as("cut at %d", cut).isEqualTo(torn);
        assertThat(log.done()).as("cut at %d", cut).isEqualTo(kept);
      }
      assertThat(warnings).hasSize(torn > 0 ? 1 : 0);
      assertThat(Files.size(rows)).isEqualTo(cut - torn);

      assertThat(resume()).hasSize(N - kept).allMatch(n -> n >= kept);
      assertThat(Files.readAllBytes(rows)).as("cut at %d", cut).isEqualTo(whole);
    }
    assertThat(cuts).hasSizeGreaterThan(200);
  }

  @Test
  void warningSaysHowManyBytesOfWhichFileWereCutOff() throws IOException {
    Files.write(rows, Arrays.copyOf(whole, whole.length - 5));
    resume();
    int torn = whole.length - 5 - endOfLine(N - 2);
    assertThat(warnings)
        .containsExactly(
            "cut "
                + torn
                + " bytes of a row that was not finished off the end of "
                + rows.toRealPath()
                + "; its text is scored again");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "garbage", "garbage\n", "\u0000\u0000\u0000", "{\"index\":0"})
  void fileWithoutAnyRowIsAnEmptyRun(String content) throws IOException {
    Files.writeString(rows, content);
    assertThat(store.isComplete(run)).isFalse();
    assertThat(resume()).hasSize(N);
    assertThat(Files.readAllBytes(rows)).isEqualTo(whole);
  }

  @Test
  void lastLineThatIsNoRowIsCutOff() throws IOException {
    Files.write(
        rows, (String.join("\n", lines()) + "\n\u0000\u0000{\n").getBytes(StandardCharsets.UTF_8));
    assertThat(store.isComplete(run)).isTrue();
    assertThat(store.matrix(texts).texts()).isEqualTo(N);
    try (ScoreLog log = store.open(run, texts)) {
      assertThat(log.tornBytes()).isEqualTo(4);
    }
    assertThat(Files.readAllBytes(rows)).isEqualTo(whole);
  }

  @Test
  void twoLastLinesThatAreNoRowsAreNoTear() throws IOException {
    Files.write(
        rows, (String.join("\n", lines()) + "\ngarbage\ngarb").getBytes(StandardCharsets.UTF_8));
    assertRefused(N + 1, "not a row of scores", "garbage");
  }

  private void writeWithLine(int at, String line) throws IOException {
    List<String> lines = lines();
    lines.add(at, line);
    Files.write(rows, lines);
  }

  private void assertRefused(int line, String... messages) throws IOException {
    byte[] before = Files.readAllBytes(rows);
    FakeScorer scorer = new FakeScorer("m");
    List<Runnable> readers =
        List.of(
            () -> store.score(scorer, texts, FakeScorer.OPTIONS, (n, s) -> {}),
            () -> store.matrix(texts));
    for (Runnable reader : readers) {
      assertThatThrownBy(reader::run)
          .isInstanceOf(CorruptStoreException.class)
          .hasMessageContaining(ScoreLog.ROWS + ", line " + line + ": ")
          .hasMessageContaining(run.key())
          .hasMessageContainingAll(messages);
    }
    assertThat(scorer.asked).isEmpty();
    assertThat(Files.readAllBytes(rows)).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "garbage", "{}", "{\"index\":3,\"num-tok"})
  void lineInTheMiddleThatIsNoRowIsRefusedWithItsNumber(String line) throws IOException {
    writeWithLine(5, line);
    assertRefused(6, "not a row of scores", line);
    assertThatThrownBy(() -> store.isComplete(run))
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContaining(ScoreLog.ROWS + ", line 6: ");
    assertThatThrownBy(() -> store.read(run, (n, s) -> {}))
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContaining(ScoreLog.ROWS + ", line 6: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"index\":2,  | \"index\":12, | index 12, but the text set has 12 texts",
        "\"index\":2,  | \"index\":3,  | row 3 is the text \"é\"2\", but text 3 is \"é\"3\"",
        "\"id\":\"é\\\"2\" | \"id\":\"x\"  | row 2 is the text \"x\", but text 2 is \"é\"2\"",
        "\"num-bytes\":17 | \"num-bytes\":18 | row 2 is of a text of 18 bytes, but text 2 has 17",
        "\"log-likelihood\":-[0-9.E-]+ | \"log-likelihood\":NaN | the log-likelihood of text 2 under model \"m\" is NaN",
        "\"log-likelihood\":-[0-9.E-]+ | \"log-likelihood\":-Infinity | the log-likelihood of text 2 under model \"m\" is -Infinity",
        "\"log-likelihood\":-[0-9.E-]+ | \"log-likelihood\":-1e999 | the log-likelihood of text 2 under model \"m\" is -Infinity",
      })
  void rowThatCannotBeOfTheRunIsRefused(String pattern, String replacement, String message)
      throws IOException {
    List<String> lines = lines();
    String changed =
        lines
            .get(2)
            .replaceFirst(
                pattern.replace("\\", "\\\\"),
                java.util.regex.Matcher.quoteReplacement(replacement));
    assertThat(changed).isNotEqualTo(lines.get(2));
    lines.set(2, changed);
    Files.write(rows, lines);
    assertRefused(3, message);
  }

  @Test
  void wrongRowIsRefusedAlsoAsTheLastLine() throws IOException {
    writeWithLine(N, lines().get(0).replace("\"index\":0", "\"index\":99"));
    assertRefused(N + 1, "index 99");
  }

  @Test
  void repeatedRowWithTheSameValueIsFine() throws IOException {
    writeWithLine(N, lines().get(4));
    writeWithLineAgain(1, lines().get(0));
    assertThat(store.isComplete(run)).isTrue();
    assertThat(resume()).isEmpty();
    List<Integer> read = new ArrayList<>();
    store.read(run, (n, s) -> read.add(n));
    assertThat(read).hasSize(N).doesNotHaveDuplicates();
  }

  private void writeWithLineAgain(int at, String line) throws IOException {
    whole = Files.readAllBytes(rows);
    writeWithLine(at, line);
  }

  @Test
  void repeatedRowWithAnotherValueIsRefused() throws IOException {
    writeWithLine(7, lines().get(2).replaceFirst("(\"log-likelihood\":)[^,}]+", "$1-0.25"));
    assertRefused(8, "text 2 has the log-likelihood -0.25 here, but -", "in an earlier line");
  }

  @Test
  void perTokenValueThatIsNotFiniteIsRefusedWhereItIsRead() throws IOException {
    List<String> lines = lines();
    lines.set(0, lines.get(0).replaceFirst("(\"token-log-probs\":\\[)[^,\\]]+", "$1NaN"));
    Files.write(rows, lines);
    assertThatThrownBy(() -> store.read(run, (n, s) -> {}))
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContaining("line 1: a token-log-prob of text 0 under model \"m\" is not finite");
  }

  @Test
  void rowsOfThePublishedLayoutAreTakenAtTheirIndex() throws IOException {
    Files.write(
        rows,
        Stream.of(0, 1)
            .map(n -> "{\"index\": " + n + ", \"num-tokens\": 5, \"log-likelihood\": -2.5}")
            .toList());
    assertThat(resume()).hasSize(N - 2).doesNotContain(0, 1);
    assertThat(store.matrix(texts).row(0)).startsWith(-2.5, -2.5);
  }
}
