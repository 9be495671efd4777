package io.llmap.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.spi.Encoding;
import io.llmap.testing.models.GoldenText;
import io.llmap.testing.models.TinyModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class HuggingFaceTokenizerTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void idsAndByteOffsetsEqualThoseOfThePythonLibrary(TinyModel family) {
    List<GoldenText> goldens = family.goldens();
    assertThat(goldens).hasSizeGreaterThan(10);
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(family.folder())) {
      for (GoldenText golden : goldens) {
        Encoding plain = tokenizer.encode(golden.text());
        assertThat(plain.ids()).as(golden.id()).isEqualTo(golden.ids());
        assertThat(plain.byteOffsets()).as(golden.id()).isEqualTo(golden.byteOffsets());
        Encoding special = tokenizer.encodeWithSpecialTokens(golden.text());
        assertThat(special.ids()).as(golden.id()).isEqualTo(golden.specialIds());
        assertThat(special.byteOffsets()).as(golden.id()).isEqualTo(golden.specialByteOffsets());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void anEmptyTextHasNoTokensOfItsOwn(TinyModel family) {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(family.folder())) {
      assertThat(tokenizer.encode("").ids()).isEmpty();
      Encoding special = tokenizer.encodeWithSpecialTokens("");
      // Llama's <s> in front, and the <|endoftext|> that the gpt_neox fixture appends.
      assertThat(special.ids())
          .hasSize(family == TinyModel.GPT2 || family == TinyModel.QWEN3 ? 0 : 1);
      assertThat(special.byteOffsets()).isEqualTo(new int[special.ids().length]);
    }
  }

  @Test
  void truncationAndPaddingStoredInTheFileAreIgnored() throws IOException {
    Path gpt2 = TinyModel.GPT2.folder();
    assertThat(gpt2.resolve("tokenizer.json"))
        .content()
        .contains("\"max_length\":8", "\"strategy\":{\"Fixed\":16}");
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(gpt2)) {
      // 700 is beyond DJL's own default of 512 as well.
      assertThat(tokenizer.encode(".".repeat(700)).byteOffsets()).endsWith(699);
      assertThat(tokenizer.encode("e").ids()).hasSize(1);
    }
  }

  @Property(tries = 300)
  void offsetsAreCharacterBoundariesInOrder(@ForAll("texts") String text) {
    List<Integer> boundaries = new ArrayList<>();
    text.codePoints()
        .forEach(
            c -> {
              int before = boundaries.isEmpty() ? 0 : boundaries.get(boundaries.size() - 1);
              boundaries.add(
                  before + Character.toString(c).getBytes(StandardCharsets.UTF_8).length);
            });
    boundaries.add(0, 0);
    for (HuggingFaceTokenizer tokenizer : Shared.TOKENIZERS) {
      int[] offsets = tokenizer.encode(text).byteOffsets();
      assertThat(offsets).isSorted();
      assertThat(boundaries).containsAll(Arrays.stream(offsets).boxed().toList());
      if (!text.isEmpty()) {
        assertThat(offsets[0]).isZero();
        assertThat(offsets[offsets.length - 1]).isLessThan(boundaries.get(boundaries.size() - 1));
      }
    }
  }

  @Provide
  Arbitrary<String> texts() {
    Arbitrary<Integer> codePoint =
        Arbitraries.oneOf(
            Arbitraries.integers().between(0, 0x7f),
            Arbitraries.integers().between(0x80, 0x2ff),
            Arbitraries.integers().between(0x300, 0x36f),
            Arbitraries.integers().between(0x4e00, 0x9fff),
            Arbitraries.integers().between(0xac00, 0xd7a3),
            Arbitraries.integers().between(0x1f300, 0x1f9ff));
    return codePoint
        .list()
        .ofMaxSize(30)
        .map(list -> list.stream().map(Character::toString).collect(Collectors.joining()));
  }

  /** Opened once a process: a property runs hundreds of times. */
  static final class Shared {
    static final List<HuggingFaceTokenizer> TOKENIZERS =
        Arrays.stream(TinyModel.values())
            .map(TinyModel::folder)
            .map(HuggingFaceTokenizer::open)
            .toList();
  }

  @Test
  void theStartAndEndOfADocumentAreThoseOfTheModelsConfig() {
    assertSpecials(TinyModel.GPT2.folder(), OptionalInt.empty(), OptionalInt.of(0));
    assertSpecials(TinyModel.LLAMA.folder(), OptionalInt.of(1), OptionalInt.of(2));
    assertSpecials(TinyModel.GPT_NEOX.folder(), OptionalInt.of(0), OptionalInt.of(0));
    assertSpecials(TinyModel.QWEN3.folder(), OptionalInt.empty(), OptionalInt.of(2));
  }

  @Test
  void idsInTheModelsFilesComeBeforeTextsInTheTokenizersFiles() throws IOException {
    copyTokenizer(TinyModel.LLAMA);
    write("tokenizer_config.json", "{\"bos_token\":{\"content\":\"<s>\"},\"eos_token\":\"</s>\"}");
    assertSpecials(folder, OptionalInt.of(1), OptionalInt.of(2));
    write("generation_config.json", "{\"bos_token_id\":5,\"eos_token_id\":[7,8]}");
    assertSpecials(folder, OptionalInt.of(5), OptionalInt.of(7));
    write("config.json", "{\"bos_token_id\":9}");
    assertSpecials(folder, OptionalInt.of(9), OptionalInt.of(7));
  }

  @Test
  void nullNegativeAndEmptyMeanThatThereIsNoSuchToken() throws IOException {
    copyTokenizer(TinyModel.LLAMA);
    write("tokenizer_config.json", "{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"}");
    write("config.json", "{\"bos_token_id\":null,\"eos_token_id\":-1}");
    assertSpecials(folder, OptionalInt.empty(), OptionalInt.empty());
    write("config.json", "{\"eos_token_id\":[]}");
    write("tokenizer_config.json", "{\"bos_token\":\"\"}");
    write("special_tokens_map.json", "{\"bos_token\":\"<s>\"}");
    assertSpecials(folder, OptionalInt.empty(), OptionalInt.empty());
  }

  @Test
  void theSpecialTokensMapIsReadLast() throws IOException {
    copyTokenizer(TinyModel.LLAMA);
    write(
        "special_tokens_map.json", "{\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\"}}");
    assertSpecials(folder, OptionalInt.of(1), OptionalInt.of(2));
  }

  @Test
  void aSpecialTokenThatTheVocabularyLacksIsRefused() throws IOException {
    copyTokenizer(TinyModel.LLAMA);
    write("tokenizer_config.json", "{\"bos_token\":\"<|start|>\"}");
    assertRefused("tokenizer_config.json", "bos token \"<|start|>\"", "not in tokenizer.json");
  }

  @Test
  void anIdThatIsNoNumberIsRefused() throws IOException {
    copyTokenizer(TinyModel.LLAMA);
    write("config.json", "{\"bos_token_id\":\"1\"}");
    assertRefused("config.json", "bos_token_id must be a token id, got 1");
  }

  @Test
  void aMissingTokenizerIsNamed() {
    assertRefused("there is no tokenizer at " + folder.resolve("tokenizer.json"));
    Path nowhere = folder.resolve("nowhere");
    assertThatThrownBy(() -> HuggingFaceTokenizer.open(nowhere))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining(nowhere + " is not a folder");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tokenizer.model|with transformers and sentencepiece: transformers.AutoTokenizer.from_pretr",
        "spiece.model|with transformers and sentencepiece: transformers.AutoTokenizer.from_pretrained",
        "sentencepiece.bpe.model|.from_pretrained(FOLDER).save_pretrained(FOLDER)",
        "vocab.json|in Python: transformers.AutoTokenizer.from_pretrained(FOLDER).save_pretrained(",
        "merges.txt|in Python: transformers.AutoTokenizer.from_pretrained(FOLDER).save_pretrained(",
        "vocab.bpe|rename vocab.bpe to merges.txt and encoder.json to vocab.json, then in Python",
        "qwen.tiktoken|transformers.integrations.tiktoken.convert_tiktoken_to_fast(ENCODING, FOLDER)",
        "tekken.json|get tokenizer.json too",
      })
  void aFolderWithAnotherTokenizerIsToldHowToConvertIt(String file, String remedy)
      throws IOException {
    write(file, "tokens");
    write("added_tokens.json", "{\"<pad>\":9}");
    write("special_tokens_map.json", "{}");
    Path json = folder.resolve("tokenizer.json");
    assertRefused("there is no tokenizer at %s, but %s beside it; ".formatted(json, file), remedy);
  }

  @Test
  void aGitLfsPointerInPlaceOfAFileIsCalledSo() throws IOException {
    String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 17\n";
    write("tokenizer.json", pointer);
    assertRefused(folder.resolve("tokenizer.json") + " is a Git LFS pointer", "git lfs pull");
    copyTokenizer(TinyModel.GPT2);
    write("config.json", pointer);
    assertRefused(folder.resolve("config.json") + " is a Git LFS pointer", "git lfs pull");
  }

  @Test
  void everyBeginningOfATokenizerIsRefused() throws IOException {
    String whole = Files.readString(TinyModel.LLAMA.folder().resolve("tokenizer.json")).strip();
    for (int length = 0; length < whole.length(); length += 13) {
      write("tokenizer.json", whole.substring(0, length));
      assertRefused(
          folder.resolve("tokenizer.json") + (length == 0 ? " is not" : " cannot be read"));
    }
  }

  @Test
  void theVocabularyIsCountedWithoutAddedTokens() {
    assertVocabulary(TinyModel.GPT2, 320);
    assertVocabulary(TinyModel.LLAMA, 429);
    // 320 of its own; runs of spaces were added as 320 and 321.
    assertVocabulary(TinyModel.GPT_NEOX, 320);
  }

  private static void assertVocabulary(TinyModel family, int size) {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(family.folder())) {
      assertThat(tokenizer.vocabularySize()).as(family.family()).isEqualTo(size);
    }
  }

  @Test
  void aTokenizerThatAddsBosWarnsUnderNoPrefix() throws IOException {
    copyTokenizer(TinyModel.LLAMA);
    assertThat(warnings(PrefixPolicy.DOCUMENT_START)).isEmpty();
    assertThat(warnings(PrefixPolicy.TOKENIZER)).isEmpty();
    assertThat(warnings(PrefixPolicy.NONE))
        .singleElement(STRING)
        .contains(
            folder + " expects a BOS token",
            "its tokenizer.json puts one there",
            "prefix policy \"none\"",
            "use the prefix policy \"document-start\"");
  }

  @Test
  void aTokenizerThatAddsNothingInFrontWarnsOfNothing() {
    for (TinyModel family : List.of(TinyModel.GPT2, TinyModel.GPT_NEOX, TinyModel.QWEN3)) {
      try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(family.folder())) {
        for (PrefixPolicy policy : PrefixPolicy.values()) {
          assertThat(tokenizer.warnings(policy)).as(family + " " + policy).isEmpty();
        }
      }
    }
  }

  @Test
  void aGemmaModelWarnsWheneverItGetsNoBos() throws IOException {
    copyTokenizer(TinyModel.GPT2);
    for (String type : List.of("gemma", "gemma2", "gemma3_text")) {
      write("config.json", "{\"model_type\":\"" + type + "\"}");
      assertThat(warnings(PrefixPolicy.DOCUMENT_START)).isEmpty();
      for (PrefixPolicy policy : List.of(PrefixPolicy.TOKENIZER, PrefixPolicy.NONE)) {
        assertThat(warnings(policy))
            .singleElement(STRING)
            .contains("its model_type is " + type, "\"" + policy + "\"");
      }
    }
  }

  @Test
  void anAddBosTokenThatContradictsTheTokenizerWarnsUnderTheTokenizersPolicy() throws IOException {
    copyTokenizer(TinyModel.LLAMA);
    write("tokenizer_config.json", "{\"add_bos_token\":false}");
    assertThat(warnings(PrefixPolicy.TOKENIZER))
        .singleElement(STRING)
        .contains(
            folder + " tokenizer_config.json has add_bos_token false",
            "tokenizer.json puts a token in front",
            "\"document-start\"");
    assertThat(warnings(PrefixPolicy.DOCUMENT_START)).isEmpty();

    copyTokenizer(TinyModel.GPT2);
    write("tokenizer_config.json", "{\"add_bos_token\":true}");
    assertThat(warnings(PrefixPolicy.TOKENIZER))
        .singleElement(STRING)
        .contains("has add_bos_token true", "tokenizer.json puts no token in front");
    assertThat(warnings(PrefixPolicy.NONE))
        .singleElement(STRING)
        .contains("its tokenizer_config.json has add_bos_token true");
    write("tokenizer_config.json", "{\"add_bos_token\":false}");
    assertThat(warnings(PrefixPolicy.TOKENIZER)).isEmpty();
    assertThat(warnings(PrefixPolicy.NONE)).isEmpty();
  }

  @Test
  void tokensThatOnlyOtherFilesNameWarn() throws IOException {
    copyTokenizer(TinyModel.LLAMA);
    write("added_tokens.json", "{\"<s>\":1,\"</s>\":2}");
    assertThat(warnings(PrefixPolicy.DOCUMENT_START)).isEmpty();
    write("added_tokens.json", "{\"<s>\":1,\"<|im_start|>\":430}");
    write(
        "tokenizer_config.json",
        "{\"added_tokens_decoder\":{\"1\":{\"content\":\"<s>\"},\"431\":{\"content\":\"<|z|>\"}}}");
    assertThat(warnings(PrefixPolicy.DOCUMENT_START))
        .singleElement(STRING)
        .contains(folder + " names 2 token(s) that tokenizer.json lacks, such as \"<|im_start|>\"");
  }

  private List<String> warnings(PrefixPolicy policy) {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(folder)) {
      List<String> warnings = tokenizer.warnings(policy);
      assertThat(warnings).noneMatch(warning -> warning.contains("\n"));
      return warnings;
    }
  }

  @Test
  void theNameOfASpecialTokenInATextIsThatToken() {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(TinyModel.LLAMA.folder())) {
      assertThat(tokenizer.encode("<s>a").ids()).startsWith(1).hasSizeLessThan(4);
      assertThat(tokenizer.encode("<s>a").byteOffsets()).startsWith(0, 3);
      assertThat(tokenizer.encodeWithSpecialTokens("<s>a").ids()).startsWith(1, 1);
    }
  }

  @Test
  void corruptFilesAreNamedInOneLine() throws IOException {
    write("tokenizer.json", "{\"version\":\"1.0\",\n\"model\":{\"vocab\":");
    assertRefused("tokenizer.json cannot be read as JSON", "line 2");
    write("tokenizer.json", "[]");
    assertRefused("tokenizer.json is not a JSON object");
    write("tokenizer.json", "{\"version\":\"1.0\",\"model\":{\"type\":\"Abacus\"}}");
    assertRefused("tokenizer.json is not a tokenizer");
    copyTokenizer(TinyModel.GPT2);
    write("config.json", "{\"bos_token_id\"");
    assertRefused("config.json cannot be read as JSON");
  }

  @Test
  void theFilesThatDecideTheIdsAreListed() throws IOException {
    copyTokenizer(TinyModel.GPT2);
    write("special_tokens_map.json", "{}");
    write("config.json", "{}");
    write("README.md", "");
    assertThat(HuggingFaceTokenizer.files(folder))
        .containsExactly(
            folder.resolve("tokenizer.json"),
            folder.resolve("config.json"),
            folder.resolve("special_tokens_map.json"));
  }

  @Test
  void threadsMayEncodeAtOnce() throws Exception {
    List<GoldenText> goldens = TinyModel.LLAMA.goldens();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(TinyModel.LLAMA.folder())) {
      List<Callable<Encoding>> tasks =
          Stream.generate(() -> goldens)
              .limit(20)
              .flatMap(List::stream)
              .<Callable<Encoding>>map(golden -> () -> tokenizer.encode(golden.text()))
              .toList();
      List<Future<Encoding>> encodings = threads.invokeAll(tasks);
      for (int i = 0; i < encodings.size(); i++) {
        assertThat(encodings.get(i).get().ids()).isEqualTo(goldens.get(i % goldens.size()).ids());
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void closingTwiceIsAllowedAndUseAfterwardsIsAnError() {
    HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(TinyModel.GPT2.folder());
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.encode("text")).isInstanceOf(IllegalStateException.class);
  }

  private void copyTokenizer(TinyModel family) throws IOException {
    Files.write(
        folder.resolve("tokenizer.json"),
        Files.readAllBytes(family.folder().resolve("tokenizer.json")));
  }

  private void write(String name, String content) throws IOException {
    Files.writeString(folder.resolve(name), content);
  }

  private void assertRefused(String... parts) {
    assertThatThrownBy(() -> HuggingFaceTokenizer.open(folder))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(parts)
        .message()
        .doesNotContain("\n");
  }

  private static void assertSpecials(Path folder, OptionalInt bos, OptionalInt eos) {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(folder)) {
      assertThat(tokenizer.bosId()).as("bos").isEqualTo(bos);
      assertThat(tokenizer.eosId()).as("eos").isEqualTo(eos);
    }
  }
}
