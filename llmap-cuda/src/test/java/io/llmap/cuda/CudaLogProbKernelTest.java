package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CudaLogProbKernelTest {
  private static final byte[] PTX = {0};

  private static double[] logProbs(
      FakeCudaDriver driver, int chunkBytes, LogitsBlock logits, int[] targets) {
    double[] out = new double[targets.length];
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaLogProbKernel kernel = CudaLogProbKernel.open(context, chunkBytes)) {
      kernel.logProbs(logits, 0, targets.length, targets, 0, out, 0);
    }
    driver.assertNothingIsLeft();
    assertThat(driver.orphans).isEmpty();
    return out;
  }

  private static void assertClose(double[] actual, double[] expected, int vocabulary) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int r = 0; r < actual.length; r++) {
      assertThat(actual[r])
          .isCloseTo(
              expected[r], within(Tolerances.singlePrecisionKernel(expected[r], vocabulary)));
    }
  }

  @ParameterizedTest
  @EnumSource(LogitsBlock.Type.class)
  void chunksOfEverySizeGiveTheLogProbsOfTheReference(LogitsBlock.Type type) {
    for (int vocabulary : new int[] {1, 2, 31, 33, 257}) {
      LogitsBlock logits = LogitsOnHost.random(type, 3, 70, vocabulary, vocabulary + 5);
      int[] targets = LogitsOnHost.targets(70, vocabulary);
      double[] expected = LogitsOnHost.reference(logits, targets);
      for (int chunkBytes : new int[] {1, 100, 3000, 1 << 20}) {
        assertClose(
            logProbs(FakeCudaDriver.withOneDevice(), chunkBytes, logits, targets),
            expected,
            vocabulary);
      }
    }
  }

  @Test
  void aRangeOfRowsGoesFromItsTargetsToItsPlace() {
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.BF16, 0, 20, 40, 40);
    int[] targets = LogitsOnHost.targets(20, 40);
    double[] expected = LogitsOnHost.reference(logits, targets);
    double[] out = new double[30];
    Arrays.fill(out, 7);
    int[] shifted = new int[25];
    System.arraycopy(targets, 0, shifted, 2, 20);

    try (CudaContext context = CudaContext.open(FakeCudaDriver.withOneDevice(), 0, PTX);
        CudaLogProbKernel kernel = CudaLogProbKernel.open(context, 200)) {
      kernel.logProbs(logits, 4, 9, shifted, 6, out, 11);
      kernel.logProbs(logits, 4, 0, shifted, 6, out, 11);
    }

    assertClose(Arrays.copyOfRange(out, 11, 20), Arrays.copyOfRange(expected, 4, 13), 40);
    assertThat(Arrays.copyOf(out, 11)).containsOnly(7);
    assertThat(Arrays.copyOfRange(out, 20, 30)).containsOnly(7);
  }

  @Test
  void rowsAreLaunchedAsTheKernelDocuments() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F16, 0, 5, 33, 50);

    logProbs(driver, 2 * (80 + 4), logits, new int[5]);

    assertThat(driver.launches)
        .extracting(FakeCudaDriver.Launch::kernel)
        .containsOnly("llmap_log_probs_f16");
    assertThat(driver.launches)
        .extracting(FakeCudaDriver.Launch::shape)
        .containsExactly(
            new LaunchShape(2, 1, 256), new LaunchShape(2, 1, 256), new LaunchShape(1, 1, 256));
    // A row of 33 halves takes 66 bytes, and 80 up to where the next may start.
    assertThat(driver.launches.get(0).arguments()).element(1).isEqualTo(KernelArgument.of(40L));
    assertThat(driver.launches.get(0).arguments()).element(2).isEqualTo(KernelArgument.of(33));
    assertThat(driver.launches.get(0).arguments()).element(4).isEqualTo(KernelArgument.of(2));
    assertThat(driver.launches.get(0).arguments()).element(5).isEqualTo(KernelArgument.of(-1));
  }

  @Test
  void theNextChunkIsQueuedBeforeTheLastIsWaitedFor() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 3, 8, 8);

    logProbs(driver, 1, logits, new int[3]);

    assertThat(driver.calls)
        .filteredOn(call -> call.matches("(cuMemcpy|cuStreamSync|cuLaunch).*"))
        .containsExactly(
            "cuMemcpyHtoDAsync 48",
            "cuLaunchKernel llmap_log_probs_f32",
            "cuMemcpyDtoHAsync 8",
            "cuMemcpyHtoDAsync 48",
            "cuLaunchKernel llmap_log_probs_f32",
            "cuMemcpyDtoHAsync 8",
            "cuStreamSynchronize",
            "cuMemcpyHtoDAsync 48",
            "cuLaunchKernel llmap_log_probs_f32",
            "cuMemcpyDtoHAsync 8",
            "cuStreamSynchronize",
            "cuStreamSynchronize");
  }

  @Test
  void buffersAreKeptFromCallToCall() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 50, 100, 100);
    double[] out = new double[50];
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaLogProbKernel kernel = CudaLogProbKernel.open(context, 4096)) {
      kernel.logProbs(logits, 0, 50, new int[50], 0, out, 0);
      long allocations = driver.calls.stream().filter(call -> call.contains("Alloc")).count();
      kernel.logProbs(logits, 0, 50, new int[50], 0, out, 0);
      kernel.logProbs(logits, 0, 1, new int[50], 0, out, 0);

      assertThat(driver.calls.stream().filter(call -> call.contains("Alloc")))
          .hasSize((int) allocations)
          .hasSize(6);
    }
  }

  @Test
  void aRowsResultDoesNotDependOnTheOthers() {
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 30, 20_000, 20_000);
    int[] targets = LogitsOnHost.targets(30, 20_000);
    double[] together = logProbs(FakeCudaDriver.withOneDevice(), 1 << 20, logits, targets);
    double[] alone = new double[1];
    try (CudaContext context = CudaContext.open(FakeCudaDriver.withOneDevice(), 0, PTX);
        CudaLogProbKernel kernel = CudaLogProbKernel.open(context)) {
      kernel.logProbs(logits, 17, 1, targets, 17, alone, 0);
    }
    assertThat(alone[0]).isEqualTo(together[17]);
  }

  @Test
  void threadsThatShareAKernelGetTheirOwnResults() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 64, 50, 50);
    int[] targets = LogitsOnHost.targets(64, 50);
    double[] expected = LogitsOnHost.reference(logits, targets);
    double[] out = new double[64];
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaLogProbKernel kernel = CudaLogProbKernel.open(context, 500)) {
      IntStream.range(0, 16)
          .parallel()
          .forEach(task -> kernel.logProbs(logits, 4 * task, 4, targets, 4 * task, out, 4 * task));
    }
    assertClose(out, expected, 50);
    driver.assertNothingIsLeft();
  }

  @Test
  void twoDevicesKeepTheirMemoryApart() {
    FakeCudaDriver driver =
        new FakeCudaDriver(
            new FakeCudaDriver.Device("A", 7, 5, 2), new FakeCudaDriver.Device("B", 12, 0, 9));
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.BF16, 0, 7, 30, 30);
    int[] targets = LogitsOnHost.targets(7, 30);
    double[] expected = LogitsOnHost.reference(logits, targets);
    double[] first = new double[7];
    double[] second = new double[7];
    try (CudaContext a = CudaContext.open(driver, 0, PTX);
        CudaContext b = CudaContext.open(driver, 1, PTX);
        CudaLogProbKernel onA = CudaLogProbKernel.open(a, 100);
        CudaLogProbKernel onB = CudaLogProbKernel.open(b, 100)) {
      onA.logProbs(logits, 0, 7, targets, 0, first, 0);
      onB.logProbs(logits, 0, 7, targets, 0, second, 0);
      assertThat(a.name() + a.device() + b.name() + b.device()).isEqualTo("A0B1");
    }
    assertClose(first, expected, 30);
    assertClose(second, expected, 30);
    driver.assertNothingIsLeft();
  }

  @Test
  void rangesAndTargetsOutsideAreRefused() {
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 4, 10, 10);
    try (CudaContext context = CudaContext.open(FakeCudaDriver.withOneDevice(), 0, PTX);
        CudaLogProbKernel kernel = CudaLogProbKernel.open(context)) {
      for (Runnable wrong :
          new Runnable[] {
            () -> kernel.logProbs(logits, 3, 2, new int[9], 0, new double[9], 0),
            () -> kernel.logProbs(logits, 0, 2, new int[2], 1, new double[9], 0),
            () -> kernel.logProbs(logits, 0, 2, new int[2], 0, new double[2], 1),
            () -> kernel.logProbs(logits, 0, 2, new int[] {0, 10}, 0, new double[2], 0),
            () -> kernel.logProbs(logits, 0, 2, new int[] {-1, 0}, 0, new double[2], 0)
          }) {
        assertThatThrownBy(wrong::run).isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
  }

  @Test
  void aFailureOfAnyCallNamesItAndLeavesNothingBehind() {
    LogitsBlock small = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 5, 8, 8);
    LogitsBlock large = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 7, 100, 100);
    int[] targets = new Random(1).ints(7, 0, 8).toArray();
    int calls =
        FakeCudaDriver.failEveryCall(
            "CUDA_ERROR_ILLEGAL_ADDRESS",
            driver -> {
              try (CudaContext context = CudaContext.open(driver, 0, PTX);
                  CudaLogProbKernel kernel = CudaLogProbKernel.open(context, 100)) {
                kernel.logProbs(small, 0, 5, targets, 0, new double[5], 0);
                kernel.logProbs(large, 0, 7, targets, 0, new double[7], 0);
              }
            });
    assertThat(calls).isGreaterThan(60);
  }

  @Test
  void aKernelWorksAfterACallThatFailed() {
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 6, 50, 50);
    int[] targets = LogitsOnHost.targets(6, 50);
    double[] expected = LogitsOnHost.reference(logits, targets);
    boolean failed = true;
    for (int later = 1; failed; later++) {
      FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
      double[] out = new double[6];
      try (CudaContext context = CudaContext.open(driver, 0, PTX);
          CudaLogProbKernel kernel = CudaLogProbKernel.open(context, 1)) {
        kernel.logProbs(logits, 0, 6, new int[6], 0, out, 0);
        driver.failingAt(driver.calls.size() + later, "CUDA_ERROR_LAUNCH_TIMEOUT");
        failed = false;
        try {
          kernel.logProbs(logits, 0, 6, new int[6], 0, out, 0);
          driver.failingAt(Integer.MAX_VALUE, "");
        } catch (LlmapException e) {
          assertThat(e).hasMessageContaining("CUDA_ERROR_LAUNCH_TIMEOUT");
          failed = true;
        }
        kernel.logProbs(logits, 0, 6, targets, 0, out, 0);
      }
      assertClose(out, expected, 50);
      assertThat(later).isLessThan(100);
    }
  }

  @Test
  void aClosedKernelAndAClosedContextSaySo() {
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 2, 5, 5);
    CudaContext context = CudaContext.open(FakeCudaDriver.withOneDevice(), 0, PTX);
    CudaLogProbKernel kernel = CudaLogProbKernel.open(context);
    kernel.close();
    kernel.close();
    assertThatThrownBy(() -> kernel.logProbs(logits, 0, 2, new int[2], 0, new double[2], 0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("these kernels of Fake GPU are closed");
    context.close();
    context.close();
    assertThatThrownBy(() -> CudaLogProbKernel.open(context))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the CUDA context of device 0 is closed");
  }
}
