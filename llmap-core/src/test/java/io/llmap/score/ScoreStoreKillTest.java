package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ScoreStoreKillTest {
  private static final int TEXTS = 300;
  private static final String DURABLE = "^durable (\\d+)\n";
  private static final ScorerOptions OPTIONS = ScorerOptions.defaults();

  @TempDir Path folder;

  private Process start(List<String> prefix, Path store, long millis) {
    return ScoringProcess.start(prefix, store, TEXTS, millis, folder.resolve("output"));
  }

  private List<String> outputOf(Process process) throws IOException, InterruptedException {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return Files.readAllLines(folder.resolve("output"));
  }

  /** The last number of each of the lines that start so; a kill may have cut the last line. */
  private static Set<Integer> numbers(String text, String pattern) {
    return Pattern.compile(pattern, Pattern.MULTILINE)
        .matcher(text)
        .results()
        .map(match -> Integer.valueOf(match.group(1)))
        .collect(Collectors.toSet());
  }

  private static Set<Integer> wholeRows(Path rows) throws IOException {
    return numbers(Files.readString(rows), "^\\{\"index\":(\\d+),.*\\}\n");
  }

  @Test
  void aRunThatWasKilledAgainAndAgainEndsWithTheRowsOfOneThatWasNot()
      throws IOException, InterruptedException {
    Path store = folder.resolve("killed");
    Path output = folder.resolve("output");
    Random random = new Random(1);
    Set<Integer> durable = new HashSet<>();
    for (int kill = 0; kill < 5; kill++) {
      Process process = start(List.of(), store, 10);
      while (process.isAlive() && numbers(Files.readString(output), DURABLE).isEmpty()) {
        Thread.sleep(5);
      }
      Thread.sleep(random.nextInt(250));
      assertThat(process.isAlive()).as("killed in the middle").isTrue();
      process.destroyForcibly();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      Set<Integer> reported = numbers(Files.readString(output), DURABLE);
      assertThat(reported).as("%s", Files.readString(output)).isNotEmpty();
      assertThat(Collections.disjoint(reported, durable))
          .as("no row that was on the disk is scored again")
          .isTrue();
      Path rows = ScoringProcess.rows(store);
      assertThat(wholeRows(rows)).as("what was reported is on the disk").containsAll(reported);
      if (kill % 2 == 0) {
        // What a kill inside of a write leaves.
        byte[] bytes = Files.readAllBytes(rows);
        Files.write(rows, Arrays.copyOf(bytes, bytes.length - 5));
      }
      durable = wholeRows(rows);
    }
    Process last = start(List.of(), store, 0);
    assertThat(outputOf(last)).endsWith("done " + TEXTS);
    assertThat(numbers(Files.readString(output), DURABLE))
        .hasSize(TEXTS - durable.size())
        .doesNotContainAnyElementsOf(durable);

    Path whole = folder.resolve("whole");
    ScoreStore.at(whole)
        .score(new TestScorer("m"), TestScorer.texts(TEXTS), OPTIONS, (index, score) -> {});
    assertThat(sorted(ScoringProcess.rows(store))).isEqualTo(sorted(ScoringProcess.rows(whole)));
  }

  private static List<String> sorted(Path rows) throws IOException {
    List<String> lines = new ArrayList<>(Files.readAllLines(rows));
    lines.sort(null);
    return lines;
  }

  /** A limit on the size of files is a full disk: it refuses in the middle of a write. */
  @Test
  void aFullDiskKeepsWhatWasCommittedAndTheRunCanBeResumed()
      throws IOException, InterruptedException {
    assumeThat(Path.of("/bin/bash")).as("ulimit needs a shell").isExecutable();
    Path store = folder.resolve("full");
    Process process =
        start(List.of("/bin/bash", "-c", "ulimit -f 17 && exec \"$@\"", "bash"), store, 0);
    List<String> output = outputOf(process);
    long durable = output.stream().filter(line -> line.startsWith("durable ")).count();
    assertThat(durable).isBetween(1L, TEXTS - 1L);
    assertThat(output)
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains(
                        "cannot write " + ScoringProcess.rows(store).toRealPath() + ": ",
                        "File too large",
                        durable + " of " + TEXTS + " texts of model \"m\" are kept"));
    List<Integer> rescored = new ArrayList<>();
    int done =
        ScoreStore.at(store)
            .score(
                new TestScorer("m"),
                TestScorer.texts(TEXTS),
                OPTIONS,
                (index, score) -> rescored.add(index));
    assertThat(done).isEqualTo(TEXTS);
    assertThat(rescored).hasSize((int) (TEXTS - durable));
  }

  @Test
  void aSecondProcessIsRefusedWhileTheFirstOneWrites() throws IOException, InterruptedException {
    Path store = folder.resolve("locked");
    Provenance provenance =
        Provenance.of(new TestScorer("m").source(), TestScorer.texts(TEXTS), OPTIONS);
    try (ScoreLog log = ScoreStore.at(store).open(provenance, TestScorer.texts(TEXTS))) {
      assertThat(outputOf(start(List.of(), store, 0)))
          .anySatisfy(line -> assertThat(line).contains("is being written by another run"));
      assertThat(log.done()).isZero();
    }
    assertThat(outputOf(start(List.of(), store, 0))).endsWith("done " + TEXTS);
  }
}
