package io.llmap.score;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Scores into a store in a virtual machine of its own, so that it can be killed. */
final class ScoringProcess {
  private ScoringProcess() {}

  /**
   * Scores, and prints a line for each durable row and for each text that the model computed.
   *
   * @param args the store, the number of texts, milliseconds a text
   */
  public static void main(String[] args) {
    int texts = Integer.parseInt(args[1]);
    TestScorer scorer = new TestScorer("m", Long.parseLong(args[2]));
    int done =
        ScoreStore.at(Path.of(args[0]))
            .score(
                scorer,
                TestScorer.texts(texts),
                ScorerOptions.defaults(),
                (index, score) -> print("durable " + index));
    print("done " + done);
  }

  @SuppressWarnings("SystemOut") // the parent process reads it
  private static void print(String line) {
    System.out.println(line);
    System.out.flush();
  }

  /** What the process prints goes to a file: the pipe of a killed process is closed with it. */
  static Process start(List<String> prefix, Path store, int texts, long millis, Path output) {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-cp",
            System.getProperty("java.class.path"),
            ScoringProcess.class.getName(),
            store.toString(),
            Integer.toString(texts),
            Long.toString(millis)));
    try {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(output.toFile())
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path rows(Path store) {
    try (var files = Files.walk(store)) {
      return files.filter(path -> path.endsWith(ScoreLog.ROWS)).findFirst().orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
