package io.llmap.tokenizers;

import io.llmap.LlmapException.BackendUnavailableException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the {@code config.json} of a Hugging Face model folder says about scoring.
 *
 * <p>Of a multimodal model the part under {@code text_config} counts where the top level is silent.
 *
 * @param contextLength the longest sequence in tokens: the first of {@code n_positions}, {@code
 *     max_position_embeddings}, {@code n_ctx}, {@code max_sequence_length} that is there
 * @param vocabularySize {@code vocab_size}
 * @param attentionHeads {@code num_attention_heads} or {@code n_head}, where it is one number for
 *     all layers
 * @param architectures the class names of the model, such as {@code GPT2LMHeadModel}; not copied
 * @param encoderDecoder {@code is_encoder_decoder}
 */
public record ModelConfig(
    OptionalInt contextLength,
    OptionalInt vocabularySize,
    OptionalInt attentionHeads,
    List<String> architectures,
    boolean encoderDecoder) {

  /**
   * Reads {@code config.json}.
   *
   * @param folder a model folder; without the file everything is empty
   * @return what it says
   * @throws BackendUnavailableException if the file cannot be read, is not JSON, or has a length
   *     that is not a positive 32-bit number
   */
  public static ModelConfig read(Path folder) {
    JsonFile config = JsonFile.read(folder.resolve("config.json"));
    List<String> architectures =
        config.get("architectures").orElse(List.of()) instanceof List<?> names
            ? names.stream().map(String::valueOf).toList()
            : List.of();
    return new ModelConfig(
        positive(config, "n_positions", "max_position_embeddings", "n_ctx", "max_sequence_length"),
        positive(config, "vocab_size"),
        attentionHeads(config),
        architectures,
        config.get("is_encoder_decoder").equals(Optional.of(Boolean.TRUE)));
  }

  /**
   * Refuses what is not a causal language model.
   *
   * @param model for the error
   * @throws BackendUnavailableException if it is an encoder-decoder or a masked language model
   */
  public void requireCausalLm(Path model) {
    if (encoderDecoder) {
      throw new BackendUnavailableException(
          model
              + " is an encoder-decoder by its config.json; only causal language models are scored");
    }
    for (String architecture : architectures) {
      if (architecture.endsWith("ForMaskedLM")) {
        throw new BackendUnavailableException(
            "%s is a masked language model (%s); only causal language models are scored"
                .formatted(model, architecture));
      }
    }
  }

  private static OptionalInt attentionHeads(JsonFile config) {
    for (JsonFile level : List.of(config, config.child("text_config"))) {
      for (String name : List.of("num_attention_heads", "n_head")) {
        if (level.get(name).orElse(0) instanceof Integer heads && heads > 0) {
          return OptionalInt.of(heads);
        }
      }
    }
    return OptionalInt.empty();
  }

  private static OptionalInt positive(JsonFile config, String... names) {
    for (JsonFile level : List.of(config, config.child("text_config"))) {
      for (String name : names) {
        Optional<Object> value = level.get(name);
        if (value.isPresent()) {
          return OptionalInt.of(positive(config.path(), name, value.get()));
        }
      }
    }
    return OptionalInt.empty();
  }

  private static int positive(Path path, String name, Object value) {
    if (value instanceof Integer number && number > 0) {
      return number;
    }
    throw new BackendUnavailableException(
        "%s: %s must be a positive 32-bit number, got %s".formatted(path, name, value));
  }
}
