package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.cuda.FakeCudaDriver.FakePointer;
import io.llmap.distance.RowSource;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import jcuda.driver.CUstream;
import org.junit.jupiter.api.Test;

class CudaGramKernelTest {
  private static final byte[] PTX = {0};

  private static double[][] random(int rows, int columns) {
    Random random = new Random(31L * rows + columns);
    double[][] values = new double[rows][columns];
    for (double[] row : values) {
      Arrays.setAll(row, n -> 40 * random.nextGaussian() - 3);
    }
    return values;
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int n = 0; n < x.length; n++) {
      sum += x[n] * y[n];
    }
    return sum;
  }

  private static double sizes(double[] x, double[] y) {
    double sum = 0;
    for (int n = 0; n < x.length; n++) {
      sum += Math.abs(x[n] * y[n]);
    }
    return sum;
  }

  @Test
  void productsAreAddedInBlocksAndChunksOfEverySize() {
    for (int[] shape : new int[][] {{1, 1}, {2, 5}, {65, 3}, {70, 40}, {9, 257}}) {
      double[][] a = random(shape[0], shape[1]);
      for (int[] limits : new int[][] {{1, 1}, {2000, 100}, {1 << 20, 1000}, {1 << 20, 1 << 20}}) {
        FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
        double[] triangle = new double[shape[0] * (shape[0] + 1) / 2];
        Arrays.setAll(triangle, at -> at % 7);
        try (CudaContext context = CudaContext.open(driver, 0, PTX);
            CudaGramKernel kernel = CudaGramKernel.open(context, limits[0], limits[1])) {
          kernel.add(RowSource.wrap(a), triangle);
        }
        int at = 0;
        for (int i = 0; i < shape[0]; i++) {
          for (int j = 0; j <= i; j++, at++) {
            // Two orders of adding, each with its own rounding.
            double bound = 2 * Tolerances.dotProduct(shape[1], sizes(a[i], a[j]) + 7);
            assertThat(triangle[at]).isCloseTo(at % 7 + dot(a[i], a[j]), within(bound));
          }
        }
        driver.assertNothingIsLeft();
        assertThat(driver.orphans).isEmpty();
      }
    }
  }

  @Test
  void aMatrixThatFitsTheDeviceIsMultipliedInOneLaunchAndReadInChunksThatOverlap() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaGramKernel kernel = CudaGramKernel.open(context, 1 << 20, 160)) {
      kernel.add(RowSource.wrap(random(5, 10)), new double[15]);
    }
    assertThat(driver.calls)
        .filteredOn(call -> call.matches("(cuMemcpy|cuStreamSync|cuLaunch).*"))
        .containsExactly(
            "cuMemcpyHtoDAsync 160",
            "cuMemcpyHtoDAsync 160",
            "cuStreamSynchronize",
            "cuMemcpyHtoDAsync 80",
            "cuStreamSynchronize",
            "cuStreamSynchronize",
            "cuLaunchKernel llmap_gram_f64",
            "cuStreamSynchronize",
            "cuMemcpyDtoHAsync 160",
            "cuMemcpyDtoHAsync 40",
            "cuStreamSynchronize",
            "cuStreamSynchronize");
  }

  @Test
  void nothingIsAddedForNoRowsOrNoColumns() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    double[] triangle = {1, 2, 3};
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaGramKernel kernel = CudaGramKernel.open(context)) {
      kernel.add(RowSource.wrap(new double[0][]), new double[0]);
      kernel.add(RowSource.wrap(new double[2][0]), triangle);
      assertThatThrownBy(() -> kernel.add(RowSource.wrap(new double[4][3]), new double[6]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the triangle of 4 rows has 10 numbers, got 6");
    }
    assertThat(triangle).containsExactly(1, 2, 3);
    assertThat(driver.launches).isEmpty();
  }

  @Test
  void threadsThatShareAKernelGetTheirOwnResults() {
    double[][] a = random(20, 30);
    double[] expected = new double[210];
    double[][] triangles = new double[8][210];
    try (CudaContext context = CudaContext.open(FakeCudaDriver.withOneDevice(), 0, PTX);
        CudaGramKernel kernel = CudaGramKernel.open(context, 1 << 20, 500)) {
      kernel.add(RowSource.wrap(a), expected);
      IntStream.range(0, 8)
          .parallel()
          .forEach(task -> kernel.add(RowSource.wrap(a), triangles[task]));
    }
    for (double[] triangle : triangles) {
      assertThat(triangle).isEqualTo(expected);
    }
  }

  @Test
  void aRowThatCannotBeReadLeavesAKernelThatWorks() {
    double[][] a = random(6, 10);
    RowSource broken =
        new RowSource() {
          @Override
          public int rows() {
            return 6;
          }

          @Override
          public int columns() {
            return 10;
          }

          @Override
          public void read(int row, int from, int to, double[] target, int offset) {
            if (row == 4) {
              throw new IllegalStateException("row 4 is gone");
            }
          }
        };
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    double[] triangle = new double[21];
    try (CudaContext context = CudaContext.open(driver, 0, PTX);
        CudaGramKernel kernel = CudaGramKernel.open(context, 1 << 20, 160)) {
      assertThatThrownBy(() -> kernel.add(broken, triangle)).hasMessage("row 4 is gone");
      kernel.add(RowSource.wrap(a), triangle);
    }
    assertThat(triangle[20])
        .isCloseTo(dot(a[5], a[5]), within(2 * Tolerances.dotProduct(10, dot(a[5], a[5]))));
    driver.assertNothingIsLeft();
  }

  @Test
  void aFailureOfAnyCallNamesItAndLeavesNothingBehind() {
    int calls =
        FakeCudaDriver.failEveryCall(
            "CUDA_ERROR_LAUNCH_FAILED",
            driver -> {
              try (CudaContext context = CudaContext.open(driver, 0, PTX);
                  CudaGramKernel kernel = CudaGramKernel.open(context, 240, 100)) {
                kernel.add(RowSource.wrap(random(3, 20)), new double[6]);
                kernel.add(RowSource.wrap(random(7, 20)), new double[28]);
              }
            });
    assertThat(calls).isGreaterThan(60);
  }

  @Test
  void matricesOnTheDeviceAreTakenAsDoublesOrFloats() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    FakePointer doubles = driver.put(0, LogitsOnHost.bytes(1.0, 2, 3, -4, 5, 6));
    FakePointer floats =
        driver.put(
            0,
            LogitsOnHost.bytes(
                IntStream.of(1, 2, 3, -4, 5, 6).map(x -> Float.floatToIntBits(x)).toArray()));
    FakePointer[] results = {
      driver.put(0, new byte[32]), driver.put(0, new byte[32]), driver.put(0, new byte[32])
    };
    CUstream stream = new CUstream();
    try (CudaContext context = CudaContext.open(driver, 0, PTX)) {
      CudaPairs pairs = new CudaPairs(context);
      pairs.gram(doubles, 2, 3, results[0], stream);
      pairs.gramOfFloats(floats, 2, 3, results[1], stream);
      pairs.squaredDistances(doubles, 2, 3, results[2], stream);
      assertThat(driver.calls).doesNotContain("cuStreamSynchronize");
      context.current(
          () -> {
            driver.synchronize(stream);
            return true;
          });
      assertThatThrownBy(() -> pairs.gram(doubles, 0, 3, results[0], stream))
          .hasMessage("a matrix of 0 models by 3 texts");
      assertThatThrownBy(() -> pairs.gram(doubles, 65536, 3, results[0], stream))
          .hasMessage("a matrix of 65536 models by 3 texts");
      assertThatThrownBy(() -> pairs.gram(doubles, 2, -1, results[0], stream))
          .hasMessage("a matrix of 2 models by -1 texts");
    }
    assertThat(driver.doubles(results[0], 4)).containsExactly(14, 24, 24, 77);
    assertThat(driver.doubles(results[1], 4)).containsExactly(14, 24, 24, 77);
    assertThat(driver.doubles(results[2], 4)).containsExactly(0, 43, 43, 0);
    assertThat(driver.launches.get(0))
        .isEqualTo(
            new FakeCudaDriver.Launch(
                "llmap_gram_f64",
                new LaunchShape(1, 1, 256),
                List.of(
                    KernelArgument.of(doubles),
                    KernelArgument.of(2),
                    KernelArgument.of(3L),
                    KernelArgument.of(results[0]))));
  }
}
