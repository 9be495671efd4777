package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.ModelSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DjlModelFilesTest {
  @TempDir private Path folder;

  @Test
  void aFolderGivesModelPtThenItsNamesakeThenTheOnlyOne() throws IOException {
    write("a/model.pt", "a/a.pt", "a/b.pt", "b/b.pt", "b/c.pt", "c/anything.pt", "c/model.onnx");
    assertThat(locate("a").model()).isEqualTo(folder.resolve("a/model.pt"));
    assertThat(locate("b").model()).isEqualTo(folder.resolve("b/b.pt"));
    assertThat(locate("c").model()).isEqualTo(folder.resolve("c/anything.pt"));
    assertThat(locate("c").format()).isEqualTo(DjlModelFiles.Format.TORCH_SCRIPT);
  }

  @Test
  void aFolderWithoutTorchScriptGivesOnnx() throws IOException {
    write("a/model.onnx", "a/other.onnx");
    assertThat(locate("a").model()).isEqualTo(folder.resolve("a/model.onnx"));
    assertThat(locate("a").format().engine()).isEqualTo("OnnxRuntime");
  }

  @Test
  void aVariantIsAFilesNameOrWhatFollowsModel() throws IOException {
    write("a/model.pt", "a/model_fp16.pt", "a/int8.onnx");
    assertThat(locate("a:fp16").model()).isEqualTo(folder.resolve("a/model_fp16.pt"));
    assertThat(locate("a:int8").model()).isEqualTo(folder.resolve("a/int8.onnx"));
    assertThatThrownBy(() -> locate("a:bf16"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll("bf16", "model.pt", "model_fp16.pt", "int8.onnx");
    assertThatThrownBy(() -> locate("a/model.pt:fp16"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll("model.pt", "is a file", "fp16");
  }

  @Test
  void whatIsNotThereIsSaid() throws IOException {
    write("a/model.safetensors", "b/x.pt", "b/y.pt", "c/model.safetensors");
    assertThatThrownBy(() -> locate("nowhere"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("there is no model at " + folder.resolve("nowhere"));
    assertThatThrownBy(() -> locate("a"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll(
            folder.resolve("a").toString(), "TorchScript", "tools/convert/torchscript.py");
    assertThatThrownBy(() -> locate("b"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll("several", "x.pt, y.pt");
    assertThatThrownBy(() -> locate("c/model.safetensors"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll("model.safetensors", "neither TorchScript (.pt) nor ONNX (.onnx)");
  }

  @Test
  void theFingerprintChangesWithTheModelItsWeightsAndItsTokenizer() throws IOException {
    write("a/model.onnx", "a/model.onnx_data", "a/tokenizer.json", "a/notes.txt");
    String before = locate("a").fingerprint();
    assertThat(before).hasSize(64);
    Files.writeString(folder.resolve("a/notes.txt"), "other");
    assertThat(locate("a").fingerprint()).isEqualTo(before);
    for (String name : new String[] {"model.onnx", "model.onnx_data", "tokenizer.json"}) {
      Files.writeString(folder.resolve("a").resolve(name), "other");
      String after = locate("a").fingerprint();
      assertThat(after).as(name).isNotEqualTo(before);
      before = after;
    }
  }

  private DjlModelFiles locate(String path) {
    return DjlModelFiles.locate(ModelSpec.parse("djl:" + folder + "/" + path + "#name"));
  }

  private void write(String... names) throws IOException {
    for (String name : names) {
      Path file = folder.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, name);
    }
  }
}
