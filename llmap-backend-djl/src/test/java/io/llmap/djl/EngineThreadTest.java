package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.pytorch.jni.JniUtils;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.models.TinyModel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class EngineThreadTest {
  @Test
  void workApartRunsOnAThreadThatEnds() throws InterruptedException {
    Thread thread = EngineThread.apart(Thread::currentThread);

    assertThat(thread).isNotSameAs(Thread.currentThread());
    thread.join(10_000);
    assertThat(thread.isAlive()).isFalse();
  }

  @Test
  void aFailureApartComesAsItWas() {
    BackendUnavailableException failure = new BackendUnavailableException("no");

    assertThatThrownBy(
            () ->
                EngineThread.apart(
                    () -> {
                      throw failure;
                    }))
        .isSameAs(failure);
  }

  @Test
  void openingAModelLeavesTheThreadsOfTheCallerAlone() throws Exception {
    DjlEngines.require("PyTorch");
    JniUtils.setNumThreads(3);
    Path folder = Fixture.folder(TinyModel.GPT2);
    Model model = Model.newInstance("gpt2", "PyTorch");
    model.load(folder, "gpt2.pt");
    DjlSignature signature = DjlSignature.of(TorchScriptFile.read(folder.resolve("gpt2.pt")));
    DjlCausalLm.of(model, signature, TinyModel.CONTEXT, ScorerOptions.defaults().withThreads(1))
        .close();

    assertThat(JniUtils.getNumThreads()).isEqualTo(3);
  }
}
