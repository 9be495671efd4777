package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TorchScriptFileTest {
  @TempDir private static Path folder;

  @ParameterizedTest
  @CsvSource({
    "gpt2, input_ids",
    "llama, input_ids attention_mask",
    "gpt_neox, input_ids attention_mask position_ids",
    "qwen3, input_ids attention_mask",
  })
  void aTracedModelTakesTensorsAlone(String family, String names) {
    TorchScriptFile file = TorchScriptFile.read(Fixture.family(family));

    assertThat(file.arguments())
        .extracting(TorchScriptArgument::name)
        .containsExactly(names.split(" "));
    assertThat(file.arguments()).allMatch(TorchScriptArgument::isTensor);
    assertThat(file.arguments()).noneMatch(TorchScriptArgument::optional);
    assertThat(file.elementTypes()).contains("Float");
    assertThat(file.bfloat16()).isFalse();
    assertThat(file.formatVersion()).isBetween(3, 10);
  }

  @Test
  void aScriptedModelHasDefaultsAndOtherTypes() {
    TorchScriptFile file = TorchScriptFile.read(Fixture.graph("signature-optional"));

    assertThat(file.arguments())
        .containsExactly(
            new TorchScriptArgument("input_ids", "Tensor", false),
            new TorchScriptArgument("attention_mask", "Optional[Tensor]", true),
            new TorchScriptArgument("position_ids", "Optional[Tensor]", true),
            new TorchScriptArgument("scale", "float", true),
            new TorchScriptArgument("labels", "Optional[Dict[str, Tensor]]", true));
  }

  @ParameterizedTest
  @CsvSource({
    "bigram, Float",
    "bigram-f16, Half",
    "bigram-bf16, BFloat16",
    "bigram-frozen, Float",
    "bigram-bf16-constant, Float BFloat16",
    "bigram-bf16-cast, Float",
  })
  void theTypesOfWeightsAndOfConstantsAreTold(String graph, String types) {
    TorchScriptFile file = TorchScriptFile.read(Fixture.graph(graph));

    assertThat(file.elementTypes()).containsExactlyInAnyOrder(types.split(" "));
    assertThat(file.bfloat16()).isEqualTo(types.contains("BFloat16"));
  }

  @Test
  void theVersionOfTheFormatIsTold() {
    assertThat(TorchScriptFile.read(Fixture.graph("refused-newer-format")).formatVersion())
        .isEqualTo(99);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "refused-state-dict|is not TorchScript but the weights that torch.save wrote, without the model's code; convert the model: python tools/convert/torchscript.py MODEL_FOLDER OUT_FOLDER",
        "refused-pickled-module|is not TorchScript but a __main__.Bigram that torch.save pickled, without its code; convert the model: python",
        "refused-truncated|is cut or damaged: ",
        "refused-empty|is empty; get the file again",
      })
  void aFileThatOnlyLooksLikeTorchScriptIsTold(String graph, String message) {
    Path file = Fixture.graph(graph);

    assertRefused(() -> TorchScriptFile.read(file), file + " " + message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\\x80\\2\\x8a\\x0a|is not TorchScript but PyTorch's older format, weights without the model's code; convert the model: python",
        "\\x0c\\0\\0\\0\\0\\0\\0\\0{\"a\":[0,12]}|is not TorchScript but safetensors; convert the model: python",
        "GGUF\\3\\0\\0\\0|is not TorchScript but GGUF; convert the model: python",
        "\\x08\\x0a\\x12|is not TorchScript, which is a zip archive; convert the model: python",
        "<!DOCTYPE html>|is not TorchScript but a web page; get the file itself",
        "version https://git-lfs.github.com/spec/v1|is a Git LFS pointer in place of the file; run \"git",
        "PK\\3\\4|is cut or damaged: ",
      })
  void aFileOfAnotherFormatIsToldByName(String content, String message) throws IOException {
    Path file = Files.write(folder.resolve("model.pt"), unescaped(content));

    assertRefused(() -> TorchScriptFile.read(file), file + " " + message);
  }

  @Test
  void aTarOfPytorchsFirstVersionsIsRefused() throws IOException {
    byte[] tar = new byte[1024];
    System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 5);
    Path file = Files.write(folder.resolve("tar.pt"), tar);

    assertRefused(() -> TorchScriptFile.read(file), "is not TorchScript, which is a zip archive");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "m/archive_format m/models/model.json|but a program of torch.export; convert the model",
        "serialized_exported_program.json version|but a program of torch.export; convert the model",
        "word/document.xml|but another zip archive; convert the model",
      })
  void anArchiveOfSomethingElseIsToldApart(String entries, String message) throws IOException {
    Path file = folder.resolve("other.pt");
    zip(file, entries.split(" "));

    assertRefused(() -> TorchScriptFile.read(file), file + " is not TorchScript " + message);
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = folder.resolve("nowhere.pt");

    assertRefused(() -> TorchScriptFile.read(file), file.toString());
  }

  @Test
  void theRightClassOfAFileIsReadAndItsStringsAreNotCode() throws IOException {
    String code =
        """
        class A(Module):
          def forward(self: __torch__.A,
            wrong: Tensor) -> Tensor:
            return wrong
        class B(Module):
          training : bool
          def other(self: __torch__.B,
            also_wrong: Tensor) -> Tensor:
            return also_wrong
          def forward(self: __torch__.B,
            ids: Tensor,
            pair: Tuple[int, Dict[str, Tensor]],
            name: str="a\\", (b: Tensor",
            sizes: List[int]=[1, 2]) -> Tensor:
            return ids
        """;

    assertThat(TorchScriptArgument.ofForward(code, "B"))
        .containsExactly(
            new TorchScriptArgument("ids", "Tensor", false),
            new TorchScriptArgument("pair", "Tuple[int, Dict[str, Tensor]]", false),
            new TorchScriptArgument("name", "str", true),
            new TorchScriptArgument("sizes", "List[int]", true));
    assertThatThrownBy(() -> TorchScriptArgument.ofForward(code, "C"))
        .isInstanceOf(IOException.class)
        .hasMessage("its class C has no method forward");
    assertThatThrownBy(() -> TorchScriptArgument.ofForward(code.substring(0, 50), "A"))
        .isInstanceOf(IOException.class)
        .hasMessage("its method forward is cut");
  }

  @Property(tries = 400)
  void aDamagedFileIsReadOrRefusedInOneLine(
      @ForAll long seed, @ForAll @IntRange(max = 12) int bytes) throws IOException {
    byte[] content = Files.readAllBytes(Fixture.graph("signature-optional"));
    Random random = new Random(seed);
    for (int i = 0; i < bytes; i++) {
      content[random.nextInt(content.length)] = (byte) random.nextInt();
    }
    readOrRefused(content, content.length);
  }

  @Property(tries = 400)
  void aDirectoryOfRecordsThatIsDamagedIsReadOrRefusedInOneLine(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 4) int bytes) throws IOException {
    byte[] content = Files.readAllBytes(Fixture.graph("bigram"));
    int directory = new String(content, StandardCharsets.ISO_8859_1).indexOf("PK\1\2");
    Random random = new Random(seed);
    for (int i = 0; i < bytes; i++) {
      content[random.nextInt(directory, content.length)] = (byte) random.nextInt();
    }
    readOrRefused(content, content.length);
  }

  @Property(tries = 200)
  void aFileThatIsCutIsRefused(@ForAll @IntRange(max = 1500) int length) throws IOException {
    byte[] content = Files.readAllBytes(Fixture.graph("bigram"));

    assertThat(readOrRefused(content, Math.min(length, content.length - 1))).isFalse();
  }

  private static boolean readOrRefused(byte[] content, int length) throws IOException {
    Path file = Files.createTempFile("damaged", ".pt");
    try {
      try (OutputStream out = Files.newOutputStream(file)) {
        out.write(content, 0, length);
      }
      TorchScriptFile.read(file);
      return true;
    } catch (BackendUnavailableException e) {
      assertThat(e).hasMessageContaining(file.toString());
      assertThat(e.getMessage().lines()).hasSize(1);
      return false;
    } finally {
      Files.delete(file);
    }
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatExceptionOfType(BackendUnavailableException.class)
        .isThrownBy(call)
        .withMessageContaining(message)
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }

  private static void zip(Path file, String... entries) throws IOException {
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
      for (String entry : List.of(entries)) {
        out.putNextEntry(new ZipEntry(entry));
        out.closeEntry();
      }
    }
  }

  private static byte[] unescaped(String content) {
    String text = content;
    for (String hex : List.of("80", "8a", "0a", "0c", "08", "12")) {
      text = text.replace("\\x" + hex, String.valueOf((char) Integer.parseInt(hex, 16)));
    }
    for (int i = 0; i < 10; i++) {
      text = text.replace("\\" + i, String.valueOf((char) i));
    }
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
