package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScorerProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxScorerProviderTest {
  private static final ScorerOptions OPTIONS = ScorerOptions.defaults().withThreads(1);

  @TempDir Path folder;

  @BeforeEach
  void copyModel() throws IOException {
    for (String name :
        List.of("model.onnx", "tokenizer.json", "tokenizer_config.json", "config.json")) {
      Files.write(folder.resolve(name), Files.readAllBytes(Golden.folder("gpt2").resolve(name)));
    }
  }

  @Test
  void theServiceLoaderFindsTheProvider() {
    assertThat(ServiceLoader.load(ScorerProvider.class))
        .singleElement()
        .isInstanceOf(OnnxScorerProvider.class)
        .extracting(ScorerProvider::name)
        .isEqualTo("onnx");
  }

  @Test
  void theVersionIsReported() {
    assertThat(new OnnxScorerProvider().availability().available()).isTrue();
    assertThat(new OnnxScorerProvider().availability().detail())
        .matches("ONNX Runtime 1\\.\\d+\\.\\d+");
  }

  @Test
  void versionsThatReportTheirUseAreRefusedOnLinux() {
    assertThat(OnnxRuntimeLibrary.refusal("1.28.0", "Linux")).isEmpty();
    assertThat(OnnxRuntimeLibrary.refusal("1.3.0", "Linux")).isEmpty();
    assertThat(OnnxRuntimeLibrary.refusal("1.29.0", "Windows 11")).isEmpty();
    for (String version : List.of("1.29.0", "1.30.1", "2.0.0")) {
      assertThat(OnnxRuntimeLibrary.refusal(version, "Linux").orElseThrow())
          .contains(version, "network", "1.28.0");
    }
  }

  @Test
  void theSourceSaysWhatWasScoredAndByWhat() {
    ModelSource source = source(folder);
    assertThat(source.name()).isEqualTo("tiny");
    assertThat(source.location()).isEqualTo(folder.resolve("model.onnx").toString());
    assertThat(source.fingerprint()).matches("[0-9a-f]{64}");
    assertThat(source.backend()).matches("onnx \\(ONNX Runtime 1\\.\\d+\\.\\d+, cpu\\)");
  }

  @Test
  void theModelMayLieInASubfolderOrBeNamedItself() throws IOException {
    String expected = source(folder).fingerprint();
    assertThat(source(folder.resolve("model.onnx")).fingerprint()).isEqualTo(expected);
    Files.createDirectory(folder.resolve("onnx"));
    Path moved = folder.resolve("onnx/model.onnx");
    Files.move(folder.resolve("model.onnx"), moved);
    assertThat(source(folder).fingerprint()).isEqualTo(expected);
    assertThat(source(folder).location()).isEqualTo(moved.toString());
    assertThat(source(moved).fingerprint()).isEqualTo(expected);
  }

  @Test
  void theFingerprintCoversWhatDecidesAScoreAndNothingElse() throws IOException {
    List<String> fingerprints = new ArrayList<>();
    fingerprints.add(source(folder).fingerprint());
    for (String name : List.of("tokenizer.json", "tokenizer_config.json", "config.json")) {
      Files.writeString(folder.resolve(name), Files.readString(folder.resolve(name)) + "\n");
      fingerprints.add(source(folder).fingerprint());
    }
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":0}");
    fingerprints.add(source(folder).fingerprint());
    assertThat(fingerprints).doesNotHaveDuplicates();

    Files.writeString(folder.resolve("README.md"), "about");
    assertThat(source(folder).fingerprint()).isEqualTo(fingerprints.get(4));
  }

  @Test
  void theFingerprintCoversWeightsInOtherFiles() throws IOException {
    Path graphs = Golden.graph("bigram").getParent();
    assertThat(ExternalData.locations(graphs.resolve("bigram.onnx"))).isEmpty();
    assertThat(ExternalData.locations(graphs.resolve("bigram-external.onnx")))
        .containsExactly("bigram-external.onnx_data");
    assertThat(ExternalData.locations(graphs.resolve("bigram-external-branch.onnx")))
        .containsExactly("bigram-external-branch.0", "bigram-external-branch.1");

    Path model = folder.resolve("bigram-external.onnx");
    Path weights = folder.resolve("bigram-external.onnx_data");
    Files.write(model, Files.readAllBytes(graphs.resolve("bigram-external.onnx")));
    byte[] table = Files.readAllBytes(graphs.resolve("bigram-external.onnx_data"));
    Files.write(weights, table);
    String before = OnnxModelFiles.locate(model).fingerprint();
    table[0]++;
    Files.write(weights, table);
    assertThat(OnnxModelFiles.locate(model).fingerprint()).isNotEqualTo(before);
    Files.delete(weights);
    assertThatThrownBy(() -> OnnxModelFiles.locate(model).fingerprint())
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("bigram-external.onnx_data");
  }

  @Test
  void damagedGraphsDoNotMisleadTheSearchForWeights() throws IOException {
    byte[] whole = Files.readAllBytes(Golden.graph("bigram-external-branch"));
    Path damaged = folder.resolve("damaged.onnx");
    for (int length = 0; length < whole.length; length++) {
      Files.write(damaged, Arrays.copyOf(whole, length));
      try {
        assertThat(ExternalData.locations(damaged))
            .allMatch(location -> location.startsWith("bigram-external-branch."));
      } catch (IOException e) {
        assertThat(e.getMessage()).containsAnyOf("not an ONNX model", "the file ends inside");
      }
    }
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    assertRefused(folder.resolve("nowhere"), "there is no model at", "nowhere");
    Files.delete(folder.resolve("tokenizer.json"));
    assertRefused(folder, "there is no tokenizer at " + folder.resolve("tokenizer.json"));
    Files.delete(folder.resolve("model.onnx"));
    assertRefused(folder, "neither model.onnx nor onnx/model.onnx in " + folder);
  }

  @Test
  void whatIsCorruptIsNamed() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{");
    assertRefused(folder, "config.json cannot be read as JSON");
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(folder.resolve("model.onnx"), "");
    assertRefused(folder, "ONNX Runtime cannot load " + folder.resolve("model.onnx"));
  }

  private static ModelSource source(Path path) {
    try (LogLikelihoodScorer scorer =
        new OnnxScorerProvider().open(new ModelSpec("onnx", path, "tiny"), OPTIONS)) {
      return scorer.source();
    }
  }

  private static void assertRefused(Path path, String... parts) {
    assertThatThrownBy(() -> source(path))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(parts)
        .message()
        .doesNotContain("\n");
  }
}
