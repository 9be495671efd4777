package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.testing.Tolerances;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LogProbKernelTest {
  private static final int[] VOCABULARIES = {
    1, 2, 7, 8, 9, 31, 32, 33, 255, 1000, 2047, 2048, 2049, 50_257, 151_936
  };

  static Stream<LogProbKernel> kernels() {
    return LogProbKernels.providers().stream().map(LogProbKernelProvider::newKernel);
  }

  static Stream<float[]> rows() {
    Random random = new Random(7);
    return Arrays.stream(VOCABULARIES)
        .boxed()
        .flatMap(
            v -> {
              float[] gaussian = new float[v];
              float[] extreme = new float[v];
              float[] equal = new float[v];
              float[] oneImpossible = new float[v];
              for (int t = 0; t < v; t++) {
                gaussian[t] = (float) (random.nextGaussian() * 4);
                extreme[t] = random.nextBoolean() ? 88 : -88;
                equal[t] = 3.3f;
                oneImpossible[t] = (float) random.nextGaussian();
              }
              if (v > 1) {
                oneImpossible[v / 2] = Float.NEGATIVE_INFINITY;
              }
              return Stream.of(gaussian, extreme, equal, oneImpossible);
            });
  }

  @ParameterizedTest
  @MethodSource("rows")
  void scalarKernelEqualsExactlySummedExponentials(float[] row) {
    float max = row[IntStream.range(0, row.length).reduce(0, (a, b) -> row[a] >= row[b] ? a : b)];
    BigDecimal sum = BigDecimal.ZERO;
    for (float logit : row) {
      sum = sum.add(new BigDecimal(StrictMath.exp((double) logit - max)));
    }
    double logSumExp = max + StrictMath.log(sum.doubleValue());
    double actual = logProb(new ScalarLogProbKernel(), row, 0);
    assertThat(actual).isCloseTo(row[0] - logSumExp, within(Tolerances.scalarKernel(logSumExp)));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void vectorKernelStaysWithinSinglePrecisionOfTheScalarOne(float[] row) {
    for (int target : new int[] {0, row.length / 3, row.length - 1}) {
      double expected = logProb(new ScalarLogProbKernel(), row, target);
      double actual = logProb(new VectorLogProbKernel(), row, target);
      assertThat(actual)
          .isCloseTo(expected, within(Tolerances.singlePrecisionKernel(expected, row.length)));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void brokenRowsGiveNaN(LogProbKernel kernel) {
    for (int v : VOCABULARIES) {
      float[] impossible = new float[v];
      Arrays.fill(impossible, Float.NEGATIVE_INFINITY);
      assertThat(logProb(kernel, impossible, 0)).isNaN();
      float[] row = new float[v];
      row[v - 1] = Float.NaN;
      assertThat(logProb(kernel, row, 0)).isNaN();
      row[v - 1] = Float.intBitsToFloat(0xffc0_0000);
      assertThat(logProb(kernel, row, 0)).isNaN();
      row[v - 1] = Float.POSITIVE_INFINITY;
      assertThat(logProb(kernel, row, 0)).isNaN();
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void anImpossibleTargetHasLogProbMinusInfinity(LogProbKernel kernel) {
    float[] row = new float[5000];
    row[4321] = Float.NEGATIVE_INFINITY;
    assertThat(logProb(kernel, row, 4321)).isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aTargetOutsideTheVocabularyIsRefused(LogProbKernel kernel) {
    assertThatThrownBy(() -> logProb(kernel, new float[10], 10))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> logProb(kernel, new float[10], -1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void rowsAreIndependentOfHowTheyAreSplit(LogProbKernel kernel) {
    Random random = new Random(3);
    int rows = 70;
    int vocabulary = 333;
    int stride = 340;
    ByteBuffer memory =
        ByteBuffer.allocateDirect((5 + rows * stride) * Float.BYTES).order(ByteOrder.nativeOrder());
    for (int i = 0; i < 5 + rows * stride; i++) {
      memory.putFloat(i * Float.BYTES, (float) random.nextGaussian());
    }
    LogitsBlock block = LogitsBlock.of(memory, LogitsBlock.Type.F32, 5, rows, vocabulary, stride);
    int[] targets = random.ints(rows, 0, vocabulary).toArray();
    double[] whole = new double[rows];
    kernel.logProbs(block, 0, rows, targets, 0, whole, 0);
    double[] split = new double[rows];
    for (int r = 0; r < rows; r += 3) {
      kernel.logProbs(block, r, Math.min(3, rows - r), targets, r, split, r);
    }
    assertThat(split).isEqualTo(whole);
    for (int r = 0; r < rows; r++) {
      float[] row = new float[vocabulary];
      for (int v = 0; v < vocabulary; v++) {
        row[v] = memory.getFloat((5 + r * stride + v) * Float.BYTES);
      }
      assertThat(whole[r]).isEqualTo(logProb(kernel, row, targets[r]));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void sixteenBitLogitsEqualTheSameValuesInSinglePrecision(LogProbKernel kernel) {
    Random random = new Random(11);
    int vocabulary = 4100;
    for (LogitsBlock.Type type :
        new LogitsBlock.Type[] {LogitsBlock.Type.F16, LogitsBlock.Type.BF16}) {
      ByteBuffer memory =
          ByteBuffer.allocateDirect(vocabulary * type.bytes()).order(ByteOrder.nativeOrder());
      float[] widened = new float[vocabulary];
      for (int v = 0; v < vocabulary; v++) {
        // Exponents that both formats hold and that stay finite.
        short bits =
            type == LogitsBlock.Type.F16
                ? (short) (random.nextInt(0x4c00) | (random.nextBoolean() ? 0x8000 : 0))
                : (short) ((0x3000 + random.nextInt(0x1100)) | (random.nextBoolean() ? 0x8000 : 0));
        memory.putShort(v * Short.BYTES, bits);
        widened[v] = decode(type, bits);
      }
      LogitsBlock block = LogitsBlock.of(memory, type, 0, 1, vocabulary, vocabulary);
      double[] out = new double[1];
      kernel.logProbs(block, 0, 1, new int[] {17}, 0, out, 0);
      assertThat(out[0]).isEqualTo(logProb(kernel, widened, 17));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void everyFiniteSixteenBitPatternEqualsTheSameValueInSinglePrecision(LogProbKernel kernel) {
    for (LogitsBlock.Type type :
        new LogitsBlock.Type[] {LogitsBlock.Type.F16, LogitsBlock.Type.BF16}) {
      short[] finite = new short[0x10000];
      int vocabulary = 0;
      for (int i = 0; i < 0x10000; i++) {
        if (Float.isFinite(type == LogitsBlock.Type.F16 ? half(i) : brain(i))) {
          finite[vocabulary++] = (short) i;
        }
      }
      float[] widened = new float[vocabulary];
      for (int v = 0; v < vocabulary; v++) {
        widened[v] = decode(type, finite[v]);
      }
      short[] row = Arrays.copyOf(finite, vocabulary);
      for (int target : new int[] {0, 1, vocabulary / 2, vocabulary - 1}) {
        assertThat(logProb(kernel, type, row, target)).isEqualTo(logProb(kernel, widened, target));
      }
    }
  }

  private static float half(int bits) {
    return HalfFloats.fromFloat16((short) bits);
  }

  private static float brain(int bits) {
    return HalfFloats.fromBfloat16((short) bits);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void sixteenBitRowsHaveInfinitiesAndNaNsToo(LogProbKernel kernel) {
    for (LogitsBlock.Type type :
        new LogitsBlock.Type[] {LogitsBlock.Type.F16, LogitsBlock.Type.BF16}) {
      short infinity = (short) (type == LogitsBlock.Type.F16 ? 0x7c00 : 0x7f80);
      short[] row = new short[3000];
      for (short broken :
          new short[] {
            infinity, (short) (infinity + 1), (short) (infinity | 0x8001), (short) -1, 0x7fff
          }) {
        row[1000] = broken;
        assertThat(logProb(kernel, type, row, 0)).isNaN();
      }
      row[1000] = (short) (infinity | 0x8000);
      assertThat(logProb(kernel, type, row, 1000)).isEqualTo(Double.NEGATIVE_INFINITY);
      assertThat(logProb(kernel, type, row, 0)).isCloseTo(-Math.log(2999), within(1e-6));
      Arrays.fill(row, (short) (infinity | 0x8000));
      assertThat(logProb(kernel, type, row, 0)).isNaN();
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void theSecondOfTwoTokensHasTheProbabilityOfTheirDistance(LogProbKernel kernel) {
    for (int i = 0; i < 6_400; i++) {
      float distance = i * 0x1p-6f;
      double expected = -distance - Math.log1p(Math.exp(-distance));
      assertThat(logProb(kernel, new float[] {distance - 50, -50}, 1))
          .isCloseTo(expected, within(Tolerances.singlePrecisionKernel(expected, 2)));
    }
  }

  /** The definitions of IEEE 754 binary16 and of bfloat16, by arithmetic instead of bit moves. */
  private static float decode(LogitsBlock.Type type, short bits) {
    int exponentBits = type == LogitsBlock.Type.F16 ? 5 : 8;
    int fractionBits = 15 - exponentBits;
    int bias = (1 << (exponentBits - 1)) - 1;
    int exponent = (bits >> fractionBits) & ((1 << exponentBits) - 1);
    double fraction = (bits & ((1 << fractionBits) - 1)) / (double) (1 << fractionBits);
    double magnitude =
        exponent == 0
            ? fraction * Math.pow(2, 1 - bias)
            : (1 + fraction) * Math.pow(2, exponent - bias);
    return (float) (bits < 0 ? -magnitude : magnitude);
  }

  @Test
  void everySixteenBitPatternIsWidenedExactly() {
    for (int i = 0; i < 0x10000; i++) {
      short bits = (short) i;
      if ((i & 0x7c00) != 0x7c00) {
        assertThat(HalfFloats.fromFloat16(bits)).isEqualTo(decode(LogitsBlock.Type.F16, bits));
      } else if ((i & 0x3ff) != 0) {
        assertThat(HalfFloats.fromFloat16(bits)).isNaN();
      }
      if ((i & 0x7f80) != 0x7f80) {
        assertThat(HalfFloats.fromBfloat16(bits)).isEqualTo(decode(LogitsBlock.Type.BF16, bits));
      }
    }
    assertThat(HalfFloats.fromFloat16((short) 0x7c00)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(HalfFloats.fromFloat16((short) 0xfc00)).isEqualTo(Float.NEGATIVE_INFINITY);
  }

  private static double logProb(
      LogProbKernel kernel, LogitsBlock.Type type, short[] row, int target) {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(row.length * Short.BYTES).order(ByteOrder.nativeOrder());
    memory.asShortBuffer().put(row);
    LogitsBlock block = LogitsBlock.of(memory, type, 0, 1, row.length, row.length);
    double[] out = new double[1];
    kernel.logProbs(block, 0, 1, new int[] {target}, 0, out, 0);
    return out[0];
  }

  static double logProb(LogProbKernel kernel, float[] row, int target) {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(row.length * Float.BYTES).order(ByteOrder.nativeOrder());
    memory.asFloatBuffer().put(row);
    LogitsBlock block = LogitsBlock.of(memory, LogitsBlock.Type.F32, 0, 1, row.length, row.length);
    double[] out = new double[1];
    kernel.logProbs(block, 0, 1, new int[] {target}, 0, out, 0);
    return out[0];
  }
}
