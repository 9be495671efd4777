package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  private static void example(
      CUdeviceptr pointer,
      int rows,
      int vocabulary,
      long stride,
      int[] targets,
      int[] starts,
      CUstream stream) {
    // example
    try (CudaContext context = CudaContext.open(0);
        CudaLogProbs kernels = CudaLogProbs.open(context, stream)) {
      CudaLogits logits = new CudaLogits(pointer, LogitsBlock.Type.BF16, rows, vocabulary, stride);
      double[] logLikelihoods = kernels.logLikelihoods(logits, targets, starts, -100);
      System.out.println(Arrays.toString(logLikelihoods));
    }
    // end
  }

  @Test
  void examplesOfTheDocumentationAreTheCodeOfThisTest() throws IOException {
    PackageExample.assertDocumented(getClass());
    PackageExample.assertDocumented(
        Path.of("src/main/java/io/llmap/cuda/CudaLogProbs.java"), getClass());
  }

  @Test
  void withoutADeviceTheExampleSaysWhatIsMissing() {
    assumeFalse(CudaContext.availability(0).available(), "skipped: this machine has a CUDA device");
    assertThatThrownBy(
            () -> example(new CUdeviceptr(), 1, 1, 1, new int[1], new int[] {0, 1}, new CUstream()))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageStartingWith("CUDA device 0 cannot be used: ");
  }
}
