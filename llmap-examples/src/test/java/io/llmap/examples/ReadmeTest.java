package io.llmap.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.ModelMap;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows is code that was compiled and run, and output that it gave. */
class ReadmeTest {
  private static final Pattern NUMBER = Pattern.compile("\\d+\\.\\d+");

  @TempDir private Path folder;

  @Test
  void theThirtySecondExampleRunsAndPrintsWhatTheReadmeSays() throws IOException {
    assertThat(readme("QuickStart.java")).isEqualTo(source("QuickStart"));
    Zoo.load().extract(folder);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    QuickStart.run(folder, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    assertSameUpToRounding(
        readme("QuickStart output"), bytes.toString(StandardCharsets.UTF_8).lines().toList());
    assertThat(folder.resolve("map.svg")).isNotEmptyFile();
  }

  @Test
  void theDemoPrintsWhatTheReadmeSays() throws IOException {
    List<String> table =
        Files.readAllLines(ZooRun.FOLDER.resolve("printed.txt")).stream()
            .filter(line -> !line.startsWith("Files are in"))
            .toList();
    assertSameUpToRounding(readme("demo output"), table);
  }

  @Test
  void theCustomScorerPutsModelsOnAMap() throws IOException {
    assertThat(readme("ByteFrequencyScorer.java")).isEqualTo(source("ByteFrequencyScorer"));
    TextSet texts =
        TextSet.of(
            List.of(
                Text.of("en", "the quick brown fox"),
                Text.of("de", "der schnelle braune Fuchs"),
                Text.of("digits", "3 14159 26535 8979")));
    ScoreStore store = ScoreStore.at(folder);
    ScorerOptions options = ScorerOptions.defaults();
    for (String sample : List.of("over the lazy dog", "ueber den faulen Hund", "0123456789")) {
      ModelSource source = new ModelSource(sample, "memory", "bytes of " + sample, "bytes 1.0");
      try (LogLikelihoodScorer scorer = new ByteFrequencyScorer(source, logProbs(sample))) {
        store.score(scorer, texts, options, (n, score) -> {});
      }
    }
    LogLikelihoodMatrix matrix = store.matrix(texts);
    // p = (count + 1) / (length + 256): "0123456789" has each digit once.
    int digits = matrix.names().indexOf("0123456789");
    double logLikelihood = 15 * Math.log(2.0 / 266) + 3 * Math.log(1.0 / 266);
    assertThat(matrix.get(digits, 2)).isCloseTo(logLikelihood, within(1e-9));
    assertThat(ModelMap.of(matrix).embedding().size()).isEqualTo(3);
  }

  /** log p of each byte, with one seen more than there was so that none is impossible. */
  private static double[] logProbs(String sample) {
    double[] counts = new double[256];
    Arrays.fill(counts, 1);
    for (byte b : sample.getBytes(StandardCharsets.UTF_8)) {
      counts[b & 0xff]++;
    }
    double total = Arrays.stream(counts).sum();
    return Arrays.stream(counts).map(count -> Math.log(count / total)).toArray();
  }

  /** The code block behind a comment. */
  private static List<String> readme(String marker) throws IOException {
    return Files.readAllLines(Path.of("../README.md")).stream()
        .dropWhile(line -> !line.equals("<!-- " + marker + " -->"))
        .skip(2)
        .takeWhile(line -> !line.equals("```"))
        .toList();
  }

  /** The marked part of an example, moved to the left margin. */
  private static List<String> source(String example) throws IOException {
    List<String> lines =
        Files.readAllLines(Path.of("src/main/java/io/llmap/examples/" + example + ".java")).stream()
            .dropWhile(line -> !line.strip().equals("// README"))
            .skip(1)
            .takeWhile(line -> !line.strip().equals("// end"))
            .toList();
    return String.join("\n", lines).stripIndent().lines().toList();
  }

  /**
   * Other processors round single precision differently: numbers agree to 2 %, the rest exactly.
   */
  private static void assertSameUpToRounding(List<String> expected, List<String> actual) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(NUMBER.matcher(actual.get(i)).replaceAll("#"))
          .isEqualTo(NUMBER.matcher(expected.get(i)).replaceAll("#"));
      List<Double> numbers = numbers(actual.get(i));
      for (int n = 0; n < numbers.size(); n++) {
        double documented = numbers(expected.get(i)).get(n);
        assertThat(numbers.get(n)).isCloseTo(documented, within(0.02 * documented + 0.0002));
      }
    }
  }

  private static List<Double> numbers(String line) {
    return NUMBER.matcher(line).results().map(MatchResult::group).map(Double::valueOf).toList();
  }
}
