package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.ResidentMemory;
import io.llmap.testing.models.TinyModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link ResidentMemory} of a JVM whose heap is fixed. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "resident memory is read from /proc")
class NativeMemoryTest {
  private static final int WARM_UP = 2;

  /** A leak is there every time; the compiler of the JVM takes its 10 MiB once. */
  private static final int MEASURED = 3;

  /** Batches that are not closed take 54, 61 and 11 MiB; the weights of thirty models 3.5. */
  private static final long LIMIT = 2L << 20;

  @ParameterizedTest
  @EnumSource
  void workLeavesNothingBehind(Work work) throws Exception {
    ChildJvm jvm = new ChildJvm();
    ResidentMemory.FIXED_HEAP.forEach(jvm::option);
    List<String> printed =
        jvm.run(Repeated.class, work.name(), Fixture.folder(TinyModel.GPT2).toString());

    assertThat(Long.parseLong(printed.get(0))).isLessThan(LIMIT);
  }

  /** Not left to the collector, which DJL's finalizers would help. */
  @Test
  void closingFreesTheModelAtOnce() throws Exception {
    DjlModelFiles files = Repeated.files(Fixture.folder(TinyModel.GPT2));
    DjlEngines.require("PyTorch");
    Model model = Model.newInstance("gpt2", "PyTorch");
    model.load(files.model().getParent(), String.valueOf(files.model().getFileName()));
    DjlCausalLm.of(
            model,
            DjlSignature.of(TorchScriptFile.read(files.model())),
            TinyModel.CONTEXT,
            ScorerOptions.defaults())
        .close();

    assertThat(model.getNDManager().isOpen()).isFalse();
  }

  private enum Work {
    /** A thousand batches. */
    BATCHES,
    /** Batches of a shape that none had before: the engine keeps nothing for a shape. */
    SHAPES,
    /** A batch each on threads that end: the engine keeps nothing for a thread. */
    THREADS,
    /** Models opened, used and closed. */
    MODELS
  }

  /** Does the same work again and again and prints by how many bytes it grew the least. */
  static final class Repeated implements LogitsSink {
    /** 10 batch sizes, and every length that the model takes but 1 and 96. */
    private static final int SHAPES = 940;

    /** Without a divisor in common with their number: every run has large shapes and small ones. */
    private static final int MIXER = 371;

    private final DjlModelFiles files;
    private int shape;

    private Repeated(Path folder) {
      files = files(folder);
    }

    static DjlModelFiles files(Path folder) {
      return DjlModelFiles.locate(new ModelSpec("djl", folder, "gpt2"));
    }

    public static void main(String[] args) throws Exception {
      Repeated repeated = new Repeated(Path.of(args[1]));
      try (DjlCausalLm model = repeated.open()) {
        for (int i = 0; i < WARM_UP; i++) {
          repeated.run(Work.valueOf(args[0]), model);
        }
        long least = Long.MAX_VALUE;
        for (int i = 0; i < MEASURED; i++) {
          long before = ResidentMemory.bytes();
          repeated.run(Work.valueOf(args[0]), model);
          least = Math.min(least, ResidentMemory.bytes() - before);
        }
        System.out.println(least);
      }
    }

    private void run(Work work, DjlCausalLm model) throws InterruptedException {
      switch (work) {
        case BATCHES -> {
          for (int i = 0; i < 1000; i++) {
            forward(model, 1 + i % 3, 2 + i % 40);
          }
        }
        case SHAPES -> {
          for (int i = 0; i < SHAPES / (WARM_UP + MEASURED); i++) {
            int mixed = shape++ * MIXER % SHAPES;
            forward(model, 1 + mixed % 10, 2 + mixed / 10);
          }
        }
        case THREADS -> {
          for (int i = 0; i < 200; i++) {
            Thread thread = new Thread(() -> forward(model, 2, 20));
            thread.start();
            thread.join();
          }
        }
        case MODELS -> {
          for (int i = 0; i < 30; i++) {
            try (DjlCausalLm another = open()) {
              forward(another, 2, 20);
            }
          }
        }
      }
    }

    private void forward(DjlCausalLm model, int sequences, int length) {
      model.forward(TokenBatch.of(new int[sequences][length], 0), this);
    }

    private DjlCausalLm open() {
      return DjlScorerProvider.load(files, ScorerOptions.defaults().withThreads(1));
    }

    @Override
    public void logits(int sequence, int firstTarget, LogitsBlock logits) {
      if (!Float.isFinite(logits.logit(0, 0))) {
        throw new AssertionError();
      }
    }

    @Override
    public void tokenLogProbs(int sequence, int firstTarget, double[] logProbs) {
      throw new AssertionError("logits were expected");
    }
  }
}
