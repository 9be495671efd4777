package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.cuda.FakeCudaDriver.FakePointer;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.List;
import jcuda.driver.CUstream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CudaLogProbsTest {
  private static final byte[] PTX = {0};
  private static final int IGNORED = -100;

  /** The layout that {@link LogitsOnHost#random} has with an offset. */
  private static CudaLogits onDevice(FakeCudaDriver driver, LogitsBlock logits, int stride) {
    FakePointer memory = driver.put(0, LogitsOnHost.bytes(logits));
    return new CudaLogits(
        memory.withByteOffset(logits.byteOffset(0)),
        logits.type(),
        logits.rows(),
        logits.vocabulary(),
        stride);
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
  void fewLongRowsAndManyShortOnesGiveTheLogProbsOfTheReference(LogitsBlock.Type type) {
    for (int[] shape : new int[][] {{1, 1}, {40, 33}, {7, 9000}, {3, 50_257}, {1, 70_000}}) {
      FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
      LogitsBlock logits = LogitsOnHost.random(type, 5, shape[0], shape[1], shape[1] + 3);
      int[] targets = LogitsOnHost.targets(shape[0], shape[1]);
      double[] expected = LogitsOnHost.reference(logits, targets);
      try (CudaContext context = CudaContext.open(driver, 0, PTX);
          CudaLogProbs kernels = CudaLogProbs.open(context, new CUstream())) {
        CudaLogits block = onDevice(driver, logits, shape[1] + 3);
        assertClose(kernels.logProbs(block, targets, IGNORED), expected, shape[1]);
        assertClose(kernels.logProbs(block, targets, IGNORED), expected, shape[1]);
      }
    }
  }

  @Test
  void rowsAreSplitWhereTheyAreFewerThanTwiceTheMultiprocessorsAndLong() {
    assertThat(CudaLogProbs.chunks(264, 131_072, 132)).isEqualTo(1);
    assertThat(CudaLogProbs.chunks(263, 131_072, 132)).isEqualTo(3);
    assertThat(CudaLogProbs.chunks(1, 131_072, 132)).isEqualTo(16);
    assertThat(CudaLogProbs.chunks(1, 16_383, 132)).isEqualTo(1);
    assertThat(CudaLogProbs.chunks(1, 16_384, 132)).isEqualTo(2);
    assertThat(CudaLogProbs.chunks(1, Integer.MAX_VALUE, 132)).isEqualTo(528);
    assertThat(CudaLogProbs.chunks(Integer.MAX_VALUE, 1, 132)).isEqualTo(1);
  }

  @Test
  void thePartialSumsOfEveryShapeFitTheirBuffer() {
    for (int multiprocessors : new int[] {1, 14, 132, 192}) {
      for (int rows = 1; rows < 2 * multiprocessors; rows++) {
        int chunks = CudaLogProbs.chunks(rows, Integer.MAX_VALUE, multiprocessors);
        assertThat(rows * chunks).isLessThanOrEqualTo(6 * multiprocessors);
      }
    }
  }

  @Test
  void pointersOfTheCallerGoToTheKernelsInOrder() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.BF16, 0, 4, 40_000, 40_000);
    FakePointer targets = driver.put(0, LogitsOnHost.bytes(9, IGNORED, 40_000, 39_999));
    FakePointer out = driver.put(0, new byte[4 * 8]);
    CUstream stream = new CUstream();
    double[] expected = LogitsOnHost.reference(logits, new int[] {9, 0, 0, 39_999});
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaLogProbs kernels = CudaLogProbs.open(context, stream)) {
      CudaLogits block = onDevice(driver, logits, 40_000);

      kernels.logProbs(block, targets, IGNORED, out);

      assertThat(driver.calls).as("nothing is waited for").doesNotContain("cuStreamSynchronize");
      assertThat(driver.launches)
          .extracting(FakeCudaDriver.Launch::kernel)
          .containsExactly("llmap_log_probs_split_bf16", "llmap_log_probs_combine_bf16");
      assertThat(driver.launches)
          .extracting(FakeCudaDriver.Launch::shape)
          .containsExactly(new LaunchShape(4, 4, 256), new LaunchShape(4, 1, 256));
      KernelArgument partials = driver.launches.get(0).arguments().get(5);
      assertThat(driver.launches.get(0).arguments())
          .containsExactly(
              KernelArgument.of(block.address()),
              KernelArgument.of(40_000L),
              KernelArgument.of(40_000),
              KernelArgument.of(4),
              KernelArgument.of(4),
              partials);
      assertThat(driver.launches.get(1).arguments())
          .containsExactly(
              KernelArgument.of(block.address()),
              KernelArgument.of(40_000L),
              KernelArgument.of(40_000),
              KernelArgument.of(targets),
              KernelArgument.of(4),
              KernelArgument.of(4),
              partials,
              KernelArgument.of(IGNORED),
              KernelArgument.of(out));
    }
    double[] actual = driver.doubles(out, 4);
    assertClose(
        new double[] {actual[0], actual[3]}, new double[] {expected[0], expected[3]}, 40_000);
    assertThat(actual[1]).isZero();
    assertThat(actual[2]).isNaN();
  }

  @Test
  void textsAreSummedOnTheDeviceAndOnlyTheirSumsComeBack() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 20, 30, 30);
    int[] targets = LogitsOnHost.targets(20, 30);
    double[] expected = LogitsOnHost.reference(logits, targets);
    targets[3] = IGNORED;
    expected[3] = 0;
    int[] starts = {0, 5, 5, 6, 20};
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaLogProbs kernels = CudaLogProbs.open(context, new CUstream())) {
      double[] sums =
          kernels.logLikelihoods(onDevice(driver, logits, 30), targets, starts, IGNORED);

      assertThat(sums).hasSize(4);
      for (int n = 0; n < 4; n++) {
        double sum = Arrays.stream(expected, starts[n], starts[n + 1]).sum();
        assertThat(sums[n]).isCloseTo(sum, within(20 * Tolerances.singlePrecisionKernel(sum, 30)));
      }
      assertThat(kernels.logLikelihoods(onDevice(driver, logits, 30), targets, new int[1], IGNORED))
          .isEmpty();
    }
    assertThat(driver.calls)
        .filteredOn(call -> call.startsWith("cuMemcpyDtoH"))
        .containsExactly("cuMemcpyDtoHAsync 32");
  }

  @Test
  void sumsOfSegmentsTakeAWarpEach() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    FakePointer logProbs = driver.put(0, LogitsOnHost.bytes(-1.0, -2.0, -4.0, -8.0));
    FakePointer starts = driver.put(0, LogitsOnHost.bytes(0, 1, 1, 4, 4, 4, 4, 4, 4, 4));
    FakePointer sums = driver.put(0, new byte[9 * 8]);
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaLogProbs kernels = CudaLogProbs.open(context, new CUstream())) {
      kernels.segmentSums(logProbs, starts, 9, sums);
      kernels.segmentSums(logProbs, starts, 0, sums);
      assertThatThrownBy(() -> kernels.segmentSums(logProbs, starts, -1, sums))
          .hasMessage("the number of segments is -1");
    }
    assertThat(driver.doubles(sums, 9)).containsExactly(-1, 0, -14, 0, 0, 0, 0, 0, 0);
    assertThat(driver.launches)
        .containsExactly(
            new FakeCudaDriver.Launch(
                "llmap_segment_sums",
                new LaunchShape(2, 1, 256),
                List.of(
                    KernelArgument.of(logProbs),
                    KernelArgument.of(starts),
                    KernelArgument.of(9),
                    KernelArgument.of(sums))));
  }

  @Test
  void wrongArgumentsAreRefusedBeforeTheDriverIsAsked() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaLogProbs kernels = CudaLogProbs.open(context, new CUstream())) {
      CudaLogits logits = new CudaLogits(new FakePointer(0), LogitsBlock.Type.F32, 2, 10, 10);
      int calls = driver.calls.size();
      assertThatThrownBy(() -> kernels.logProbs(logits, new int[3], IGNORED))
          .hasMessage("3 targets for 2 rows of logits");
      assertThatThrownBy(() -> kernels.logProbs(logits, new int[] {0, 10}, IGNORED))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(
              () -> kernels.logLikelihoods(logits, new int[2], new int[] {0, 3}, IGNORED))
          .hasMessage("a text that starts at row 3, after one at 0, of 2 rows");
      assertThatThrownBy(
              () -> kernels.logLikelihoods(logits, new int[2], new int[] {1, 0}, IGNORED))
          .hasMessage("a text that starts at row 0, after one at 1, of 2 rows");
      assertThatThrownBy(() -> kernels.logLikelihoods(logits, new int[2], new int[0], IGNORED))
          .hasMessage("no starts: the end of the last text is one too");
      assertThat(driver.calls).hasSize(calls);
    }
    assertThatThrownBy(() -> new CudaLogits(new FakePointer(0), LogitsBlock.Type.F32, 2, 10, 9))
        .hasMessage("bad logits shape: rows 2, vocabulary 10, row stride 9");
  }

  @Test
  void aFailureOfAnyCallNamesItAndLeavesNothingBehind() {
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 3, 17_000, 17_000);
    int calls =
        FakeCudaDriver.failEveryCall(
            "CUDA_ERROR_OUT_OF_MEMORY",
            driver -> {
              CudaLogits block = onDevice(driver, logits, 17_000);
              try (CudaContext context = CudaContext.open(driver, 0, PTX);
                  CudaLogProbs kernels = CudaLogProbs.open(context, new CUstream())) {
                kernels.logProbs(block, new int[3], IGNORED);
                kernels.logLikelihoods(block, new int[3], new int[] {0, 1, 2, 3}, IGNORED);
              }
            });
    assertThat(calls).isGreaterThan(40);
  }

  @Test
  void closingWaitsForWhatIsQueuedAndEndsTheUse() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    LogitsBlock logits = LogitsOnHost.random(LogitsBlock.Type.F32, 0, 1, 20_000, 20_000);
    CudaLogits block = onDevice(driver, logits, 20_000);
    FakePointer targets = driver.put(0, LogitsOnHost.bytes(3));
    FakePointer out = driver.put(0, new byte[8]);
    try (CudaContext context = CudaContext.open(driver, 0, PTX)) {
      CudaLogProbs kernels = CudaLogProbs.open(context, new CUstream());
      kernels.logProbs(block, targets, IGNORED, out);
      kernels.close();
      kernels.close();

      assertClose(driver.doubles(out, 1), LogitsOnHost.reference(logits, new int[] {3}), 20_000);
      assertThatThrownBy(() -> kernels.logProbs(block, targets, IGNORED, out))
          .hasMessage("these kernels of Fake GPU are closed");
    }
  }

  @Test
  void anAddressBecomesAPointer() {
    assertThat(CudaLogProbs.pointer(0x7f12_3456_7890L).toString())
        .isEqualTo("CUdeviceptr[nativePointer=0x0,byteOffset=" + 0x7f12_3456_7890L + "]");
  }
}
