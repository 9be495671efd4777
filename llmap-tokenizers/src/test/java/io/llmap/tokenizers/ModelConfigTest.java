package io.llmap.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.testing.models.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {
  @TempDir Path folder;

  @Test
  void readsWhatTheFixturesSay() {
    ModelConfig gpt2 = ModelConfig.read(TinyModel.GPT2.folder());
    assertThat(gpt2.contextLength()).hasValue(96);
    assertThat(gpt2.vocabularySize()).hasValue(320);
    assertThat(gpt2.architectures()).containsExactly("GPT2LMHeadModel");
    assertThat(gpt2.encoderDecoder()).isFalse();
    assertThat(ModelConfig.read(TinyModel.LLAMA.folder()).contextLength()).hasValue(96);
  }

  @Test
  void aMissingFileSaysNothing() {
    ModelConfig config = ModelConfig.read(folder);
    assertThat(config.contextLength()).isEmpty();
    assertThat(config.vocabularySize()).isEmpty();
    assertThat(config.architectures()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"n_positions", "max_position_embeddings", "n_ctx", "max_sequence_length"})
  void everyNameOfTheContextLengthIsKnown(String name) throws IOException {
    assertThat(read("{\"" + name + "\":2048}").contextLength()).hasValue(2048);
  }

  @Test
  void nullIsAsIfMissingAndTheTopLevelComesFirst() throws IOException {
    assertThat(read("{\"n_positions\":null,\"text_config\":{\"n_positions\":5,\"vocab_size\":6}}"))
        .extracting(c -> c.contextLength().getAsInt(), c -> c.vocabularySize().getAsInt())
        .containsExactly(5, 6);
    assertThat(read("{\"n_ctx\":4,\"text_config\":{\"n_positions\":5}}").contextLength())
        .hasValue(4);
  }

  @Test
  void attentionHeadsCountWhereTheyAreOneNumber() throws IOException {
    assertThat(read("{\"n_head\":3}").attentionHeads()).hasValue(3);
    assertThat(read("{\"text_config\":{\"num_attention_heads\":4}}").attentionHeads()).hasValue(4);
    assertThat(read("{\"num_attention_heads\":[2,4]}").attentionHeads()).isEmpty();
  }

  @Test
  void anEncoderDecoderIsRecognized() throws IOException {
    assertThat(read("{\"is_encoder_decoder\":true}").encoderDecoder()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-5", "\"2048\"", "1e30", "99999999999"})
  void aLengthThatIsNoPositiveNumberIsQuoted(String value) {
    assertThatThrownBy(() -> read("{\"n_positions\":" + value + "}"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll("config.json", "n_positions", "positive");
  }

  private ModelConfig read(String json) throws IOException {
    Files.writeString(folder.resolve("config.json"), json);
    return ModelConfig.read(folder);
  }
}
