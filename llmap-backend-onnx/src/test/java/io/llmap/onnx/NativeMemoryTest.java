package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.ResidentMemory;
import io.llmap.testing.models.TinyModel;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** {@link ResidentMemory} of a JVM whose heap is fixed. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "resident memory is read from /proc")
class NativeMemoryTest {
  private static final int WARM_UP = 3;

  @Test
  void batchesLeaveNothingBehind() throws Exception {
    // A tensor that is not closed is more than 100 bytes, and a batch of another size has six new.
    assertThat(growth("batches")).isLessThan(6L << 20);
  }

  @Test
  void batchesOfACutGraphLeaveNothingBehind() throws Exception {
    // Five tensors of a hundred bytes each, beside the inputs.
    assertThat(growth("split-batches")).isLessThan(4L << 20);
  }

  @Test
  void closedModelsLeaveNothingBehind() throws Exception {
    // A session that is not closed is more than 1 MB.
    assertThat(growth("models")).isLessThan(20L << 20);
  }

  private static long growth(String what) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ResidentMemory.FIXED_HEAP);
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), Repeated.class.getName(), what));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (InputStream out = process.getInputStream()) {
      String printed = new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
      assertThat(process.waitFor()).isZero();
      return Long.parseLong(printed);
    }
  }

  /** Does the same work again and again and prints by how many bytes the last time grew. */
  static final class Repeated implements LogitsSink {
    private Repeated() {}

    public static void main(String[] args) throws IOException {
      Runnable work =
          switch (args[0]) {
            case "batches" -> () -> batches(OnnxModels.graph("signature-past"));
            case "split-batches" -> () -> batches(product());
            default -> Repeated::models;
          };
      for (int i = 0; i < WARM_UP; i++) {
        work.run();
      }
      long before = ResidentMemory.bytes();
      work.run();
      System.out.println(ResidentMemory.bytes() - before);
    }

    private static Path product() {
      try {
        Path file = Files.createTempFile("product", ".onnx");
        file.toFile().deleteOnExit();
        return TestGraph.causal(TestGraph.FLOAT)
            .floats("table", List.of(4, 2), 0, 1, 1, 0, 1, 1, 2, 0)
            .floats("w", List.of(2, 4), 0, 1, 2, 1, 0, 2, 1, 3)
            .node("Gather", List.of("table", "input_ids"), "h")
            .node("MatMul", List.of("h", "w"), "logits")
            .write(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void batches(Path graph) {
      TokenBatch one = TokenBatch.of(new int[][] {{1, 2}}, 0);
      TokenBatch two = TokenBatch.of(new int[][] {{1, 2}, {3, 0, 1}}, 0);
      try (OnnxCausalLm model = open(graph)) {
        for (int i = 0; i < 25_000; i++) {
          model.forward(one, new Repeated());
          model.forward(two, new Repeated());
        }
      }
    }

    private static void models() {
      TokenBatch batch = TokenBatch.of(new int[2][96], 0);
      for (int i = 0; i < 40; i++) {
        try (OnnxCausalLm model = open(OnnxModels.graph(TinyModel.GPT2))) {
          model.forward(batch, new Repeated());
        }
      }
    }

    private static OnnxCausalLm open(Path graph) {
      return OnnxCausalLm.open(
          graph,
          ModelConfig.read(graph.resolveSibling("nothing")),
          ScorerOptions.defaults().withThreads(1));
    }

    @Override
    public void logits(int sequence, int firstTarget, LogitsBlock logits) {
      if (!Float.isFinite(logits.logit(0, 0))) {
        throw new AssertionError();
      }
    }

    @Override
    public void tokenLogProbs(int sequence, int firstTarget, double[] logProbs) {
      if (!Double.isFinite(logProbs[0])) {
        throw new AssertionError();
      }
    }
  }
}
