package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.score.spi.LogitsBlock;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import jcuda.driver.CUstream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * Any layout, on the host and on the device: strides, offsets, chunks and devices of every size.
 */
class CudaLogProbPropertiesTest {
  @Property(tries = 150)
  void anyLayoutGivesTheLogProbsOfTheReference(
      @ForAll LogitsBlock.Type type,
      @ForAll @IntRange(min = 1, max = 40) int rows,
      @ForAll @IntRange(min = 1, max = 300) int vocabulary,
      @ForAll @IntRange(max = 20) int padding,
      @ForAll @IntRange(max = 9) int offset,
      @ForAll @IntRange(max = 39) int firstRow,
      @ForAll @IntRange(min = 1, max = 5000) int chunkBytes,
      @ForAll @IntRange(min = 1, max = 100) int multiprocessors) {
    LogitsBlock logits = LogitsOnHost.random(type, offset, rows, vocabulary, vocabulary + padding);
    int[] targets = LogitsOnHost.targets(rows, vocabulary);
    double[] expected = LogitsOnHost.reference(logits, targets);
    int first = firstRow % rows;
    double[] uploaded = new double[rows];
    double[] onDevice;
    FakeCudaDriver driver =
        new FakeCudaDriver(new FakeCudaDriver.Device("any", 8, 0, multiprocessors));
    try (CudaContext context = CudaContext.open(driver, 0, new byte[1]);
        CudaLogProbKernel kernel = CudaLogProbKernel.open(context, chunkBytes);
        CudaLogProbs kernels = CudaLogProbs.open(context, new CUstream())) {
      kernel.logProbs(logits, first, rows - first, targets, first, uploaded, first);
      CudaLogits block =
          new CudaLogits(
              driver.put(0, LogitsOnHost.bytes(logits)).withByteOffset(logits.byteOffset(0)),
              type,
              rows,
              vocabulary,
              vocabulary + padding);
      onDevice = kernels.logProbs(block, targets, -100);
    }
    assertClose(
        Arrays.copyOfRange(uploaded, first, rows),
        Arrays.copyOfRange(expected, first, rows),
        vocabulary);
    assertClose(onDevice, expected, vocabulary);
    driver.assertNothingIsLeft();
    assertThat(driver.orphans).isEmpty();
  }

  private static void assertClose(double[] actual, double[] expected, int vocabulary) {
    for (int r = 0; r < expected.length; r++) {
      assertThat(actual[r])
          .isCloseTo(
              expected[r], within(Tolerances.singlePrecisionKernel(expected[r], vocabulary)));
    }
  }
}
