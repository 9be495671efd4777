package io.llmap.score;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import io.llmap.LlmapException.CorruptStoreException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixFiles;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreStoreTest {
  private static final TextSet TEXTS = TestScorer.texts(150);
  private static final ScorerOptions OPTIONS = ScorerOptions.defaults();
  private static final ScoringListener SILENT = (index, score) -> {};

  // A field, because the logging system forgets a logger that nobody holds.
  private static final Logger LOGGER = Logger.getLogger(ScoreLog.class.getName());

  @TempDir Path folder;

  @BeforeAll
  static void silenceTheWarningOfEveryTornRow() {
    LOGGER.setLevel(Level.OFF);
  }

  @AfterAll
  static void speakAgain() {
    LOGGER.setLevel(null);
  }

  private ScoreStore store() {
    return ScoreStore.at(folder);
  }

  private int score(String model) {
    return store().score(new TestScorer(model), TEXTS, OPTIONS, SILENT);
  }

  private static Provenance provenance(String model) {
    return Provenance.of(new TestScorer(model).source(), TEXTS, OPTIONS);
  }

  private static void assertScores(ScoreStore store, Provenance run, TextSet texts) {
    Map<Integer, TextScore> read = new HashMap<>();
    store.read(run, read::put);
    assertThat(read).hasSize(texts.size());
    read.forEach(
        (n, actual) ->
            assertThat(actual)
                .usingRecursiveComparison()
                .isEqualTo(TestScorer.score(texts.get(n))));
  }

  @Test
  void whatIsScoredIsReadBackToTheSameBits() {
    assertThat(score("org/model")).isEqualTo(TEXTS.size());
    assertScores(store(), store().runs().get(0), TEXTS);
    assertThat(store().runs()).containsExactly(provenance("org/model"));
  }

  @Test
  void rowsHaveThePapersFieldsAndCanBeReadAsSuch() throws IOException {
    score("m");
    Path rows = ScoringProcess.rows(folder);
    double[] read = MatrixFiles.readModelmapJsonl(rows, TEXTS);
    for (int n = 0; n < read.length; n++) {
      assertThat(read[n]).isEqualTo(TestScorer.score(TEXTS.get(n)).logLikelihood());
    }
    assertThat(Files.readAllLines(rows))
        .allSatisfy(
            line ->
                assertThat(line)
                    .contains("\"index\":", "\"num-tokens\":", "\"log-likelihood\":", "\"id\":"));
  }

  @Test
  void aCompleteRunIsNotScoredAgain() {
    score("m");
    List<Integer> reported = new ArrayList<>();
    int done =
        store().score(new TestScorer("m"), TEXTS, OPTIONS, (index, score) -> reported.add(index));
    assertThat(done).isEqualTo(TEXTS.size());
    assertThat(reported).isEmpty();
  }

  @Test
  void aRunIsCompleteWhenEveryTextHasAWholeRow() throws IOException {
    assertThat(store().isComplete(provenance("m"))).isFalse();
    score("m");
    assertThat(store().isComplete(provenance("m"))).isTrue();
    assertThat(store().isComplete(provenance("another"))).isFalse();
    Path rows = ScoringProcess.rows(folder);
    byte[] whole = Files.readAllBytes(rows);
    Files.write(rows, Arrays.copyOf(whole, whole.length - 1));
    assertThat(store().isComplete(provenance("m"))).isFalse();
  }

  @Test
  void progressIsOfRowsThatAreOnTheDisk() {
    store()
        .score(
            new TestScorer("m"),
            TEXTS,
            OPTIONS,
            (index, score) -> {
              List<Integer> onDisk = new ArrayList<>();
              store().read(provenance("m"), (n, s) -> onDisk.add(n));
              assertThat(onDisk).contains(index);
            });
  }

  @Test
  void aCancelledRunKeepsEverythingAndGoesOnLater() {
    List<Integer> reported = new ArrayList<>();
    ScoringListener cancelling =
        new ScoringListener() {
          private int asked;

          @Override
          public void scored(int index, TextScore score) {
            reported.add(index);
          }

          @Override
          public boolean cancelled() {
            return asked++ >= 70;
          }
        };
    assertThat(store().score(new TestScorer("m"), TEXTS, OPTIONS, cancelling)).isEqualTo(70);
    assertThat(reported).hasSize(70).doesNotHaveDuplicates();
    assertThat(score("m")).isEqualTo(TEXTS.size());
    assertScores(store(), provenance("m"), TEXTS);
  }

  @Test
  void onlyWantedTextsAreScored() {
    ScoringListener some =
        new ScoringListener() {
          @Override
          public boolean wants(int index) {
            return index % 10 == 0;
          }

          @Override
          public void scored(int index, TextScore score) {
            assertThat(index % 10).isZero();
          }
        };
    assertThat(store().score(new TestScorer("m"), TEXTS, OPTIONS, some)).isEqualTo(15);
  }

  @Test
  void aFailingScorerLosesNothingThatItDelivered() {
    List<Integer> reported = new ArrayList<>();
    LogLikelihoodScorer failing =
        new Delivering(
            (texts, listener) -> {
              for (int n = 0; n < 10; n++) {
                listener.scored(n, TestScorer.score(texts.get(n)));
              }
              throw new ScoringException("NaN logits");
            });
    assertThatThrownBy(
            () -> store().score(failing, TEXTS, OPTIONS, (index, score) -> reported.add(index)))
        .isInstanceOf(ScoringException.class)
        .hasMessage("NaN logits")
        .hasNoSuppressedExceptions();
    assertThat(reported).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    try (ScoreLog log = store().open(provenance("m"), TEXTS)) {
      assertThat(log.done()).isEqualTo(10);
    }
  }

  @Test
  void aScorerThatLeavesTextsOutIsAnError() {
    LogLikelihoodScorer lazy =
        new Delivering((texts, listener) -> listener.scored(0, TestScorer.score(texts.get(0))));
    assertThatThrownBy(() -> store().score(lazy, TEXTS, OPTIONS, SILENT))
        .isInstanceOf(ScoringException.class)
        .hasMessage(
            "model \"m\" ended without a score for 149 wanted texts, the first of them \"id-1\"");
  }

  @Test
  void aTextThatIsDeliveredTwiceIsStoredOnce() throws IOException {
    LogLikelihoodScorer twice =
        new Delivering(
            (texts, listener) -> {
              for (int n = 0; n < texts.size(); n++) {
                listener.scored(n, TestScorer.score(texts.get(n)));
                listener.scored(n / 2, TestScorer.score(texts.get(n / 2)));
              }
            });
    store().score(twice, TEXTS, OPTIONS, SILENT);
    assertThat(Files.readAllLines(ScoringProcess.rows(folder))).hasSize(TEXTS.size());
  }

  private record Delivering(Body body) implements LogLikelihoodScorer {
    interface Body {
      void score(List<Text> texts, ScoringListener listener);
    }

    @Override
    public ModelSource source() {
      return new TestScorer("m").source();
    }

    @Override
    public void score(List<Text> texts, ScoringListener listener) {
      body.score(texts, listener);
    }
  }

  @Test
  void aLogCommitsAfter64RowsOrAQuarterOfASecond() {
    AtomicLong clock = new AtomicLong();
    try (ScoreLog log = ScoreLog.open(folder, provenance("m"), TEXTS, clock::get)) {
      for (int n = 0; n < 63; n++) {
        log.append(n, TestScorer.score(TEXTS.get(n)));
      }
      assertThat(log.done()).isZero();
      assertThat(log.pending()).isEqualTo(63);
      assertThat(log.has(62)).isTrue();
      log.append(63, TestScorer.score(TEXTS.get(63)));
      assertThat(log.done()).isEqualTo(64);
      clock.addAndGet(249_999_999);
      log.append(64, TestScorer.score(TEXTS.get(64)));
      assertThat(log.done()).isEqualTo(64);
      clock.addAndGet(1);
      log.append(65, TestScorer.score(TEXTS.get(65)));
      assertThat(log.done()).isEqualTo(66);
      log.append(66, TestScorer.score(TEXTS.get(66)));
      log.commit();
      assertThat(log.done()).isEqualTo(67);
      assertThat(log.has(67)).isFalse();
    }
  }

  @Test
  void anInterruptedThreadStillCommits() {
    try (ScoreLog log = store().open(provenance("m"), TEXTS)) {
      log.append(0, TestScorer.score(TEXTS.get(0)));
      Thread.currentThread().interrupt();
      log.commit();
      assertThat(log.done()).isEqualTo(1);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void aLogRefusesScoresThatCannotBeOfTheText() {
    Text text = TEXTS.get(1);
    TokenLogProbs nan = new TokenLogProbs(new double[] {-1, Double.NaN}, new int[] {0, 1});
    TokenLogProbs one = new TokenLogProbs(new double[] {-1}, new int[] {0});
    try (ScoreLog log = store().open(provenance("m"), TEXTS)) {
      assertThatThrownBy(() -> log.append(1, TextScore.of(-1, 1, text.bytes() + 1)))
          .isInstanceOf(ScoringException.class)
          .hasMessageContaining("the text \"id-1\" has 12 bytes, but it has 11");
      assertThatThrownBy(
              () -> log.append(1, new TextScore(-1, 2, text.bytes(), false, Optional.of(nan))))
          .hasMessage(
              "the log-probability of token 1 of the text \"id-1\" under model \"m\" is NaN");
      assertThatThrownBy(
              () -> log.append(1, new TextScore(-1, 2, text.bytes(), false, Optional.of(one))))
          .hasMessageContaining("scored 2 tokens of the text \"id-1\" but gives 1");
      assertThatThrownBy(() -> log.append(150, TextScore.of(-1, 1, 1)))
          .isInstanceOf(IndexOutOfBoundsException.class);
      log.append(1, TextScore.of(-1, 1, text.bytes()));
      log.append(1, TextScore.of(-1, 1, text.bytes()));
      assertThatThrownBy(() -> log.append(1, TextScore.of(-2, 1, text.bytes())))
          .hasMessage("model \"m\" gave the text \"id-1\" -1.0 nats before and gives it -2.0 now");
      assertThat(log.pending()).isEqualTo(1);
    }
  }

  @Test
  void aClosedLogTakesNothing() {
    ScoreLog log = store().open(provenance("m"), TEXTS);
    log.close();
    log.close();
    assertThatThrownBy(() -> log.append(0, TestScorer.score(TEXTS.get(0))))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aSecondWriterInTheSameProcessIsRefusedAndDoesNotBreakTheFirstOnesLock() {
    try (ScoreLog log = store().open(provenance("m"), TEXTS)) {
      for (int attempt = 0; attempt < 2; attempt++) {
        assertThatThrownBy(() -> score("m"))
            .isInstanceOf(LlmapException.class)
            .hasMessageContaining("is being written by another run");
      }
      log.append(0, TestScorer.score(TEXTS.get(0)));
      score("other");
    }
    assertThat(score("m")).isEqualTo(TEXTS.size());
  }

  @Test
  void cutAtAnyByteTheRunIsResumedToTheSameRows() throws IOException {
    score("m");
    Path rows = ScoringProcess.rows(folder);
    byte[] whole = Files.readAllBytes(rows);
    List<String> lines = Files.readAllLines(rows);
    String expected = Files.readString(rows);
    int lastTwo =
        whole.length
            - String.join("\n", lines.subList(lines.size() - 2, lines.size()))
                .getBytes(UTF_8)
                .length
            - 1;
    for (int cut = 0; cut < whole.length; cut += cut < lastTwo ? 331 : 1) {
      Files.write(rows, Arrays.copyOf(whole, cut));
      int good = cut;
      while (good > 0 && whole[good - 1] != '\n') {
        good--;
      }
      try (ScoreLog log = store().open(provenance("m"), TEXTS)) {
        assertThat(log.tornBytes()).isEqualTo(cut - good);
        assertThat(rows).hasSize(good);
        for (String line : lines.subList(log.done(), lines.size())) {
          int index = Integer.parseInt(line.replaceFirst("\\{\"index\":(\\d+),.*", "$1"));
          assertThat(log.has(index)).isFalse();
          log.append(index, TestScorer.score(TEXTS.get(index)));
        }
      }
      assertThat(Files.readString(rows)).isEqualTo(expected);
    }
  }

  @Test
  void aDamagedLastLineIsCutOffADamagedLineElsewhereIsAnError() throws IOException {
    score("m");
    Path rows = ScoringProcess.rows(folder);
    List<String> lines = Files.readAllLines(rows);
    Files.writeString(rows, "\0\0\0\0\n", StandardOpenOption.APPEND);
    try (ScoreLog log = store().open(provenance("m"), TEXTS)) {
      assertThat(log.tornBytes()).isEqualTo(5);
      assertThat(log.done()).isEqualTo(TEXTS.size());
    }
    assertThat(Files.readAllLines(rows)).isEqualTo(lines);

    lines.set(49, lines.get(49).substring(3));
    Files.write(rows, lines);
    assertCorrupt(rows.toRealPath() + ", line 50: not a row of scores (");
  }

  private void assertCorrupt(String... messageParts) {
    assertThatThrownBy(() -> score("m"))
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContainingAll(messageParts)
        .hasMessageMatching("[^\n]*");
  }

  @Test
  void rowsThatNoVersionWritesAreErrors() throws IOException {
    score("m");
    Path rows = ScoringProcess.rows(folder);
    List<String> lines = Files.readAllLines(rows);
    String last = lines.get(149);
    double value = TestScorer.score(TEXTS.get(0)).logLikelihood();
    assertThat(last).startsWith("{\"index\":0,");

    Files.write(rows, List.of(last, last));
    try (ScoreLog log = store().open(provenance("m"), TEXTS)) {
      assertThat(log.done()).as("an equal row twice is one").isEqualTo(1);
    }
    Files.write(rows, List.of(last, last.replace("" + value, "-0.5")));
    assertCorrupt("line 2: text 0 has the log-likelihood -0.5 here, but " + value);
    Files.write(rows, List.of(last.replace("\"index\":0", "\"index\":150")));
    assertCorrupt("line 1: index 150, but the text set has 150 texts");
    Files.write(rows, List.of(last.replace("\"index\":0", "\"index\":1")));
    assertCorrupt("line 1: row 1 is the text \"id-0 \"é\"\", but text 1 is \"id-1\"");
    Files.write(rows, List.of(last.replace("" + value, "NaN")));
    assertCorrupt("line 1: the log-likelihood of text 0 under model \"m\" is NaN");
    Files.write(rows, List.of(last.replace("\"num-bytes\":11", "\"num-bytes\":12")));
    assertCorrupt("line 1: text 0 has 12 bytes in this row, but 11");
  }

  @Test
  void aFolderOfOtherSettingsIsRefusedWithBothValues() throws IOException {
    score("m");
    Path path = ScoringProcess.rows(folder).resolveSibling(ScoreLog.PROVENANCE);
    String json = Files.readString(path);
    Files.writeString(path, json.replace("document-start", "none"));
    assertCorrupt("the options is ", "prefix=none", "but this run has ", "prefix=document-start");
    assertThatThrownBy(() -> store().runs())
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContaining("was it moved or edited?");
    Files.writeString(path, json.replace(TEXTS.fingerprint(), "beef"));
    assertCorrupt("the text set is beef, but this run has " + TEXTS.fingerprint());
    Files.writeString(path, json.replace("fingerprint of m", "fingerprint of n"));
    assertCorrupt("is fingerprint of n, but this run has fingerprint of m");
    Files.writeString(path, json.substring(0, 40));
    assertCorrupt("is not JSON");
    Files.writeString(path, "{}");
    assertCorrupt("is not a provenance: there is no object \"model\"");
    Files.delete(path);
    assertCorrupt("has rows but no provenance.json");
  }

  @Test
  void openRefusesTextsThatAreNotThoseOfTheProvenance() {
    assertThatThrownBy(() -> store().open(provenance("m"), TestScorer.texts(3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(TEXTS.fingerprint(), TestScorer.texts(3).fingerprint());
  }

  @Test
  void aFileInTheWayIsNamed() throws IOException {
    Path blocked = Files.writeString(folder.resolve("file"), "x");
    assertThatThrownBy(
            () -> ScoreStore.at(blocked).score(new TestScorer("m"), TEXTS, OPTIONS, SILENT))
        .isInstanceOf(LlmapException.class)
        .hasMessageContaining(blocked.toString());
  }

  @Test
  void matricesHaveModelsInNaturalOrderOrTheGivenOne() {
    score("pythia-410m");
    score("pythia-70m");
    score("a/b");
    LogLikelihoodMatrix all = store().matrix(TEXTS);
    assertThat(all.names()).containsExactly("a/b", "pythia-70m", "pythia-410m");
    assertThat(all.textIds()).isEqualTo(TEXTS.ids());
    assertThat(all.textBytes(0)).isEqualTo(TEXTS.get(0).bytes());
    assertThat(all.get(2, 7)).isEqualTo(TestScorer.score(TEXTS.get(7)).logLikelihood());
    assertThat(store().matrix(TEXTS, List.of("pythia-410m", "a/b")).names())
        .containsExactly("pythia-410m", "a/b");
    LogLikelihoodMatrix withoutTexts = store().matrix(store().runs());
    assertThat(withoutTexts.textIds()).isEqualTo(TEXTS.ids());
    assertThat(withoutTexts.meanBytes()).isEqualTo(TEXTS.meanBytes());
    assertThat(withoutTexts.toFlatArray()).isEqualTo(all.toFlatArray());
    assertThatThrownBy(() -> store().matrix(TEXTS, List.of("gpt2")))
        .hasMessageContaining("no scores of model \"gpt2\" for these texts; it has \"a/b\", ");
  }

  @Test
  void anIncompleteRunIsNamedWithWhatIsMissing() {
    score("done");
    try (ScoreLog log = store().open(provenance("half"), TEXTS)) {
      log.append(0, TestScorer.score(TEXTS.get(0)));
    }
    store().open(provenance("none"), TEXTS).close();
    assertThatThrownBy(() -> store().matrix(TEXTS))
        .isInstanceOf(LlmapException.class)
        .hasMessageContaining(
            "model \"half\" has no score for 149 of 150 texts; model \"none\" has no score for 150");
    assertThat(store().matrix(TEXTS, List.of("done")).models()).isEqualTo(1);
  }

  @Test
  void runsThatAreNotComparableAreRefusedWithBothValues() {
    score("a");
    store().score(new TestScorer("b"), TEXTS, OPTIONS.withPrefix(PrefixPolicy.NONE), SILENT);
    assertThatThrownBy(() -> store().matrix(TEXTS))
        .isInstanceOf(LlmapException.class)
        .hasMessageContainingAll(
            "the options of model \"a\"", "prefix=document-start", "prefix=none");

    TextSet others = TestScorer.texts(20);
    store().score(new TestScorer("c"), others, OPTIONS, SILENT);
    assertThat(store().matrix(others).names()).as("told apart by the texts").containsExactly("c");
    assertThatThrownBy(() -> store().matrix(store().runs()))
        .hasMessageContaining("are not comparable");
    assertThatThrownBy(() -> store().matrix(TestScorer.texts(5)))
        .hasMessageContainingAll("has no scores for the text set", others.fingerprint());
  }

  @Test
  void anotherDeviceIsComparableButTwoRunsOfOneModelMustBeChosenFrom() {
    score("a");
    store().score(new TestScorer("b"), TEXTS, OPTIONS.withDevice("cuda:0"), SILENT);
    assertThat(store().matrix(TEXTS).names()).containsExactly("a", "b");
    store().score(new TestScorer("a"), TEXTS, OPTIONS.withDevice("cuda:1"), SILENT);
    assertThatThrownBy(() -> store().matrix(TEXTS))
        .isInstanceOf(LlmapException.class)
        .hasMessageContainingAll("several runs of model \"a\"", "device=cpu", "device=cuda:1");
    List<Provenance> chosen =
        store().runs().stream().filter(r -> !r.options().get("device").equals("cpu")).toList();
    assertThat(store().matrix(chosen).names()).containsExactly("a", "b");
  }

  @Test
  void anEmptyStoreHasNoRuns() {
    assertThat(ScoreStore.at(folder.resolve("none")).runs()).isEmpty();
    assertThatThrownBy(() -> store().matrix(TEXTS)).hasMessageContaining("it has scores for none");
    assertThatThrownBy(() -> store().matrix(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void everyNameHasAFolderInsideTheStore() throws IOException {
    List<String> names =
        List.of(
            "..", ".", "a/b", "a%2Fb", "a b", "模型", "../../x", "x".repeat(400), "x".repeat(401));
    for (String name : names) {
      store().score(new TestScorer(name), TestScorer.texts(2), OPTIONS, SILENT);
    }
    assertThat(store().runs())
        .extracting(run -> run.model().name())
        .containsExactlyInAnyOrderElementsOf(names);
    try (var entries = Files.list(folder)) {
      assertThat(entries).hasSize(names.size());
    }
  }
}
