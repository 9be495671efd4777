package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llmap.LlmapException;
import io.llmap.text.TextSet;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What only several processes show: kills, locks, a disk that is full. */
@Timeout(120)
class StoreProcessTest {
  private static final int N = 3000;

  @TempDir Path root;

  private final TextSet texts = FakeScorer.texts(N);
  private final Provenance run = new FakeScorer("m").run(texts);
  private final List<Process> children = new ArrayList<>();

  @AfterEach
  void endChildren() throws InterruptedException {
    for (Process child : children) {
      child.destroyForcibly().waitFor();
    }
  }

  private static List<String> java(String mode, Path store, int millis) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xshare:auto",
        "-XX:TieredStopAtLevel=1",
        // The file that it writes is larger than the limit of the full disk.
        "-XX:-UsePerfData",
        "-cp",
        System.getProperty("java.class.path"),
        StoreProcess.class.getName(),
        mode,
        store.toString(),
        Integer.toString(N),
        Integer.toString(millis));
  }

  private Process start(List<String> command) throws IOException {
    Process child =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    children.add(child);
    return child;
  }

  private static Set<Integer> numbers(List<String> lines, String word) {
    Set<Integer> numbers = new HashSet<>();
    for (String line : lines) {
      if (line.startsWith(word + " ")) {
        numbers.add(Integer.valueOf(line.substring(word.length() + 1)));
      }
    }
    return numbers;
  }

  /** All lines of a run that is not disturbed, sorted. */
  private static List<String> expectedRows(Path store, TextSet texts) throws IOException {
    ScoreStore undisturbed = ScoreStore.at(store);
    undisturbed.score(new FakeScorer("m"), texts, FakeScorer.OPTIONS, (n, score) -> {});
    return sortedRows(store, undisturbed.runs().get(0));
  }

  private static Path rows(Path store, Provenance run) {
    return store.resolve("m").resolve(run.key()).resolve(ScoreLog.ROWS);
  }

  private static List<String> sortedRows(Path store, Provenance run) throws IOException {
    return Files.readAllLines(rows(store, run)).stream().sorted().toList();
  }

  @Test
  void runThatIsKilledAgainAndAgainEndsAsOneThatIsNot() throws Exception {
    Path store = root.resolve("killed");
    Random random = new Random(20260101);
    Set<Integer> durable = new HashSet<>();
    int lost = 0;
    for (int kill = 0; kill < 8; kill++) {
      List<String> said = new ArrayList<>();
      Process child = start(java("score", store, 1));
      try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
        for (int lines = 20 + random.nextInt(300); lines > 0; lines--) {
          said.add(out.readLine());
        }
        TimeUnit.MICROSECONDS.sleep(random.nextInt(3000));
        // The handle, unlike the process, leaves the pipe open.
        child.toHandle().destroyForcibly();
        // What the child had said before it died is still in the pipe.
        for (String line = out.readLine(); line != null; line = out.readLine()) {
          said.add(line);
        }
      }
      child.waitFor();
      Set<Integer> asked = numbers(said, "asked");
      assertThat(said).doesNotContain("complete");
      assertThat(asked).isNotEmpty();
      assertThat(Collections.disjoint(asked, durable))
          .as("nothing durable is scored again")
          .isTrue();
      durable.addAll(numbers(said, "durable"));
      lost += asked.size() - numbers(said, "durable").size();

      Set<Integer> onDisk = new HashSet<>();
      ScoreStore.at(store).read(run, (n, score) -> onDisk.add(n));
      assertThat(onDisk).containsAll(durable);
    }
    assertThat(durable).hasSizeBetween(64, N - 1);
    assertThat(lost).as("rows in flight at the kills").isPositive();

    FakeScorer last = new FakeScorer("m");
    assertThat(ScoreStore.at(store).score(last, texts, FakeScorer.OPTIONS, (n, score) -> {}))
        .isEqualTo(N);
    assertThat(last.asked).isNotEmpty().doesNotContainAnyElementsOf(durable);
    assertThat(sortedRows(store, run)).isEqualTo(expectedRows(root.resolve("whole"), texts));
  }

  @Test
  void writerInAnotherProcessIsRefusedUntilItIsKilled() throws Exception {
    Process holder = start(java("hold", root, 0));
    BufferedReader out = holder.inputReader(StandardCharsets.UTF_8);
    assertThat(out.readLine()).isEqualTo("open 0");
    ScoreStore store = ScoreStore.at(root);
    assertThatThrownBy(() -> store.open(run, texts))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessage(
            root.resolve("m").resolve(run.key())
                + " is being written by another run; wait for it or end it, then try again");
    assertThat(store.isComplete(run)).isFalse();
    holder.destroyForcibly().waitFor();
    try (ScoreLog log = store.open(run, texts)) {
      assertThat(log.done()).isZero();
    }
  }

  @Test
  void refusedAttemptInTheSameProcessDoesNotGiveTheLockAway() throws Exception {
    ScoreStore store = ScoreStore.at(root);
    try (ScoreLog log = store.open(run, texts)) {
      assertThatThrownBy(() -> store.open(run, texts)).hasMessageContaining("another run");
      assertThat(store.isComplete(run)).isFalse();
      Process other = start(java("hold", root, 0));
      try (BufferedReader out = other.inputReader(StandardCharsets.UTF_8)) {
        assertThat(out.readLine())
            .startsWith("failed ")
            .contains(run.key() + " is being written by another run");
      }
      assertThat(log.done()).isZero();
    }
  }

  @Test
  void fullDiskKeepsWhatIsCommittedAndTheRunIsResumed() throws Exception {
    Path shell = Path.of("/bin/sh");
    assumeTrue(Files.isExecutable(shell), "there is no /bin/sh here to limit the size of files");
    Path store = root.resolve("full");
    List<String> command = new ArrayList<>();
    // 48 blocks are 24 or 48 KiB; the rows are some 500 KiB.
    command.addAll(List.of(shell.toString(), "-c", "ulimit -f 48 && exec \"$@\"", "sh"));
    command.addAll(java("score", store, 0));
    Process child = start(command);
    List<String> said;
    try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
      said = out.lines().toList();
    }
    child.waitFor();
    Set<Integer> durable = numbers(said, "durable");
    assertThat(durable).hasSizeBetween(64, N - 64);
    assertThat(durable.size() % 64).isZero();
    assertThat(said.get(said.size() - 1))
        .isEqualTo(
            "failed cannot write %s: File too large; %d of %d texts of model \"m\" are kept, run again to score the rest",
            rows(store, run).toRealPath(), durable.size(), N);

    byte[] left = Files.readAllBytes(rows(store, run));
    assertThat(left).endsWith('\n');
    Set<Integer> onDisk = new HashSet<>();
    ScoreStore.at(store).read(run, (n, score) -> onDisk.add(n));
    assertThat(onDisk).isEqualTo(durable);

    FakeScorer rest = new FakeScorer("m");
    assertThat(ScoreStore.at(store).score(rest, texts, FakeScorer.OPTIONS, (n, score) -> {}))
        .isEqualTo(N);
    assertThat(rest.asked).hasSize(N - durable.size()).doesNotContainAnyElementsOf(durable);
    assertThat(Arrays.copyOf(Files.readAllBytes(rows(store, run)), left.length)).isEqualTo(left);
    assertThat(sortedRows(store, run)).isEqualTo(expectedRows(root.resolve("whole"), texts));
  }
}
