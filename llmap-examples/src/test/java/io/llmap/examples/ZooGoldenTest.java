package io.llmap.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixFiles;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.Scorers;
import io.llmap.score.TextScore;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo's scores against PyTorch's; tools/zoo made the goldens. */
class ZooGoldenTest {
  private static final Path GOLDENS = Path.of("src/test/resources/io/llmap/examples/zoo");

  @TempDir private Path folder;

  @Test
  void everyLogLikelihoodAgreesWithPyTorch() throws IOException {
    JsonNode order = json("text-log-likelihoods.json");
    double[][] expected = MatrixFiles.readNpy(GOLDENS.resolve("text-log-likelihoods.npy"));
    LogLikelihoodMatrix actual = MatrixFiles.readNpz(ZooRun.FOLDER.resolve("map.npz"));
    assertThat(strings(order.get("texts"))).isEqualTo(actual.textIds());
    List<String> models = strings(order.get("models"));
    assertThat(models).hasSizeGreaterThanOrEqualTo(20);
    for (int i = 0; i < models.size(); i++) {
      double[] row = actual.row(actual.names().indexOf(models.get(i)));
      for (int n = 0; n < row.length; n++) {
        assertThat(row[n])
            .as("%s, %s", models.get(i), actual.textIds().get(n))
            .isCloseTo(expected[i][n], within(Tolerances.textAcrossRuntimes(expected[i][n])));
      }
    }
  }

  @Test
  void tokenLogProbsAgreeWithPyTorchUnderBothPrefixPolicies() throws IOException {
    Zoo.load().extract(folder);
    TextSet texts = TextSet.readJsonl(folder.resolve("texts.jsonl"));
    JsonNode examples = json("token-log-probs.json").get("examples");
    assertThat(examples).hasSizeGreaterThanOrEqualTo(8);
    for (JsonNode example : examples) {
      String prefix = example.get("prefix").asText();
      ScorerOptions options =
          ScorerOptions.defaults()
              .withTokenLogProbs(true)
              .withPrefix(
                  prefix.equals("tokenizer")
                      ? PrefixPolicy.TOKENIZER
                      : PrefixPolicy.DOCUMENT_START);
      String model = example.get("model").asText();
      Text text = texts.get(texts.ids().indexOf(example.get("text").asText()));
      List<TextScore> scores = new ArrayList<>();
      try (LogLikelihoodScorer scorer =
          Scorers.open(new ModelSpec("onnx", folder.resolve(model), model), options)) {
        scorer.score(List.of(text), (n, score) -> scores.add(score));
      }
      double logLikelihood = example.get("logLikelihood").asDouble();
      assertThat(scores.get(0).logLikelihood())
          .isCloseTo(logLikelihood, within(Tolerances.textAcrossRuntimes(logLikelihood)));
      double[] logProbs = scores.get(0).tokenLogProbs().orElseThrow().logProbs();
      assertThat(logProbs).hasSize(example.get("tokenLogProbs").size());
      assertThat(example.get("ids")).hasSize(logProbs.length + 1);
      for (int t = 0; t < logProbs.length; t++) {
        assertThat(logProbs[t])
            .isCloseTo(
                example.get("tokenLogProbs").get(t).asDouble(),
                within(Tolerances.batchEffectPerToken()));
      }
    }
  }

  @Test
  void theTableOfBitsPerByteInTheDocumentationIsTheOneThatLlmapMeasures() throws IOException {
    LogLikelihoodMatrix matrix = MatrixFiles.readNpz(ZooRun.FOLDER.resolve("map.npz"));
    List<String> rows =
        Files.readAllLines(Path.of("../docs/zoo.md")).stream()
            .filter(
                line -> line.matches("\\| `[a-z0-9-]+` (\\| [*]{0,2}\\d+\\.\\d+[*]{0,2} ){4}\\|"))
            .toList();
    List<String> domains = List.of("general", "legal", "code", "multi");
    assertThat(rows).hasSize(matrix.models());
    for (String row : rows) {
      List<String> cells = List.of(row.replaceAll("[*`]", "").split("\\|", -1));
      int i = matrix.names().indexOf(cells.get(1).strip());
      for (int d = 0; d < domains.size(); d++) {
        String domain = domains.get(d) + "/";
        int[] texts =
            IntStream.range(0, matrix.texts())
                .filter(n -> matrix.textIds().get(n).startsWith(domain))
                .toArray();
        // Rounded to three digits there; dynamic quantisation differs among processors.
        assertThat(matrix.selectTexts(texts).bitsPerByte(i))
            .as("%s, %s", cells.get(1), domain)
            .isCloseTo(Double.parseDouble(cells.get(2 + d).strip()), within(0.003));
      }
    }
  }

  @Test
  void theZooIsSmallEnoughToLiveInTheRepository() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/main/resources/io/llmap/examples/zoo"))) {
      long bytes =
          files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
      assertThat(bytes).isLessThan(24_000_000);
    }
    assertThat(Zoo.load().models()).hasSizeGreaterThanOrEqualTo(24);
  }

  private static JsonNode json(String file) throws IOException {
    return new ObjectMapper().readTree(GOLDENS.resolve(file).toFile());
  }

  private static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(element -> strings.add(element.asText()));
    return strings;
  }
}
