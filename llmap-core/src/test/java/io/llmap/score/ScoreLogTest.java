package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llmap.LlmapException;
import io.llmap.LlmapException.CorruptStoreException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreLogTest {
  private static final long MILLIS = 1_000_000;
  private static final int N = 200;

  @TempDir Path root;

  private final TextSet texts = FakeScorer.texts(N);
  private final FakeScorer scorer = new FakeScorer("m");
  private final Provenance run = scorer.run(texts);
  private long now = Long.MAX_VALUE - 100 * MILLIS;

  private Path folder() {
    return root.resolve("m").resolve(run.key());
  }

  private Path rows() {
    return folder().resolve(ScoreLog.ROWS);
  }

  private ScoreLog open() {
    return ScoreLog.open(folder(), run, texts, () -> now);
  }

  private void append(ScoreLog log, int index) {
    log.append(index, scorer.scoreOf(index, texts.get(index)));
  }

  private int rowsOnDisk() throws IOException {
    return Files.readAllLines(rows()).size();
  }

  @Test
  void sixtyFourRowsAreOneCommit() throws IOException {
    try (ScoreLog log = open()) {
      for (int n = 0; n < 63; n++) {
        append(log, n);
      }
      assertThat(rows()).isEmptyFile();
      assertThat(log.done()).isZero();
      assertThat(log.pending()).isEqualTo(63);
      assertThat(log.has(62)).isTrue();
      assertThat(log.has(63)).isFalse();
      append(log, 63);
      assertThat(rowsOnDisk()).isEqualTo(64);
      assertThat(log.done()).isEqualTo(64);
      assertThat(log.pending()).isZero();
    }
  }

  @Test
  void appendAQuarterOfASecondAfterTheLastCommitCommits() throws IOException {
    try (ScoreLog log = open()) {
      append(log, 0);
      now += 249 * MILLIS; // wraps around, as nanoTime may
      append(log, 1);
      assertThat(log.pending()).isEqualTo(2);
      now += MILLIS;
      append(log, 2);
      assertThat(log.done()).isEqualTo(3);
      assertThat(rowsOnDisk()).isEqualTo(3);
      now += 249 * MILLIS;
      append(log, 3);
      assertThat(log.pending()).isEqualTo(1);
    }
    assertThat(rowsOnDisk()).isEqualTo(4);
  }

  @Test
  void closeCommitsAndOnlyOnce() throws IOException {
    ScoreLog log = open();
    append(log, 5);
    log.close();
    log.close();
    assertThat(rowsOnDisk()).isEqualTo(1);
    assertThatThrownBy(() -> append(log, 6)).isInstanceOf(IllegalStateException.class);
    try (ScoreLog again = open()) {
      assertThat(again.done()).isEqualTo(1);
      assertThat(again.has(5)).isTrue();
      assertThat(again.tornBytes()).isZero();
    }
  }

  @Test
  void progressIsToldAfterTheRowIsInTheFileAndInTheOrderOfDelivery() throws IOException {
    List<Integer> told = new ArrayList<>();
    try (ScoreLog log = open()) {
      DurableListener listener =
          new DurableListener(
              log,
              (n, score) -> {
                assertThat(log.pending()).isZero();
                try {
                  assertThat(Files.readAllLines(rows()))
                      .anyMatch(line -> line.startsWith("{\"index\":" + n + ","));
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
                told.add(n);
              });
      for (int n : new int[] {9, 3, 4}) {
        listener.scored(n, scorer.scoreOf(n, texts.get(n)));
      }
      assertThat(listener.cancelled()).isFalse();
      assertThat(told).isEmpty();
      now += 250 * MILLIS;
      assertThat(listener.cancelled()).isFalse();
      assertThat(told).containsExactly(9, 3, 4);
      listener.scored(5, scorer.scoreOf(5, texts.get(5)));
      listener.flush();
      assertThat(told).containsExactly(9, 3, 4, 5);
    }
  }

  @Test
  void rowsThatCannotBeForcedAreNeitherDoneNorTold() throws IOException {
    // A write to /dev/null succeeds, a sync of it does not.
    Path sink = Path.of("/dev/null");
    assumeTrue(Files.exists(sink), "there is no /dev/null here to refuse a sync");
    Files.createDirectories(folder());
    run.write(folder().resolve(ScoreLog.PROVENANCE));
    Files.createSymbolicLink(rows(), sink);
    List<Integer> told = new ArrayList<>();
    ScoreLog log = open();
    DurableListener listener = new DurableListener(log, (n, score) -> told.add(n));
    listener.scored(0, scorer.scoreOf(0, texts.get(0)));
    assertThatThrownBy(listener::flush)
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining("cannot write " + folder().toRealPath().resolve(ScoreLog.ROWS))
        .hasMessageContaining("sync failed; 0 of 200 texts of model \"m\" are kept");
    assertThat(told).isEmpty();
    assertThat(log.done()).isZero();
    assertThatThrownBy(() -> append(log, 1)).hasMessageContaining("sync failed");
    log.close();
    Files.delete(rows());
    try (ScoreLog again = open()) {
      assertThat(again.done()).isZero();
    }
  }

  @Test
  void diskFailureIsThrownOnceByScore() throws IOException {
    Path sink = Path.of("/dev/null");
    assumeTrue(Files.exists(sink), "there is no /dev/null here to refuse a sync");
    Files.createDirectories(folder());
    run.write(folder().resolve(ScoreLog.PROVENANCE));
    Files.createSymbolicLink(rows(), sink);
    ScoreStore store = ScoreStore.at(root);
    assertThatThrownBy(() -> store.score(scorer, texts, FakeScorer.OPTIONS, (n, s) -> {}))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining("sync failed")
        .hasNoSuppressedExceptions();
    assertThat(scorer.asked).hasSize(64);
    Files.delete(rows());
  }

  @Test
  void repeatedScoreIsIgnoredAndAnotherValueRefused() throws IOException {
    try (ScoreLog log = open()) {
      append(log, 0);
      append(log, 0);
      log.commit();
      append(log, 0);
      double value = scorer.scoreOf(0, texts.get(0)).logLikelihood();
      assertThatThrownBy(
              () -> log.append(0, TextScore.of(Math.nextDown(value), 1, texts.get(0).bytes())))
          .isInstanceOf(ScoringException.class)
          .hasMessageContaining(
              "\"é\"0\" " + value + " nats before and gives it " + Math.nextDown(value));
    }
    assertThat(rowsOnDisk()).isEqualTo(1);
  }

  @Test
  void scoreThatCannotBeOfTheTextIsRefusedAndTheLogGoesOn() throws IOException {
    try (ScoreLog log = open()) {
      int bytes = texts.get(1).bytes();
      assertThatThrownBy(() -> log.append(1, TextScore.of(-1, 1, bytes + 1)))
          .isInstanceOf(ScoringException.class)
          .hasMessageContaining((bytes + 1) + " bytes, but it has " + bytes);
      assertThatThrownBy(() -> log.append(1, withTokens(2, bytes, -1)))
          .isInstanceOf(ScoringException.class)
          .hasMessageContaining("scored 2 tokens of the text \"é\"1\" but gives 1");
      assertThatThrownBy(() -> log.append(1, withTokens(2, bytes, -1, Double.NaN)))
          .isInstanceOf(ScoringException.class)
          .hasMessageContaining("token 1 of the text \"é\"1\" under model \"m\" is NaN");
      assertThatThrownBy(() -> log.append(N, TextScore.of(-1, 1, bytes)))
          .isInstanceOf(IndexOutOfBoundsException.class);
      append(log, 1);
    }
    assertThat(rowsOnDisk()).isEqualTo(1);
  }

  private static TextScore withTokens(int scored, int bytes, double... logProbs) {
    return new TextScore(
        -1,
        scored,
        bytes,
        false,
        Optional.of(new TokenLogProbs(logProbs, new int[logProbs.length])));
  }

  @Test
  void interruptedThreadStillCommits() throws IOException {
    try (ScoreLog log = open()) {
      append(log, 0);
      Thread.currentThread().interrupt();
      log.commit();
      append(log, 1);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(rowsOnDisk()).isEqualTo(2);
  }

  @Test
  void secondWriterInThisVirtualMachineIsRefusedAlsoThroughALink() throws IOException {
    Path link = root.resolve("link");
    try (ScoreLog log = open()) {
      assertThatThrownBy(this::open)
          .isExactlyInstanceOf(LlmapException.class)
          .hasMessage(
              "%s is being written by another run; wait for it or end it, then try again",
              folder());
      Files.createSymbolicLink(link, root.resolve("m"));
      assertThatThrownBy(() -> ScoreLog.open(link.resolve(run.key()), run, texts, System::nanoTime))
          .hasMessageContaining("is being written by another run");
      append(log, 0);
    }
    open().close();
  }

  @Test
  void runsOfOtherModelsAreWrittenAtTheSameTime() {
    ScoreStore store = ScoreStore.at(root);
    FakeScorer other = new FakeScorer("other");
    try (ScoreLog a = store.open(run, texts);
        ScoreLog b = store.open(other.run(texts), texts)) {
      append(a, 0);
      b.append(0, other.scoreOf(0, texts.get(0)));
    }
    assertThat(store.runs()).containsExactly(run, other.run(texts));
  }

  @Test
  void lockIsFreeAfterAnOpeningThatFailed() throws IOException {
    open().close();
    Path provenance = folder().resolve(ScoreLog.PROVENANCE);
    String good = Files.readString(provenance);
    Files.writeString(provenance, "{}");
    assertThatThrownBy(this::open).isInstanceOf(CorruptStoreException.class);
    Files.writeString(provenance, good);
    open().close();
  }

  @Test
  void provenanceOfOtherTextsIsRefused() {
    assertThatThrownBy(() -> ScoreStore.at(root).open(run, FakeScorer.texts(3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(run.textSetFingerprint())
        .hasMessageContaining(FakeScorer.texts(3).fingerprint());
    assertThat(root).isEmptyDirectory();
  }

  @Test
  void rowsWithoutAProvenanceAreRefused() throws IOException {
    try (ScoreLog log = open()) {
      append(log, 0);
    }
    Files.delete(folder().resolve(ScoreLog.PROVENANCE));
    assertThatThrownBy(this::open)
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContaining("scores.jsonl has rows but no provenance.json");
    assertThat(ScoreStore.at(root).isComplete(run)).isFalse();
  }

  @Test
  void otherProvenanceInTheFolderIsRefusedWithBothValues() throws IOException {
    open().close();
    Path file = folder().resolve(ScoreLog.PROVENANCE);
    ModelSource m = run.model();
    Map<String, String> options = Map.of("prefix", "none");
    Map<Provenance, List<String>> others =
        Map.of(
            with(
                new ModelSource("x", m.location(), m.fingerprint(), m.backend()),
                texts.fingerprint(),
                N,
                run.options()),
            List.of("the model is x", "has m"),
            with(new ModelSource("m", "", "changed", ""), texts.fingerprint(), N, run.options()),
            List.of("fingerprint of model \"m\" is changed", "has sha-of-m"),
            with(m, "abc", N, run.options()),
            List.of("the text set is abc", "has " + texts.fingerprint()),
            with(m, texts.fingerprint(), 7, run.options()),
            List.of("the number of texts is 7", "has 200"),
            with(m, texts.fingerprint(), N, options),
            List.of("the options is {prefix=none}", "has " + run.options()));
    others.forEach(
        (other, messages) -> {
          other.write(file);
          assertThatThrownBy(this::open)
              .isInstanceOf(CorruptStoreException.class)
              .hasMessageContainingAll(messages.toArray(String[]::new))
              .hasMessageContaining("provenance.json");
          assertThatThrownBy(() -> ScoreStore.at(root).isComplete(run))
              .isInstanceOf(CorruptStoreException.class)
              .hasMessageContainingAll(messages.toArray(String[]::new));
        });
    new Provenance(
            new ModelSource("m", "moved", m.fingerprint(), "newer"),
            texts.fingerprint(),
            N,
            run.options(),
            Map.of("java", "99"))
        .write(file);
    open().close();
  }

  private static Provenance with(
      ModelSource model, String fingerprint, int n, Map<String, String> options) {
    return new Provenance(model, fingerprint, n, options, Map.of());
  }

  @Test
  void fileInTheWayIsNamed() throws IOException {
    Files.createFile(root.resolve("m"));
    assertThatThrownBy(this::open)
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining("cannot open " + folder())
        .hasMessageContaining(root.resolve("m").toString());
  }
}
