package io.llmap.tokenizers;

import io.llmap.score.PrefixPolicy;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Whether a prefix policy gives a model the BOS token that its files say it was trained with.
 *
 * @param folder the model's, for messages
 * @param adds whether tokenizer.json puts a token in front by itself
 * @param addBosToken {@code add_bos_token} of tokenizer_config.json
 * @param modelType {@code model_type} of config.json
 */
record PrefixCheck(Path folder, boolean adds, Optional<Boolean> addBosToken, String modelType) {

  /** What speaks against the policy, in a sentence. */
  Optional<String> warning(PrefixPolicy policy) {
    return switch (policy) {
      case DOCUMENT_START -> Optional.empty();
      case NONE -> bosMissing(policy);
      case TOKENIZER ->
          addBosToken.filter(configured -> configured != adds).isPresent()
              ? Optional.of(
                  ("in %s tokenizer_config.json has add_bos_token %s, but tokenizer.json %s; under the"
                          + " prefix policy \"tokenizer\" tokenizer.json decides, while the transformers"
                          + " library goes by the one or the other, by its version: save the tokenizer with"
                          + " it, or use the prefix policy \"document-start\"")
                      .formatted(
                          folder,
                          addBosToken.get(),
                          adds
                              ? "puts a token in front of a text"
                              : "puts no token in front of a text"))
              : adds ? Optional.empty() : bosMissing(policy);
    };
  }

  private Optional<String> bosMissing(PrefixPolicy policy) {
    String reason;
    if (adds) {
      reason = "its tokenizer.json puts one there";
    } else if (addBosToken.orElse(false)) {
      reason = "its tokenizer_config.json has add_bos_token true";
    } else if (modelType.contains("gemma")) {
      reason = "its model_type is " + modelType;
    } else {
      return Optional.empty();
    }
    return Optional.of(
        ("the model in %s expects a BOS token in front of a text (%s), and the prefix policy \"%s\""
                + " gives it none: log-likelihoods may be far too low; use the prefix policy"
                + " \"document-start\"")
            .formatted(folder, reason, policy));
  }
}
