package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProvenanceTest {
  private static final Provenance EXAMPLE =
      new Provenance(
          new ModelSource("org/模型", "C:\\models \"x\"", "f00d", "onnx (1.28.0)"),
          "abc",
          12,
          Map.of("prefix", "none", "device", "cpu"),
          Map.of("llmap", "0.1", "java", "17"));

  @TempDir Path folder;

  @Test
  void isWrittenInAFixedOrderAndReadBack() {
    Path path = folder.resolve("provenance.json");
    EXAMPLE.write(path);
    assertThat(path)
        .hasContent(
            """
            {
              "model": {
                "name": "org/模型",
                "location": "C:\\\\models \\"x\\"",
                "fingerprint": "f00d",
                "backend": "onnx (1.28.0)"
              },
              "text-set": {
                "fingerprint": "abc",
                "texts": 12
              },
              "options": {
                "device": "cpu",
                "prefix": "none"
              },
              "versions": {
                "java": "17",
                "llmap": "0.1"
              }
            }
            """);
    assertThat(Provenance.read(path)).isEqualTo(EXAMPLE);
  }

  /** The value was computed in Python from the documented bytes. */
  @Test
  void keyIsTheDocumentedOne() {
    assertThat(EXAMPLE.key()).isEqualTo("3775ddb82c15d7bb");
  }

  @Test
  void keyDependsOnWhatDecidesTheScoresAndOnNothingElse() {
    ModelSource renamed = new ModelSource("other", "elsewhere", "f00d", "djl");
    assertThat(new Provenance(renamed, "abc", 12, EXAMPLE.options(), Map.of()).key())
        .isEqualTo(EXAMPLE.key());
    ModelSource changed = new ModelSource("org/模型", "x", "f00e", "onnx");
    assertThat(
            Stream.of(
                    EXAMPLE,
                    new Provenance(changed, "abc", 12, EXAMPLE.options(), Map.of()),
                    new Provenance(EXAMPLE.model(), "abd", 12, EXAMPLE.options(), Map.of()),
                    new Provenance(EXAMPLE.model(), "abc", 12, Map.of("prefix", "none"), Map.of()))
                .map(Provenance::key))
        .doesNotHaveDuplicates();
  }

  @Test
  void namesWhatRuns() {
    Provenance now =
        Provenance.of(EXAMPLE.model(), TestScorer.texts(2), ScorerOptions.modelMapPaper());
    assertThat(now.versions())
        .containsKeys("llmap", "java")
        .containsEntry("backend", "onnx (1.28.0)");
    assertThat(now.options()).containsEntry("prefix", "tokenizer");
    assertThat(now.texts()).isEqualTo(2);
  }
}
