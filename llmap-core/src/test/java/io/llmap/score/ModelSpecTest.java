package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelSpecTest {
  @ParameterizedTest
  @CsvSource({
    "onnx:/models/gpt2#small, onnx, /models/gpt2, small",
    "onnx:models/gpt2, onnx, models/gpt2, gpt2",
    "onnx:models/gpt2/, onnx, models/gpt2, gpt2",
    "onnx:models/x/../gpt2, onnx, models/x/../gpt2, gpt2",
    "onnx:a#b#c, onnx, a#b, c",
    "onnx:a#the name, onnx, a, the name",
    "onnx:a#v1:2, onnx, a, v1:2",
    "onnx:c:/models/gpt2, onnx, c:/models/gpt2, gpt2",
    "my#backend:gpt2, my#backend, gpt2, gpt2",
  })
  void providerPathAndNameAreTakenApart(String spec, String provider, String path, String name) {
    assertThat(ModelSpec.parse(spec)).isEqualTo(new ModelSpec(provider, Path.of(path), name));
  }

  @ParameterizedTest
  @CsvSource({
    "onnx:models/gpt2:fp16, models/gpt2, fp16, gpt2:fp16",
    "onnx:models/gpt2:fp16#half, models/gpt2, fp16, half",
    "onnx:gpt2:decoder_model, gpt2, decoder_model, gpt2:decoder_model",
    "onnx:c:/models/gpt2:q4#a:b, c:/models/gpt2, q4, a:b",
    "onnx:c:\\models:q4#a, c:\\models, q4, a",
    "onnx:a:b:c, a:b, c, a:b:c",
  })
  void aVariantStandsBehindThePath(String spec, String path, String variant, String name) {
    ModelSpec expected = new ModelSpec("onnx", Path.of(path), name).withVariant(variant);
    assertThat(ModelSpec.parse(spec)).isEqualTo(expected);
    assertThat(expected.variant()).hasValue(variant);
  }

  @Test
  void aSlashBehindAFolderKeepsItsColon() {
    assertThat(ModelSpec.parse("onnx:models/a:b/#a"))
        .isEqualTo(new ModelSpec("onnx", Path.of("models/a:b"), "a"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "a/b", "a\\b", "a:b"})
  void aVariantIsOneWord(String variant) {
    ModelSpec spec = new ModelSpec("onnx", Path.of("gpt2"), "gpt2");
    assertThatThrownBy(() -> spec.withVariant(variant))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a variant is a word such as fp16, got \"" + variant + "\"");
  }

  @Test
  void theNameOfTheWorkingFolderIsItsOwn() {
    assertThat(ModelSpec.parse("onnx:.").name())
        .isEqualTo(Path.of("").toAbsolutePath().getFileName().toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "gpt2",
        ":gpt2",
        "onnx:",
        "onnx:#gpt2",
        "#gpt2",
        ":",
        "onnx::",
        "onnx::fp16",
        "onnx:gpt2:",
        "onnx:gpt2: #a"
      })
  void aSpecificationWithoutAProviderOrAPathIsRefused(String spec) {
    assertThatThrownBy(() -> ModelSpec.parse(spec))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "a model is written PROVIDER:PATH[:VARIANT][#NAME], such as onnx:models/gpt2#gpt2; got \""
                + spec
                + "\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx:gpt2#", "onnx:gpt2# ", "onnx:/"})
  void aModelWithoutANameIsRefused(String spec) {
    assertThatThrownBy(() -> ModelSpec.parse(spec))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the model \"" + spec + "\" has no name; add #NAME");
  }
}
