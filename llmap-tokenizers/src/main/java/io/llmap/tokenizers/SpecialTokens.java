package io.llmap.tokenizers;

import io.llmap.LlmapException.BackendUnavailableException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedSet;

/**
 * Finds the ids of BOS and EOS; the order of the files is the contract of {@link
 * HuggingFaceTokenizer}.
 */
final class SpecialTokens {
  /** Files that name a special token by its id, under {@code bos_token_id}. */
  private static final List<String> ID_FILES = List.of("config.json", "generation_config.json");

  /** Files that name it by its text, under {@code bos_token}. */
  private static final List<String> TEXT_FILES =
      List.of("tokenizer_config.json", "special_tokens_map.json");

  private final Path folder;
  private final List<JsonFile> idFiles;
  private final List<JsonFile> textFiles;

  /** Tokens that the transformers library adds to those of tokenizer.json. */
  private final SortedSet<String> added;

  SpecialTokens(Path folder) {
    this.folder = folder;
    idFiles = ID_FILES.stream().map(folder::resolve).map(JsonFile::read).toList();
    textFiles = TEXT_FILES.stream().map(folder::resolve).map(JsonFile::read).toList();
    added = JsonFile.read(folder.resolve("added_tokens.json")).names();
    JsonFile decoder = textFiles.get(0).child("added_tokens_decoder");
    for (String id : decoder.names()) {
      decoder.child(id).get("content").map(String::valueOf).ifPresent(added::add);
    }
  }

  /** Says which tokens the transformers library would add to those that the tokenizer has. */
  Optional<String> missing(Set<String> there) {
    List<String> missing = added.stream().filter(text -> !there.contains(text)).toList();
    return missing.isEmpty()
        ? Optional.empty()
        : Optional.of(
            ("added_tokens.json or tokenizer_config.json in %s names %d token(s) that tokenizer.json"
                    + " lacks, such as \"%s\": a text that holds one is not tokenized as the"
                    + " transformers library does; save the tokenizer with it")
                .formatted(folder, missing.size(), JsonFile.oneLine(missing.get(0))));
  }

  /** {@code add_bos_token} of tokenizer_config.json. */
  Optional<Boolean> addBosToken() {
    return textFiles
        .get(0)
        .get("add_bos_token")
        .filter(Boolean.class::isInstance)
        .map(Boolean.class::cast);
  }

  /** {@code model_type} of config.json; empty text where it says none. */
  String modelType() {
    return String.valueOf(idFiles.get(0).get("model_type").orElse(""));
  }

  static List<String> files() {
    return List.of(ID_FILES.get(0), ID_FILES.get(1), TEXT_FILES.get(0), TEXT_FILES.get(1));
  }

  /** The texts whose ids the vocabulary has to tell. */
  Set<String> texts() {
    Set<String> texts = new LinkedHashSet<>(added);
    for (JsonFile file : textFiles) {
      for (String kind : List.of("bos", "eos")) {
        text(file, kind).ifPresent(texts::add);
      }
    }
    return texts;
  }

  /**
   * The id of one kind of token.
   *
   * @param kind {@code bos} or {@code eos}
   * @param vocabulary the ids of {@link #texts()}, where the tokenizer has them
   */
  OptionalInt id(String kind, Map<String, Integer> vocabulary) {
    for (JsonFile file : idFiles) {
      if (file.has(kind + "_token_id")) {
        return id(file, kind + "_token_id");
      }
    }
    for (JsonFile file : textFiles) {
      if (file.has(kind + "_token")) {
        Optional<String> text = text(file, kind);
        if (text.isEmpty()) {
          return OptionalInt.empty();
        }
        Integer id = vocabulary.get(text.get());
        if (id == null) {
          throw new BackendUnavailableException(
              "%s names the %s token \"%s\", which is not in tokenizer.json"
                  .formatted(file.path(), kind, text.get()));
        }
        return OptionalInt.of(id);
      }
    }
    return OptionalInt.empty();
  }

  private static OptionalInt id(JsonFile file, String name) {
    Optional<Object> value = file.get(name);
    if (value.isPresent() && value.get() instanceof List<?> list) {
      value = list.isEmpty() ? Optional.empty() : Optional.of(list.get(0));
    }
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    if (value.get() instanceof Integer id) {
      return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }
    throw new BackendUnavailableException(
        "%s: %s must be a token id, got %s".formatted(file.path(), name, value.get()));
  }

  /** The text of a token, written as a string or as an object with a "content". */
  private static Optional<String> text(JsonFile file, String kind) {
    String name = kind + "_token";
    return file.get(name)
        .filter(String.class::isInstance)
        .or(() -> file.child(name).get("content"))
        .map(String::valueOf)
        .filter(text -> !text.isEmpty());
  }
}
