package io.llmap.onnx;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.models.TinyModel;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layouts as exporters and users make them, and files as disks and downloads damage them. */
class OnnxModelFilesTest {
  @TempDir Path folder;

  // ModelSpec.parse: what a user writes.
  private OnnxModelFiles locate(String path) {
    return OnnxModelFiles.locate(ModelSpec.parse("onnx:" + folder.resolve(path) + "#tiny"));
  }

  private Path chosen(String spec) {
    return folder.relativize(locate(spec).model());
  }

  /** A small graph without external data at each path. */
  private void graphs(String... paths) throws IOException {
    for (String path : paths) {
      Path file = folder.resolve(path);
      Files.createDirectories(file.getParent());
      Files.copy(OnnxModels.graph("bigram"), file);
    }
  }

  private void write(String name, String content) throws IOException {
    Files.createDirectories(folder.resolve(name).getParent());
    Files.writeString(folder.resolve(name), content, ISO_8859_1);
  }

  private void assertRefused(String spec, String... parts) {
    assertThatThrownBy(() -> locate(spec))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(parts)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void theModelMayLieInASubfolderOrBeNamedItself() throws IOException {
    graphs("a/model.onnx", "b/onnx/model.onnx");
    write("a/tokenizer.json", "{}");
    write("b/tokenizer.json", "{}");
    assertThat(chosen("a")).isEqualTo(Path.of("a/model.onnx"));
    assertThat(chosen("a/model.onnx")).isEqualTo(Path.of("a/model.onnx"));
    assertThat(chosen("b")).isEqualTo(Path.of("b/onnx/model.onnx"));
    String fingerprint = locate("a").fingerprint();
    for (String spec : new String[] {"a/model.onnx", "b", "b/onnx", "b/onnx/model.onnx"}) {
      assertThat(locate(spec).fingerprint()).as(spec).isEqualTo(fingerprint);
    }
  }

  @Test
  void theTokenizerMayLieBesideTheGraphOrOneFolderUp() throws IOException {
    graphs("a/onnx/model.onnx", "b/onnx/model.onnx", "c/onnx/model.onnx", "d/onnx/model.onnx");
    write("a/tokenizer.json", "{}");
    write("b/onnx/tokenizer.json", "{}");
    write("c/config.json", "{}");
    for (String spec : new String[] {"", "/onnx", "/onnx/model.onnx"}) {
      assertThat(locate("a" + spec).folder().path()).isEqualTo(folder.resolve("a"));
      assertThat(locate("b" + spec).folder().path()).isEqualTo(folder.resolve("b/onnx"));
      assertThat(locate("c" + spec).folder().path()).isEqualTo(folder.resolve("c"));
    }
    assertThat(locate("d").folder().path()).isEqualTo(folder.resolve("d"));
  }

  @ParameterizedTest
  @CsvSource({
    "m, model.onnx",
    "m:fp16, model_fp16.onnx",
    "m:quantized, onnx/model_quantized.onnx",
    "m:int8, onnx/model_int8.onnx",
    "m:q4, onnx/model_q4.onnx",
    "m:bnb4, onnx/model_bnb4.onnx",
    "m:model_bnb4, onnx/model_bnb4.onnx",
    "m:decoder_model, onnx/decoder_model.onnx",
    "m:decoder_with_past_model, onnx/decoder_with_past_model.onnx",
    "m:decoder_model_merged, onnx/decoder_model_merged.onnx",
    "m:uint8, onnx/decoder_model_merged_uint8.onnx",
    "m/model_fp16.onnx, model_fp16.onnx",
    "m/onnx, onnx/model.onnx",
  })
  void aVariantChoosesAmongGraphsSideBySide(String spec, String graph) throws IOException {
    graphs("m/model.onnx", "m/model_fp16.onnx");
    for (String name :
        new String[] {
          "model",
          "model_fp16",
          "model_quantized",
          "model_int8",
          "model_q4",
          "model_bnb4",
          "decoder_model",
          "decoder_with_past_model",
          "decoder_model_merged",
          "decoder_model_merged_uint8"
        }) {
      graphs("m/onnx/" + name + ".onnx");
    }
    assertThat(chosen(spec)).isEqualTo(Path.of("m").resolve(graph));
  }

  @Test
  void withoutAModelOnnxTheGraphForWholeTextsOrTheOnlyOneIsTaken() throws IOException {
    graphs("a/decoder_model.onnx", "a/decoder_model_merged.onnx", "a/decoder_with_past_model.onnx");
    graphs("b/onnx/decoder_model_merged.onnx", "b/onnx/decoder_model_merged_fp16.onnx");
    graphs("c/model_quantized.onnx");
    assertThat(chosen("a")).isEqualTo(Path.of("a/decoder_model.onnx"));
    assertThat(chosen("b")).isEqualTo(Path.of("b/onnx/decoder_model_merged.onnx"));
    assertThat(chosen("c")).isEqualTo(Path.of("c/model_quantized.onnx"));
  }

  @Test
  void severalGraphsWithoutAChoiceAreListedWithTheWayToChoose() throws IOException {
    graphs("m/onnx/model_q4.onnx", "m/onnx/model_fp16.onnx", "m/gpt2-10.onnx");
    assertRefused(
        "m",
        folder.resolve("m") + " has several graphs and no model.onnx",
        "choose a variant, such as onnx:" + folder.resolve("m") + ":gpt2-10",
        "of: gpt2-10 (gpt2-10.onnx), fp16 (onnx/model_fp16.onnx), q4 (onnx/model_q4.onnx)");
  }

  @Test
  void aVariantThatIsNotThereIsRefusedWithThoseThatAre() throws IOException {
    graphs("m/model.onnx", "m/model_fp16.onnx");
    assertRefused(
        "m:int4",
        folder.resolve("m")
            + " has no variant \"int4\"; there are: model (model.onnx), fp16 (model_fp16.onnx)");
    assertRefused("m/model.onnx:fp16", "model.onnx is a file, which has no variant \"fp16\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.safetensors",
        "model-00001-of-00002.safetensors",
        "pytorch_model.bin",
        "pytorch_model-00001-of-00002.bin",
        "tf_model.h5",
        "gpt2.Q4_K_M.gguf"
      })
  void aFolderWithWeightsOfAnotherKindIsToldHowToExport(String file) throws IOException {
    write("m/" + file, "weights");
    write("m/training_args.bin", "not weights");
    assertRefused(
        "m",
        "there is no model.onnx, nor another .onnx file, in %s or its subfolder onnx, but %s; "
            .formatted(folder.resolve("m"), file),
        "optimum-cli export onnx --task text-generation --model " + folder.resolve("m") + " OUT");
  }

  @Test
  void whatIsNotThereIsNamed() throws IOException {
    assertRefused("nowhere", "there is no model at " + folder.resolve("nowhere"));
    Files.createDirectory(folder.resolve("empty"));
    assertRefused(
        "empty",
        "there is no model.onnx, nor another .onnx file, in " + folder.resolve("empty"),
        "optimum-cli");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GGUF\\3\\0\\0\\0|is not ONNX but GGUF; go back to the model that it was made from",
        "PK\\3\\4\\0\\0|is not ONNX but PyTorch; export it: optimum-cli",
        "\\x80\\2\\x8a\\x0a|is not ONNX but PyTorch; export it: optimum-cli",
        "\\x0c\\0\\0\\0\\0\\0\\0\\0{\"a\":[0,12]}|is not ONNX but safetensors; export it: optimum-cli",
        "\\x89HDF\\x0d\\x0a|is not ONNX but HDF5 (Keras); export it: optimum-cli",
        "\\x20\\0\\0\\0ORTM|is not ONNX but ORT; name the .onnx file that it was made from",
        "<!DOCTYPE html>|is not ONNX but a web page; get the file itself",
        "version https://git-lfs.github.com/spec/v1|is a Git LFS pointer in place of the file; run \"git",
        "''|model.onnx is empty; get the file again",
        "once upon a time|cannot be read: not an ONNX model",
        "\\x08\\x08|cannot be read: not an ONNX model: it holds no graph",
      })
  void aFileOfAnotherKindIsCalledWhatItIs(String content, String reason) throws IOException {
    write("model.onnx", unescaped(content));
    for (String spec : new String[] {"", "model.onnx"}) {
      assertRefused(spec, folder.resolve("model.onnx").toString(), reason);
    }
  }

  private static String unescaped(String content) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < content.length(); i++) {
      if (content.charAt(i) != '\\') {
        out.append(content.charAt(i));
      } else if (content.charAt(i + 1) == 'x') {
        out.append((char) Integer.parseInt(content.substring(i + 2, i + 4), 16));
        i += 3;
      } else {
        out.append((char) (content.charAt(i + 1) - '0'));
        i++;
      }
    }
    return out.toString();
  }

  @Test
  void everyBeginningOfAGraphIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(OnnxModels.graph(TinyModel.GPT2));
    for (int length = 1; length < whole.length - 64; length += 997) {
      Files.write(folder.resolve("model.onnx"), Arrays.copyOf(whole, length));
      assertRefused("", "model " + folder.resolve("model.onnx") + " cannot be read: ");
    }
    Files.write(folder.resolve("model.onnx"), Arrays.copyOf(whole, whole.length / 2));
    assertRefused(
        "",
        "it was cut, or is no ONNX model: it has " + whole.length / 2 + " bytes, and a part of");
  }

  private Path external() throws IOException {
    Path graphs = OnnxModels.graph("bigram-external").getParent();
    for (String name : new String[] {"bigram-external.onnx", "bigram-external.onnx_data"}) {
      Files.copy(graphs.resolve(name), folder.resolve(name));
    }
    return folder.resolve("bigram-external.onnx_data");
  }

  @Test
  void weightsInOtherFilesAreFoundWithTheirSizes() throws IOException {
    assertThat(ExternalData.files(OnnxModels.graph("bigram"))).isEmpty();
    assertThat(ExternalData.files(OnnxModels.graph("bigram-external")))
        .isEqualTo(Map.of("bigram-external.onnx_data", 256L));
    // These tensors give no length, which is optional.
    assertThat(ExternalData.files(OnnxModels.graph("bigram-external-branch")))
        .isEqualTo(Map.of("bigram-external-branch.0", 0L, "bigram-external-branch.1", 0L));
  }

  @Test
  void theFingerprintCoversWeightsInOtherFiles() throws IOException {
    Path weights = external();
    String before = locate("").fingerprint();
    byte[] table = Files.readAllBytes(weights);
    table[0]++;
    Files.write(weights, table);
    assertThat(locate("").fingerprint()).isNotEqualTo(before);
  }

  @Test
  void weightsThatAreMissingCutOrAPointerAreNamed() throws IOException {
    Path weights = external();
    byte[] table = Files.readAllBytes(weights);
    Files.write(weights, Arrays.copyOf(table, 255));
    assertRefused("", weights + " is cut: it has 255 bytes, and ", "needs 256; get the file again");
    Files.writeString(weights, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n");
    assertRefused("", weights + " is a Git LFS pointer");
    Files.delete(weights);
    assertRefused("", "bigram-external.onnx keeps weights in " + weights + ", which is not there");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../../../../../etc/passwd",
        "/etc/././././././././host",
        "onnx/../../secret-weights",
        "..//////////////////data2",
      })
  void weightsOutsideTheFolderAreNotRead(String location) throws IOException {
    external();
    replaceInGraph("bigram-external.onnx_data", location);
    assertRefused("", "keeps weights in \"" + location + "\", outside its folder");
  }

  @Test
  void weightsInASubfolderAreRead() throws IOException {
    Path weights = external();
    replaceInGraph("bigram-external.onnx_data", "./onnx_external_data/data");
    Files.createDirectory(folder.resolve("onnx_external_data"));
    Files.move(weights, folder.resolve("onnx_external_data/data"));
    assertThat(locate("").weights()).containsExactly(folder.resolve("onnx_external_data/data"));
  }

  @Test
  void anExtentThatIsNoNumberIsRefused() throws IOException {
    external();
    replaceInGraph("256", "-25");
    assertRefused("", "the weights in bigram-external.onnx_data have the length \"-25\"");
  }

  @Test
  void linksIntoABlobStoreAreFollowed() throws IOException {
    Path weights = external();
    Path blobs = Files.createDirectory(folder.resolve("blobs"));
    Path snapshot = Files.createDirectories(folder.resolve("snapshots/1f/onnx"));
    Path graph = folder.resolve("bigram-external.onnx");
    Files.move(graph, blobs.resolve("aa"));
    Files.move(weights, blobs.resolve("bb"));
    Files.createSymbolicLink(snapshot.resolve("model.onnx"), Path.of("../../../blobs/aa"));
    Files.createSymbolicLink(snapshot.resolve(weights.getFileName()), Path.of("../../../blobs/bb"));
    OnnxModelFiles files = locate("snapshots/1f");
    assertThatCode(
            () ->
                OnnxCausalLm.open(
                        files.model(),
                        ModelConfig.read(folder),
                        ScorerOptions.defaults().withThreads(1))
                    .close())
        .doesNotThrowAnyException();
  }

  @Test
  void damagedGraphsDoNotMisleadTheSearchForWeights() throws IOException {
    byte[] whole = Files.readAllBytes(OnnxModels.graph("bigram-external-branch"));
    Path damaged = folder.resolve("damaged.onnx");
    for (int i = 0; i < whole.length; i++) {
      byte[] bytes = whole.clone();
      bytes[i] ^= (byte) (1 << (i % 8));
      Files.write(damaged, bytes);
      try {
        ExternalData.files(damaged);
      } catch (IOException e) {
        assertThat(e.getMessage())
            .containsAnyOf(
                "not an ONNX model", "no ONNX model", "the file ends inside", "the weights in");
      }
    }
  }

  private void replaceInGraph(String old, String same) throws IOException {
    assertThat(same).hasSameSizeAs(old);
    Path graph = folder.resolve("bigram-external.onnx");
    String bytes = Files.readString(graph, ISO_8859_1);
    Files.writeString(graph, bytes.replace(old, same), ISO_8859_1);
  }
}
