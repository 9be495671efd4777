package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ModelSpec;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScorerProvider;
import io.llmap.testing.models.TinyModel;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import io.llmap.tokenizers.HuggingFaceFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.text.MessageFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
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
      Files.write(
          folder.resolve(name),
          Files.readAllBytes(OnnxModels.folder(TinyModel.GPT2).resolve(name)));
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
  void theSourceSaysWhatWasScoredAndByWhat() {
    ModelSource source = source(folder);
    assertThat(source.name()).isEqualTo("tiny");
    assertThat(source.location()).isEqualTo(folder.resolve("model.onnx").toString());
    assertThat(source.fingerprint()).matches("[0-9a-f]{64}");
    assertThat(source.backend()).matches("onnx \\(ONNX Runtime 1\\.\\d+\\.\\d+, cpu\\)");
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
  void twoPrecisionsOfAFolderAreTwoModels() throws IOException {
    // Another model of the same vocabulary stands in for another precision.
    Files.copy(OnnxModels.graph(TinyModel.QWEN3), folder.resolve("model_fp16.onnx"));
    ModelSpec plain = ModelSpec.parse("onnx:" + folder + "#plain");
    ModelSpec half = ModelSpec.parse("onnx:" + folder + ":fp16#half");
    TextSet texts = TextSet.of(List.of(Text.of("a", "The whale."), Text.of("b", "Call me")));
    ScoreStore store = ScoreStore.at(folder.resolve("store"));
    for (ModelSpec spec : List.of(plain, half)) {
      try (LogLikelihoodScorer scorer = new OnnxScorerProvider().open(spec, OPTIONS)) {
        assertThat(scorer.source()).isEqualTo(new OnnxScorerProvider().identify(spec, OPTIONS));
        store.score(scorer, texts, OPTIONS, (n, score) -> {});
      }
    }
    LogLikelihoodMatrix matrix = store.matrix(texts);
    assertThat(matrix.names()).containsExactlyInAnyOrder("plain", "half");
    assertThat(matrix.get(0, 0)).isNotEqualTo(matrix.get(1, 0));
    ModelSource first = new OnnxScorerProvider().identify(plain, OPTIONS);
    ModelSource second = new OnnxScorerProvider().identify(half, OPTIONS);
    assertThat(first.fingerprint()).isNotEqualTo(second.fingerprint());
    assertThat(Provenance.of(first, texts, OPTIONS).toJson())
        .contains("\"location\": \"" + folder.resolve("model.onnx") + "\"");
    assertThat(Provenance.of(second, texts, OPTIONS).toJson())
        .contains("\"location\": \"" + folder.resolve("model_fp16.onnx") + "\"");
  }

  @Test
  void aTokenizerOfMoreTokensThanTheModelHasIsRefused() throws IOException {
    Files.copy(
        OnnxModels.graph("bigram"),
        folder.resolve("model.onnx"),
        StandardCopyOption.REPLACE_EXISTING);
    assertRefused(
        folder, "the tokenizer in " + folder + " has 320 tokens", "gives logits for 8; do they");
  }

  @Test
  void addedTokensThatTheModelHasNoPlaceForMatterOnlyWhereTheyOccur() throws IOException {
    Path json = folder.resolve("tokenizer.json");
    Files.writeString(
        json,
        Files.readString(json)
            .replace(
                "\"added_tokens\":[",
                "\"added_tokens\":[{\"id\":320,\"content\":\"<extra>\",\"single_word\":false,"
                    + "\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true},"));
    try (LogLikelihoodScorer scorer = new OnnxScorerProvider().open(spec(folder), OPTIONS)) {
      scorer.score(List.of(Text.of("a", "The whale.")), (n, score) -> {});
      assertThatThrownBy(
              () -> scorer.score(List.of(Text.of("b", "The <extra>.")), (n, score) -> {}))
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("token id 320", "0 to 319");
    }
  }

  @Test
  void aPrefixPolicyThatTheModelWasNotMadeForIsLoggedOnceWithItsName() throws IOException {
    assertThat(warnings(PrefixPolicy.NONE)).isEmpty();
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"add_bos_token\":true,\"eos_token\":null}");
    assertThat(warnings(PrefixPolicy.DOCUMENT_START)).isEmpty();
    assertThat(warnings(PrefixPolicy.NONE))
        .singleElement(STRING)
        .contains("model tiny: ", folder.toString(), "add_bos_token true", "document-start");
    assertThat(warnings(PrefixPolicy.TOKENIZER))
        .singleElement(STRING)
        .contains("model tiny: ", "tokenizer_config.json", "tokenizer.json puts no token in front");
  }

  private List<String> warnings(PrefixPolicy policy) {
    Logger logger = Logger.getLogger(HuggingFaceFolder.class.getName());
    List<String> warnings = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord entry) {
            warnings.add(MessageFormat.format(entry.getMessage(), entry.getParameters()));
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    try {
      new OnnxScorerProvider().open(spec(folder), OPTIONS.withPrefix(policy)).close();
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
    return warnings;
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    assertRefused(folder.resolve("nowhere"), "there is no model at", "nowhere");
    Files.delete(folder.resolve("tokenizer.json"));
    assertRefused(folder, "there is no tokenizer at " + folder.resolve("tokenizer.json"));
    Files.delete(folder.resolve("model.onnx"));
    assertRefused(folder, "there is no model.onnx, nor another .onnx file, in " + folder);
  }

  @Test
  void whatIsCorruptIsNamed() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{");
    assertRefused(folder, "config.json cannot be read as JSON");
    Files.writeString(folder.resolve("config.json"), "{}");
    // A model without a graph's fields: Protocol Buffers, but nothing that the runtime can run.
    Files.write(folder.resolve("model.onnx"), new byte[] {8, 8, 58, 0});
    assertRefused(folder, "ONNX Runtime cannot load " + folder.resolve("model.onnx"));
  }

  private static ModelSpec spec(Path path) {
    return new ModelSpec("onnx", path, "tiny");
  }

  private static ModelSource source(Path path) {
    try (LogLikelihoodScorer scorer = new OnnxScorerProvider().open(spec(path), OPTIONS)) {
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
