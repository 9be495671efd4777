package io.llmap.tokenizers;

import io.llmap.LlmapException.BackendUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Tokenizers in other files than tokenizer.json, and how to make that of them. */
enum OtherTokenizer {
  /** The names that OpenAI gave the files of GPT-2; transformers knows others. */
  GPT2(
      "vocab\\.bpe|encoder\\.json",
      "rename vocab.bpe to merges.txt and encoder.json to vocab.json, then in Python: "
          + OtherTokenizer.CONVERT),
  TIKTOKEN(
      ".*\\.tiktoken",
      "make tokenizer.json of it in Python:"
          + " transformers.integrations.tiktoken.convert_tiktoken_to_fast(ENCODING, FOLDER)"),
  TEKKEN("tekken\\.json", "get tokenizer.json too, from the model in the layout of transformers"),
  SENTENCE_PIECE(
      "(tokenizer|spiece|sentencepiece\\.bpe|spm)\\.model",
      "make tokenizer.json of it in Python, with transformers and sentencepiece: "
          + OtherTokenizer.CONVERT),
  VOCABULARY(
      "vocab\\.json|merges\\.txt|vocab\\.txt",
      "make tokenizer.json of it in Python: " + OtherTokenizer.CONVERT);

  private static final String CONVERT =
      "transformers.AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)";

  private final String files;
  private final String remedy;

  OtherTokenizer(String files, String remedy) {
    this.files = files;
    this.remedy = remedy;
  }

  /** What a user can do. */
  String remedy() {
    return remedy;
  }

  /** The name of the first such file in a folder. */
  Optional<String> in(Path folder) {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(path -> String.valueOf(path.getFileName()))
          .filter(name -> name.matches(files))
          .sorted()
          .findFirst();
    } catch (IOException e) {
      throw new BackendUnavailableException(
          "the folder %s cannot be read: %s".formatted(folder, e), e);
    }
  }
}
