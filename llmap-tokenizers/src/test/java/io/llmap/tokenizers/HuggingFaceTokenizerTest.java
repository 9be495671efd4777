package io.llmap.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.spi.Encoding;
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
import org.junit.jupiter.params.provider.MethodSource;

class HuggingFaceTokenizerTest {
  @TempDir Path folder;

  static List<String> families() {
    return Golden.FAMILIES;
  }

  @ParameterizedTest
  @MethodSource("families")
  void idsAndByteOffsetsEqualThoseOfThePythonLibrary(String family) {
    List<Golden> goldens = Golden.read(family);
    assertThat(goldens).hasSizeGreaterThan(10);
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(Golden.folder(family))) {
      for (Golden golden : goldens) {
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
  @MethodSource("families")
  void anEmptyTextHasNoTokensOfItsOwn(String family) {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(Golden.folder(family))) {
      assertThat(tokenizer.encode("").ids()).isEmpty();
      Encoding special = tokenizer.encodeWithSpecialTokens("");
      // Llama's <s> in front, and the <|endoftext|> that the gpt_neox fixture appends.
      assertThat(special.ids()).hasSize(family.equals("gpt2") || family.equals("qwen3") ? 0 : 1);
      assertThat(special.byteOffsets()).isEqualTo(new int[special.ids().length]);
    }
  }

  @Test
  void truncationAndPaddingStoredInTheFileAreIgnored() throws IOException {
    Path gpt2 = Golden.folder("gpt2");
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
        Golden.FAMILIES.stream().map(Golden::folder).map(HuggingFaceTokenizer::open).toList();
  }

  @Test
  void theStartAndEndOfADocumentAreThoseOfTheModelsConfig() {
    assertSpecials(Golden.folder("gpt2"), OptionalInt.empty(), OptionalInt.of(0));
    assertSpecials(Golden.folder("llama"), OptionalInt.of(1), OptionalInt.of(2));
    assertSpecials(Golden.folder("gpt_neox"), OptionalInt.of(0), OptionalInt.of(0));
    assertSpecials(Golden.folder("qwen3"), OptionalInt.empty(), OptionalInt.of(2));
  }

  @Test
  void idsInTheModelsFilesComeBeforeTextsInTheTokenizersFiles() throws IOException {
    copyTokenizer("llama");
    write("tokenizer_config.json", "{\"bos_token\":{\"content\":\"<s>\"},\"eos_token\":\"</s>\"}");
    assertSpecials(folder, OptionalInt.of(1), OptionalInt.of(2));
    write("generation_config.json", "{\"bos_token_id\":5,\"eos_token_id\":[7,8]}");
    assertSpecials(folder, OptionalInt.of(5), OptionalInt.of(7));
    write("config.json", "{\"bos_token_id\":9}");
    assertSpecials(folder, OptionalInt.of(9), OptionalInt.of(7));
  }

  @Test
  void nullNegativeAndEmptyMeanThatThereIsNoSuchToken() throws IOException {
    copyTokenizer("llama");
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
    copyTokenizer("llama");
    write(
        "special_tokens_map.json", "{\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\"}}");
    assertSpecials(folder, OptionalInt.of(1), OptionalInt.of(2));
  }

  @Test
  void aSpecialTokenThatTheVocabularyLacksIsRefused() throws IOException {
    copyTokenizer("llama");
    write("tokenizer_config.json", "{\"bos_token\":\"<|start|>\"}");
    assertRefused("tokenizer_config.json", "bos token \"<|start|>\"", "not in tokenizer.json");
  }

  @Test
  void anIdThatIsNoNumberIsRefused() throws IOException {
    copyTokenizer("llama");
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

  @Test
  void aFolderWithASentencePieceModelOnlyIsToldHowToConvertIt() throws IOException {
    write("tokenizer.model", "sentencepiece");
    assertRefused("AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)");
  }

  @Test
  void corruptFilesAreNamedInOneLine() throws IOException {
    write("tokenizer.json", "{\"version\":\"1.0\",\n\"model\":{\"vocab\":");
    assertRefused("tokenizer.json cannot be read as JSON", "line 2");
    write("tokenizer.json", "[]");
    assertRefused("tokenizer.json is not a JSON object");
    write("tokenizer.json", "{\"version\":\"1.0\",\"model\":{\"type\":\"Abacus\"}}");
    assertRefused("tokenizer.json is not a tokenizer");
    copyTokenizer("gpt2");
    write("config.json", "{\"bos_token_id\"");
    assertRefused("config.json cannot be read as JSON");
  }

  @Test
  void theFilesThatDecideTheIdsAreListed() throws IOException {
    copyTokenizer("gpt2");
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
    List<Golden> goldens = Golden.read("llama");
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(Golden.folder("llama"))) {
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
    HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(Golden.folder("gpt2"));
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.encode("text")).isInstanceOf(IllegalStateException.class);
  }

  private void copyTokenizer(String family) throws IOException {
    Files.write(
        folder.resolve("tokenizer.json"),
        Files.readAllBytes(Golden.folder(family).resolve("tokenizer.json")));
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
