package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SketchKernelTest {
  private static final long KEY = RandomSigns.key(new Text("any", "Q: é", "answer"));

  static Stream<SketchKernel> kernels() {
    return Stream.of(new ScalarSketchKernel(), new VectorSketchKernel());
  }

  static Stream<float[]> rows() {
    return LogProbKernelTest.rows();
  }

  /** What one row gives. */
  private record Both(double logProb, float sketch) {}

  private static Both both(SketchKernel kernel, float[] row, int target, int position) {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(row.length * Float.BYTES).order(ByteOrder.nativeOrder());
    memory.asFloatBuffer().put(row);
    LogitsBlock block = LogitsBlock.of(memory, LogitsBlock.Type.F32, 0, 1, row.length, row.length);
    double[] logProbs = new double[position + 1];
    float[] sketches = new float[position + 1];
    kernel.sketches(block, 0, 1, new int[] {target}, 0, KEY, logProbs, sketches, position);
    return new Both(logProbs[position], sketches[position]);
  }

  private static double[] roots(float[] row) {
    double[] roots = new double[row.length];
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : row) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (int v = 0; v < row.length; v++) {
      roots[v] = StrictMath.exp((row[v] - max) / 2);
      sum += StrictMath.exp(row[v] - max);
    }
    for (int v = 0; v < row.length; v++) {
      roots[v] /= Math.sqrt(sum);
    }
    return roots;
  }

  /** Computed by the formulas in Python, so that stores of all versions can be compared. */
  @Test
  void signsAreThoseOfTheWrittenFormulas() {
    assertThat(KEY).isEqualTo(0x08e382f5e7d07159L);
    assertThat(RandomSigns.row(KEY, 0)).isEqualTo(0xeb7802f3);
    assertThat(RandomSigns.row(KEY, 1)).isEqualTo(0xe91b7676);
    assertThat(RandomSigns.row(KEY, 1000)).isEqualTo(0x17c80d15);
    StringBuilder signs = new StringBuilder();
    for (int v = 0; v < 40; v++) {
      signs.append(RandomSigns.isNegative(RandomSigns.row(KEY, 1), v) ? '-' : '+');
    }
    assertThat(signs).hasToString("+++--+--+++---+++---++---++--+---+-++---");
  }

  @Test
  void theKeyIsOfPromptAndContentAndNotOfTheId() {
    assertThat(RandomSigns.key(new Text("other", "Q: é", "answer"))).isEqualTo(KEY);
    assertThat(RandomSigns.key(new Text("any", "Q: éa", "nswer"))).isNotEqualTo(KEY);
    assertThat(RandomSigns.key(new Text("any", "", "Q: éanswer"))).isNotEqualTo(KEY);
  }

  /** Mean products of signs that should have nothing to do with each other: 6 deviations. */
  @Test
  void signsOfNeighbouringIdsPositionsAndKeysAreIndependent() {
    int ids = 20_000;
    int[] distances = {1, 2, 3, 16, 64, 1024, 2048, 4096, 32_768};
    double bound = 6 / Math.sqrt(ids);
    for (int position = 0; position < 20; position++) {
      int row = RandomSigns.row(KEY, position);
      double sum = 0;
      double next = 0;
      double otherKey = 0;
      double[] apart = new double[distances.length];
      for (int v = 0; v < ids; v++) {
        int sign = sign(row, v);
        sum += sign;
        next += sign * sign(RandomSigns.row(KEY, position + 1), v);
        otherKey += sign * sign(RandomSigns.row(KEY + 1, position), v);
        for (int d = 0; d < distances.length; d++) {
          apart[d] += sign * sign(row, v + distances[d]);
        }
      }
      assertThat(sum / ids).isCloseTo(0, within(bound));
      assertThat(next / ids).isCloseTo(0, within(bound));
      assertThat(otherKey / ids).isCloseTo(0, within(bound));
      assertThat(Arrays.stream(apart)).allMatch(product -> Math.abs(product / ids) < bound);
    }
  }

  private static int sign(int row, int id) {
    return RandomSigns.isNegative(row, id) ? -1 : 1;
  }

  @ParameterizedTest
  @MethodSource("rows")
  void scalarKernelSumsSignedRootsAndBothKernelsGiveTheLogProb(float[] row) {
    double[] roots = roots(row);
    double expected = 0;
    for (int v = 0; v < row.length; v++) {
      expected += sign(RandomSigns.row(KEY, 3), v) * roots[v];
    }
    double sum = Arrays.stream(roots).sum();
    int target = row[row.length - 1] == Float.NEGATIVE_INFINITY ? 0 : row.length - 1;
    double logProb = LogProbKernelTest.logProb(new ScalarLogProbKernel(), row, target);
    Both scalar = both(new ScalarSketchKernel(), row, target, 3);
    assertThat((double) scalar.sketch())
        .isCloseTo(expected, within(0x1p-24 * Math.abs(expected) + Tolerances.scalarKernel(sum)));
    assertThat(scalar.logProb())
        .isCloseTo(logProb, within(2 * Tolerances.scalarKernel(row[target] - logProb)));
    Both vector = both(new VectorSketchKernel(), row, target, 3);
    assertThat((double) vector.sketch())
        .isCloseTo(scalar.sketch(), within(Tolerances.singlePrecisionSketch(sum, row.length)));
    assertThat(vector.logProb())
        .isCloseTo(logProb, within(Tolerances.singlePrecisionKernel(logProb, row.length)));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void brokenRowsGiveNaNTwice(SketchKernel kernel) {
    for (int v : new int[] {1, 7, 16, 2049}) {
      float[] row = new float[v];
      Arrays.fill(row, Float.NEGATIVE_INFINITY);
      assertThat(both(kernel, row, 0, 0)).isEqualTo(new Both(Double.NaN, Float.NaN));
      Arrays.fill(row, 1);
      row[v - 1] = Float.NaN;
      assertThat(both(kernel, row, 0, 0)).isEqualTo(new Both(Double.NaN, Float.NaN));
      row[v - 1] = Float.POSITIVE_INFINITY;
      assertThat(both(kernel, row, 0, 0)).isEqualTo(new Both(Double.NaN, Float.NaN));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aTargetOutsideTheVocabularyIsRefused(SketchKernel kernel) {
    assertThatThrownBy(() -> both(kernel, new float[10], 10, 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> both(kernel, new float[10], -1, 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void paddingOfTheVocabularyWithImpossibleTokensMovesNothing(SketchKernel kernel) {
    Random random = new Random(5);
    float[] row = new float[3000];
    for (int v = 0; v < row.length; v++) {
      row[v] = (float) random.nextGaussian() * 3;
    }
    float[] padded = Arrays.copyOf(row, 3072);
    Arrays.fill(padded, row.length, padded.length, Float.NEGATIVE_INFINITY);
    assertThat(both(kernel, padded, 9, 2)).isEqualTo(both(kernel, row, 9, 2));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void rowsAreIndependentOfHowTheyAreSplitAndOfTheirStorage(SketchKernel kernel) {
    Random random = new Random(3);
    int rows = 40;
    int vocabulary = 333;
    int stride = 340;
    for (LogitsBlock.Type type : LogitsBlock.Type.values()) {
      ByteBuffer memory =
          ByteBuffer.allocateDirect((5 + rows * stride) * type.bytes())
              .order(ByteOrder.nativeOrder());
      for (int i = 0; i < 5 + rows * stride; i++) {
        switch (type) {
          case F32 -> memory.putFloat(4 * i, (float) random.nextGaussian());
          // Up to ± 16, and ± 2.
          case F16 -> memory.putShort(2 * i, (short) (random.nextInt(0x4c00) | (i % 2) << 15));
          case BF16 -> memory.putShort(2 * i, (short) (random.nextInt(0x4000) | (i % 2) << 15));
        }
      }
      LogitsBlock block = LogitsBlock.of(memory, type, 5, rows, vocabulary, stride);
      int[] targets = random.ints(rows, 0, vocabulary).toArray();
      double[] logProbs = new double[rows + 2];
      float[] sketches = new float[rows + 2];
      kernel.sketches(block, 0, rows, targets, 0, KEY, logProbs, sketches, 2);
      double[] splitLogProbs = new double[rows + 2];
      float[] splitSketches = new float[rows + 2];
      for (int r = 0; r < rows; r += 3) {
        int count = Math.min(3, rows - r);
        kernel.sketches(block, r, count, targets, r, KEY, splitLogProbs, splitSketches, r + 2);
      }
      assertThat(splitLogProbs).isEqualTo(logProbs);
      assertThat(splitSketches).isEqualTo(sketches);
      for (int r = 0; r < rows; r++) {
        float[] row = new float[vocabulary];
        block.read(r, 0, vocabulary, row);
        assertThat(both(kernel, row, targets[r], r + 2))
            .isEqualTo(new Both(logProbs[r + 2], sketches[r + 2]));
      }
    }
  }

  /** 4000 draws of the signs: the mean has a relative deviation of √(2/4000) = 2.2 %. */
  @ParameterizedTest
  @MethodSource("kernels")
  void squaredDifferencesAverageToTheSquaredHellingerDistance(SketchKernel kernel) {
    Random random = new Random(8);
    float[] first = new float[500];
    float[] second = new float[500];
    for (int v = 0; v < first.length; v++) {
      first[v] = (float) random.nextGaussian() * 2;
      second[v] = first[v] + (float) random.nextGaussian() / 2;
    }
    double[] p = roots(first);
    double[] q = roots(second);
    double expected = 0;
    for (int v = 0; v < p.length; v++) {
      expected += (p[v] - q[v]) * (p[v] - q[v]);
    }
    double sum = 0;
    int draws = 4000;
    for (int position = 0; position < draws; position++) {
      double difference =
          (double) both(kernel, first, 0, position).sketch()
              - both(kernel, second, 0, position).sketch();
      sum += difference * difference;
    }
    assertThat(sum / draws / expected).isCloseTo(1, within(4 * Math.sqrt(2.0 / draws)));
  }

  @Test
  void theKernelThatTheBuildForcesIsTheOneThatRuns() {
    assertThat(SketchKernels.best().name()).isEqualTo(System.getProperty("llmap.kernel"));
  }
}
