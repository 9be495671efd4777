package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import io.llmap.LlmapException.CorruptStoreException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixProvenance;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreStoreTest {
  private static final int N = 10;
  private static final ScoringListener IGNORED = (n, score) -> {};

  @TempDir Path root;

  private final TextSet texts = FakeScorer.texts(N);
  private final FakeScorer scorer = new FakeScorer("m");
  private final Provenance run = scorer.run(texts);
  private ScoreStore store;

  @BeforeEach
  void openStore() {
    store = ScoreStore.at(root.resolve("not/there/yet"));
  }

  private int score(LogLikelihoodScorer model, ScoringListener progress) {
    return store.score(model, texts, FakeScorer.OPTIONS, progress);
  }

  private static ScoringListener wanting(int... wanted) {
    return new ScoringListener() {
      @Override
      public boolean wants(int index) {
        return IntStream.of(wanted).anyMatch(n -> n == index);
      }

      @Override
      public void scored(int index, TextScore score) {}
    };
  }

  private List<Integer> stored() {
    List<Integer> indices = new ArrayList<>();
    store.read(run, (n, score) -> indices.add(n));
    return indices;
  }

  /** A scorer that delivers what it likes. */
  private static FakeScorer delivering(int... indices) {
    return new FakeScorer("m") {
      @Override
      public void score(List<Text> all, ScoringListener listener) {
        for (int n : indices) {
          listener.scored(n, scoreOf(n, all.get(n)));
        }
      }
    };
  }

  @Test
  void everyTextIsScoredOnceAndProgressIsToldOfEach() {
    List<Integer> told = new ArrayList<>();
    assertThat(
            score(
                scorer,
                (n, score) -> {
                  assertThat(score)
                      .usingRecursiveComparison()
                      .isEqualTo(scorer.scoreOf(n, texts.get(n)));
                  told.add(n);
                }))
        .isEqualTo(N);
    assertThat(scorer.asked).hasSize(N).isEqualTo(told);
    assertThat(score(scorer, (n, score) -> told.add(-1))).isEqualTo(N);
    assertThat(scorer.asked).hasSize(N);
    assertThat(told).doesNotContain(-1);
  }

  @Test
  void resumeAsksOnlyForWhatIsMissing() {
    assertThat(score(scorer, wanting(1, 4, 7))).isEqualTo(3);
    assertThat(scorer.asked).containsExactly(1, 4, 7);
    FakeScorer again = new FakeScorer("m");
    List<Integer> told = new ArrayList<>();
    assertThat(score(again, (n, score) -> told.add(n))).isEqualTo(N);
    assertThat(again.asked).containsExactly(0, 2, 3, 5, 6, 8, 9).isEqualTo(told);
  }

  @Test
  void cancelledRunKeepsWhatIsDoneAndIsResumed() {
    List<Integer> told = new ArrayList<>();
    ScoringListener threeTimes =
        new ScoringListener() {
          private int asked;

          @Override
          public void scored(int index, TextScore score) {
            told.add(index);
          }

          @Override
          public boolean cancelled() {
            return ++asked > 3;
          }
        };
    assertThat(score(scorer, threeTimes)).isEqualTo(3);
    assertThat(told).containsExactly(0, 1, 2).isEqualTo(stored());
    assertThat(store.isComplete(run)).isFalse();
    assertThat(score(scorer, IGNORED)).isEqualTo(N);
    assertThat(scorer.asked).doesNotHaveDuplicates();
  }

  @Test
  void exceptionInTheScorerKeepsAndReportsWhatWasDelivered() {
    RuntimeException bug = new IllegalStateException("a bug");
    FakeScorer failing =
        new FakeScorer("m") {
          @Override
          public void score(List<Text> all, ScoringListener listener) {
            listener.scored(6, scoreOf(6, all.get(6)));
            listener.scored(2, scoreOf(2, all.get(2)));
            throw bug;
          }
        };
    List<Integer> told = new ArrayList<>();
    assertThatThrownBy(() -> score(failing, (n, score) -> told.add(n)))
        .isSameAs(bug)
        .hasNoSuppressedExceptions();
    assertThat(told).containsExactly(6, 2).isEqualTo(stored());
    assertThat(score(scorer, IGNORED)).isEqualTo(N);
    assertThat(scorer.asked).hasSize(N - 2).doesNotContain(2, 6);
  }

  @Test
  void exceptionInTheListenerKeepsWhatWasDelivered() {
    RuntimeException bug = new IllegalStateException("a bug");
    assertThatThrownBy(
            () ->
                score(
                    scorer,
                    (n, score) -> {
                      throw bug;
                    }))
        .isSameAs(bug);
    assertThat(stored()).hasSize(N);
  }

  @Test
  void scorerThatEndsWithoutAWantedTextIsAnError() {
    assertThatThrownBy(() -> score(delivering(0, 1, 2, 4, 5, 6, 8, 9), IGNORED))
        .isInstanceOf(ScoringException.class)
        .hasMessage(
            "model \"m\" ended without a score for 2 wanted texts, the first of them \"é\"3\"");
    assertThat(stored()).containsExactly(0, 1, 2, 4, 5, 6, 8, 9);
  }

  @Test
  void scorerMayDeliverWhatIsNotWantedAndTwice() {
    score(scorer, wanting(3));
    List<Integer> told = new ArrayList<>();
    ScoringListener evenOnes =
        new ScoringListener() {
          @Override
          public boolean wants(int index) {
            return index % 2 == 0;
          }

          @Override
          public void scored(int index, TextScore score) {
            told.add(index);
          }
        };
    assertThat(score(delivering(0, 0, 3, 2, 4, 1, 6, 8, 0), evenOnes)).isEqualTo(7);
    assertThat(told).containsExactly(0, 2, 4, 1, 6, 8);
    assertThat(stored()).containsExactly(3, 0, 2, 4, 1, 6, 8);
  }

  @Test
  void readHandsEveryScoreOverAsItWasStoredAndOnlyTheWanted() {
    score(scorer, IGNORED);
    Map<Integer, TextScore> read = new TreeMap<>();
    store.read(run, read::put);
    assertThat(read).hasSize(N);
    read.forEach(
        (n, score) ->
            assertThat(score)
                .usingRecursiveComparison()
                .isEqualTo(scorer.scoreOf(n, texts.get(n))));
    List<Integer> some = new ArrayList<>();
    store.read(
        run,
        new ScoringListener() {
          @Override
          public boolean wants(int index) {
            return index > 7;
          }

          @Override
          public void scored(int index, TextScore score) {
            some.add(index);
          }

          @Override
          public boolean cancelled() {
            throw new AssertionError("is not asked");
          }
        });
    assertThat(some).containsExactly(8, 9);
  }

  @Test
  void exceptionOfTheListenerEndsTheReading() {
    score(scorer, IGNORED);
    List<Integer> read = new ArrayList<>();
    IllegalStateException enough = new IllegalStateException("enough");
    assertThatThrownBy(
            () ->
                store.read(
                    run,
                    (n, score) -> {
                      read.add(n);
                      throw enough;
                    }))
        .isSameAs(enough);
    assertThat(read).containsExactly(0);
  }

  @Test
  void runIsCompleteWithItsLastRow() {
    assertThat(store.isComplete(run)).isFalse();
    score(scorer, wanting(0, 1, 2, 3, 4, 5, 6, 7, 8));
    assertThat(store.isComplete(run)).isFalse();
    score(scorer, IGNORED);
    assertThat(store.isComplete(run)).isTrue();
    assertThat(store.isComplete(new FakeScorer("other").run(texts))).isFalse();
    assertThat(store.isComplete(scorer.run(FakeScorer.texts(3)))).isFalse();
  }

  @Test
  void completenessCanBeAskedWhileTheRunIsWritten() {
    score(scorer, wanting(0));
    try (ScoreLog log = store.open(run, texts)) {
      assertThat(store.isComplete(run)).isFalse();
      for (int n = 0; n < N; n++) {
        log.append(n, scorer.scoreOf(n, texts.get(n)));
      }
      log.commit();
      assertThat(store.isComplete(run)).isTrue();
    }
  }

  private FakeScorer scoreAll(String name) {
    FakeScorer model = new FakeScorer(name);
    score(model, IGNORED);
    return model;
  }

  @Test
  void matrixHasAllModelsInNaturalOrder() {
    List<String> names = List.of("a/b", "pythia-70m", "pythia-410m", "pythia-1000m", "é");
    for (String name : List.of("pythia-410m", "é", "pythia-1000m", "a/b", "pythia-70m")) {
      scoreAll(name);
    }
    assertThat(store.runs()).extracting(r -> r.model().name()).containsExactlyElementsOf(names);
    LogLikelihoodMatrix matrix = store.matrix(texts);
    assertThat(matrix.names()).isEqualTo(names);
    assertThat(matrix.textIds()).isEqualTo(texts.ids());
    assertHolds(matrix);

    List<String> chosen = List.of("é", "pythia-1000m", "a/b");
    assertThat(store.matrix(texts, chosen).names()).isEqualTo(chosen);
    assertHolds(store.matrix(texts, chosen));

    LogLikelihoodMatrix withoutTexts = store.matrix(store.runs());
    assertThat(withoutTexts.textIds()).isEqualTo(texts.ids());
    assertHolds(withoutTexts);
  }

  private void assertHolds(LogLikelihoodMatrix matrix) {
    assertThat(matrix.texts()).isEqualTo(N);
    for (int i = 0; i < matrix.models(); i++) {
      FakeScorer model = new FakeScorer(matrix.names().get(i));
      for (int n = 0; n < N; n++) {
        assertThat(matrix.get(i, n)).isEqualTo(model.scoreOf(n, texts.get(n)).logLikelihood());
        assertThat(matrix.textBytes(n)).isEqualTo(texts.get(n).bytes());
      }
    }
  }

  @Test
  void incompleteRunsAreNamedWithTheirCounts() {
    scoreAll("done");
    score(new FakeScorer("a"), wanting(0, 1, 2));
    score(new FakeScorer("b"), wanting());
    assertThatThrownBy(() -> store.matrix(texts))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining("model \"a\" has no score for 7 of 10 texts")
        .hasMessageContaining("model \"b\" has no score for 10 of 10 texts")
        .hasMessageContaining("run the scoring again");
    assertThat(store.matrix(texts, List.of("done")).models()).isEqualTo(1);
  }

  @Test
  void modelsThatAreNotStoredAreNamedBesideThoseThatAre() {
    scoreAll("m-10");
    scoreAll("m-9");
    assertThatThrownBy(() -> store.matrix(texts, List.of("m-9", "x")))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining("no scores of model \"x\" for these texts; it has \"m-9\", \"m-10\"");
  }

  @Test
  void namesOfAMatrixAreAllDifferentAndAtLeastOne() {
    scoreAll("a");
    assertThatThrownBy(() -> store.matrix(texts, List.of("a", "a")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"a\"");
    assertThatThrownBy(() -> store.matrix(texts, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.matrix(List.of())).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void textSetsAreNotMixed() {
    TextSet others = FakeScorer.texts(3);
    assertThatThrownBy(() -> store.matrix(texts))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining(texts.fingerprint() + "; it has scores for none");
    scoreAll("a");
    store.score(new FakeScorer("b"), others, FakeScorer.OPTIONS, IGNORED);
    assertThat(store.matrix(texts).names()).containsExactly("a");
    assertThat(store.matrix(others).names()).containsExactly("b");
    assertThatThrownBy(() -> store.matrix(store.runs()))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining("the text set of model \"a\" is " + texts.fingerprint())
        .hasMessageContaining("of model \"b\" " + others.fingerprint());
    TextSet missing = FakeScorer.texts(4);
    assertThatThrownBy(() -> store.matrix(missing))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContainingAll(missing.fingerprint(), texts.fingerprint(), others.fingerprint());
  }

  @Test
  void optionsThatChangeWhatAScoreMeansAreNotMixed() {
    for (ScorerOptions other :
        List.of(
            FakeScorer.OPTIONS.withPrefix(PrefixPolicy.NONE),
            FakeScorer.OPTIONS.withOverLength(OverLengthPolicy.TRUNCATE),
            FakeScorer.OPTIONS.withOverLength(OverLengthPolicy.ROLLING),
            FakeScorer.OPTIONS.withOverLength(OverLengthPolicy.rolling(512)))) {
      store = ScoreStore.at(root.resolve(other.toString()));
      scoreAll("a");
      store.score(new FakeScorer("b"), texts, other, IGNORED);
      assertThatThrownBy(() -> store.matrix(texts))
          .isExactlyInstanceOf(LlmapException.class)
          .hasMessageContaining("the options of model \"a\" is {over-length=fail, prefix=document")
          .hasMessageContaining("over-length=" + other.overLength() + ", prefix=" + other.prefix())
          .hasMessageContaining("not comparable");
    }
  }

  @Test
  void optionsThatOnlyRoundDifferentlyAreMixed() {
    scoreAll("a");
    store.score(
        new FakeScorer("b"),
        texts,
        FakeScorer.OPTIONS.withDevice("cuda:0").withTokenBudget(7).withTokenLogProbs(true),
        IGNORED);
    assertHolds(store.matrix(texts));
  }

  @Test
  void severalRunsOfOneNameAreNotChosenFrom() {
    ScorerOptions other = FakeScorer.OPTIONS.withTokenBudget(7);
    scoreAll("a");
    store.score(new FakeScorer("a"), texts, other, IGNORED);
    List<Provenance> runs = store.runs();
    assertThat(runs).hasSize(2);
    assertThatThrownBy(() -> store.matrix(texts))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining("several runs of model \"a\"")
        .hasMessageContainingAll(
            runs.get(0).key(), runs.get(1).key(), "token-budget=7", "token-budget=512", "sha-of-a");
    assertThat(store.matrix(List.of(runs.get(1))).names()).containsExactly("a");
  }

  @Test
  void namesThatDifferInCaseOnlyAreTwoModels() {
    scoreAll("gpt");
    scoreAll("GPT");
    assertThat(store.matrix(texts).names()).containsExactly("GPT", "gpt");
    assertHolds(store.matrix(texts));
  }

  @Test
  void runsOfDifferentTextsUnderOneFingerprintAreRefused() {
    scoreAll("a");
    Provenance a = store.runs().get(0);
    Provenance longer =
        new Provenance(a.model(), a.textSetFingerprint(), N + 1, a.options(), a.versions());
    assertThatThrownBy(() -> store.matrix(List.of(longer)))
        .hasMessageContaining("no score for 1 of 11 texts");
    Provenance shorter =
        new Provenance(a.model(), a.textSetFingerprint(), N - 1, a.options(), a.versions());
    assertThatThrownBy(() -> store.matrix(List.of(shorter)))
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContaining("line 10: index 9, but the text set has 9 texts");
  }

  @Test
  void runThatWasMovedIsRefused() throws IOException {
    store = ScoreStore.at(root);
    scoreAll("a");
    Files.move(root.resolve("a"), root.resolve("b"));
    assertThatThrownBy(store::runs)
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContaining(root.resolve("b").toString())
        .hasMessageContaining("belongs into " + root.resolve("a"));
  }

  @Test
  void emptyAndForeignFoldersAreNoRuns() throws IOException {
    assertThat(store.runs()).isEmpty();
    store = ScoreStore.at(root);
    Files.createDirectories(root.resolve("a/0123456789abcdef"));
    Files.createFile(root.resolve("notes.txt"));
    Files.createFile(root.resolve("a/notes.txt"));
    assertThat(store.runs()).isEmpty();
  }

  @Test
  void fileInPlaceOfTheStoreIsNamed() throws IOException {
    Path file = Files.createFile(root.resolve("file"));
    assertThatThrownBy(() -> ScoreStore.at(file).runs())
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessage("cannot read %s: %s is not a folder", file, file);
    assertThatThrownBy(() -> ScoreStore.at(file).score(scorer, texts, FakeScorer.OPTIONS, IGNORED))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void matricesOfTwoStoresAreMergedIfTextsAndOptionsAgree() {
    score(scorer, IGNORED);
    ScoreStore other = ScoreStore.at(root.resolve("other"));
    other.score(new FakeScorer("n"), texts, FakeScorer.OPTIONS.withTokenBudget(7), IGNORED);
    LogLikelihoodMatrix ours = store.matrix(texts);

    LogLikelihoodMatrix both = ours.merge(other.matrix(texts));

    assertThat(both.names()).containsExactly("m", "n");
    assertThat(both.row(1)).isEqualTo(other.matrix(texts).row(0));
    MatrixProvenance provenance = both.provenance().orElseThrow();
    assertThat(provenance.textSetFingerprint()).isEqualTo(texts.fingerprint());
    assertThat(provenance.options()).containsOnlyKeys("over-length", "prefix");
    assertThat(provenance.modelFingerprints())
        .containsEntry("m", scorer.source().fingerprint())
        .containsOnlyKeys("m", "n");

    ScoreStore cut = ScoreStore.at(root.resolve("cut"));
    cut.score(
        new FakeScorer("o"),
        texts,
        FakeScorer.OPTIONS.withOverLength(OverLengthPolicy.TRUNCATE),
        IGNORED);
    assertThatThrownBy(() -> ours.merge(cut.matrix(texts)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the matrices cannot be merged: the option over-length is \"%s\" and \"%s\""
                .formatted(FakeScorer.OPTIONS.overLength(), OverLengthPolicy.TRUNCATE));
  }
}
