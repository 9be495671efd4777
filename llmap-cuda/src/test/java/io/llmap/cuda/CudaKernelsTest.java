package io.llmap.cuda;

import static io.llmap.cuda.EmulatedKernels.doubles;
import static io.llmap.cuda.EmulatedKernels.farIn;
import static io.llmap.cuda.EmulatedKernels.i;
import static io.llmap.cuda.EmulatedKernels.in;
import static io.llmap.cuda.EmulatedKernels.l;
import static io.llmap.cuda.EmulatedKernels.out;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.cuda.LogitRows.LogitType;
import io.llmap.testing.Tolerances;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The CUDA source on the emulator, against plain double precision. */
class CudaKernelsTest {
  private static final int IGNORE = -100;

  private EmulatedKernels kernels;

  @BeforeEach
  void compile() {
    kernels = EmulatedKernels.compiled();
  }

  @ParameterizedTest
  @EnumSource
  void logProbsOfEveryShapeAreThoseOfDoublePrecision(LogitType type) {
    for (int vocabulary : new int[] {1, 2, 31, 32, 33, 255, 1000}) {
      checkRandomRows(type, 1, vocabulary, 0);
      checkRandomRows(type, 2, vocabulary, 0);
      checkRandomRows(type, 9, vocabulary, 1);
      checkRandomRows(type, 33, vocabulary, 6);
    }
    checkRandomRows(type, 70, 255, 0);
  }

  @ParameterizedTest
  @EnumSource
  void logProbsOfLargeVocabulariesAreThoseOfDoublePrecision(LogitType type) {
    for (int padding : new int[] {0, 1, 7}) {
      checkRandomRows(type, 3, 50257, padding);
    }
    // Whole rounds of the main loop only, and one vector, one element more.
    checkRandomRows(type, 2, 16384, 0);
    checkRandomRows(type, 2, 16392, 0);
    checkRandomRows(type, 2, 16385, 0);
    checkRandomRows(type, 2, 151936, 64);
  }

  private void checkRandomRows(LogitType type, int rows, int vocabulary, int padding) {
    LogitRows logits =
        LogitRows.random(type, rows, vocabulary, vocabulary + padding, 31L * rows + vocabulary);
    Random random = new Random(vocabulary);
    int[] targets = random.ints(rows, 0, vocabulary).toArray();
    for (double[] logProbs : logProbs(kernels, logits, targets)) {
      check(logits, targets, logProbs);
    }
  }

  @ParameterizedTest
  @EnumSource
  void extremeLogitsAreThoseOfDoublePrecision(LogitType type) {
    for (int vocabulary : new int[] {1, 2, 33, 1000, 9001}) {
      LogitRows logits = extremes(type, vocabulary);
      for (int target : new int[] {0, vocabulary / 2, vocabulary - 1}) {
        int[] targets = new int[logits.rows()];
        Arrays.fill(targets, target);
        for (double[] logProbs : logProbs(kernels, logits, targets)) {
          check(logits, targets, logProbs);
        }
        for (double[] logProbs : splitLogProbs(kernels, logits, targets, 5)) {
          check(logits, targets, logProbs);
        }
      }
    }
  }

  /** The last rows are those that the scalar kernel has no number for. */
  private static LogitRows extremes(LogitType type, int vocabulary) {
    Random random = new Random(vocabulary);
    double inf = Double.POSITIVE_INFINITY;
    double most = type == LogitType.F16 ? 65504 : type == LogitType.BF16 ? 3.38e38 : 3.4e38;
    int middle = vocabulary / 2;
    return LogitRows.of(
        type,
        vocabulary,
        vocabulary + 1,
        v -> v % 2 == 0 ? 88 : -88,
        v -> 5.5,
        v -> -88,
        v -> v == middle ? -inf : random.nextGaussian(),
        v -> v == middle ? 1 : -inf,
        v -> v < middle ? -inf : random.nextGaussian(),
        // The reference of every thread rises at every vector, and at none.
        v -> 0.01 * v,
        v -> -0.01 * v,
        v -> 40.0 * v / vocabulary,
        v -> v % 3 == 0 ? -1e30 : random.nextGaussian(),
        v -> v == middle ? 1e30 : random.nextGaussian(),
        v -> 1e30 * random.nextGaussian(),
        v -> -1e30 * (1 + v % 5),
        v -> v % 2 == 0 ? most : -most,
        v -> -most,
        v -> most,
        // On both sides of the size beyond which rows are read again.
        v -> 2.9e6 + v % 7,
        v -> 2.9072e6 + v % 7,
        v -> 3.1e6 + v % 7,
        v -> -2.9e6 - v % 7,
        v -> -3.1e6 - v % 7,
        v -> v % 4 == 0 ? 1e-42 : -1e-42,
        v -> -inf,
        v -> v == middle ? inf : random.nextGaussian(),
        v -> v == 0 ? inf : -inf,
        v -> inf,
        v -> v == middle ? Double.NaN : random.nextGaussian(),
        v -> v == middle ? Double.NaN : -inf,
        v -> v == middle ? Double.NaN : 1e30,
        v -> Double.NaN);
  }

  @ParameterizedTest
  @EnumSource
  void rowsSplitIntoChunksGiveTheSameLogProbs(LogitType type) {
    for (int vocabulary : new int[] {1, 33, 1000, 50257}) {
      int rows = 2;
      LogitRows logits = LogitRows.random(type, rows, vocabulary, vocabulary + 3, vocabulary);
      int[] targets = new Random(1).ints(rows, 0, vocabulary).toArray();
      for (int chunks : new int[] {1, 2, 7, 64, 260}) {
        for (double[] logProbs : splitLogProbs(kernels, logits, targets, chunks)) {
          check(logits, targets, logProbs);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theLargestErrorOfADevicesExp2StaysWithinTheTolerance(LogitType type) {
    for (int vocabulary : new int[] {33, 1000, 50257}) {
      LogitRows logits = LogitRows.random(type, 3, vocabulary, vocabulary, vocabulary);
      int[] targets = {0, 1, 2};
      for (double units : new double[] {-2, 2}) {
        EmulatedKernels inexact = kernels.withExp2Error(units);
        for (double[] logProbs : logProbs(inexact, logits, targets)) {
          check(logits, targets, logProbs);
        }
        for (double[] logProbs : splitLogProbs(inexact, logits, targets, 4)) {
          check(logits, targets, logProbs);
        }
      }
    }
  }

  @Test
  void targetsThatAreIgnoredOrOutsideTheVocabularyReadNoLogits() {
    int[] targets = {IGNORE, 33, -1, Integer.MAX_VALUE, Integer.MIN_VALUE};
    for (String suffix : List.of("f32", "f16", "bf16")) {
      for (ByteBuffer result :
          kernels.run(
              "llmap_log_probs_" + suffix,
              targets.length,
              1,
              in(EmulatedKernels.buffer(0)),
              l(33),
              i(33),
              in(targets),
              i(targets.length),
              i(IGNORE),
              out(8L * targets.length))) {
        assertThat(doubles(result))
            .containsExactly(0, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
      }
    }
  }

  @Test
  void anIgnoredTargetInsideTheVocabularyCountsNothing() {
    LogitRows logits = LogitRows.random(LogitType.F32, 3, 40, 40, 1);
    for (ByteBuffer result :
        kernels.run(
            "llmap_log_probs_f32",
            3,
            1,
            in(logits.bytes()),
            l(40),
            i(40),
            in(7, 3, 7),
            i(3),
            i(7),
            out(24))) {
      double[] logProbs = doubles(result);
      assertThat(logProbs[0]).isZero();
      assertThat(logProbs[1]).isNegative();
      assertThat(logProbs[2]).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void rowsFurtherApartThanAnIntCountsAreFound(LogitType type) {
    long stride = (1L << 32) + 3;
    LogitRows logits = LogitRows.random(type, 2, 40, 40, 1);
    int[] targets = {7, 3};
    EmulatedKernels.Argument far = farIn(stride * type.size(), logits.bytes());
    String suffix = type.suffix();
    for (ByteBuffer result :
        kernels.run(
            "llmap_log_probs_" + suffix,
            2,
            1,
            far,
            l(stride),
            i(40),
            in(targets),
            i(2),
            i(IGNORE),
            out(16))) {
      check(logits, targets, doubles(result));
    }
    ByteBuffer partials =
        kernels
            .run(
                "llmap_log_probs_split_" + suffix, 1, 2, far, l(stride), i(40), i(2), i(1), out(16))
            .get(0);
    for (ByteBuffer result :
        kernels.run(
            "llmap_log_probs_combine_" + suffix,
            2,
            1,
            far,
            l(stride),
            i(40),
            in(targets),
            i(2),
            i(1),
            in(partials),
            i(IGNORE),
            out(16))) {
      check(logits, targets, doubles(result));
    }
  }

  @Test
  void blocksBeyondTheRowsWriteNothing() {
    LogitRows logits = LogitRows.random(LogitType.BF16, 2, 40, 40, 1);
    List<ByteBuffer> results =
        kernels.run(
            "llmap_log_probs_bf16",
            5,
            1,
            in(logits.bytes()),
            l(40),
            i(40),
            in(7, 3),
            i(2),
            i(IGNORE),
            out(16));
    check(logits, new int[] {7, 3}, doubles(results.get(0)));
  }

  @ParameterizedTest
  @EnumSource
  void everyOrderOfThreadsGivesTheSameBits(LogitType type) {
    LogitRows logits = extremes(type, 9001);
    int[] targets = new int[logits.rows()];
    List<ByteBuffer> expected = runLogProbs(kernels, logits, targets);
    assertThat(runLogProbs(kernels, logits, targets)).isEqualTo(expected);
    List<ByteBuffer> partials = runSplit(kernels, logits, 3);
    for (int order : new int[] {1, 2, 3}) {
      EmulatedKernels reordered = kernels.withOrder(order);
      assertThat(runLogProbs(reordered, logits, targets)).isEqualTo(expected);
      assertThat(runSplit(reordered, logits, 3)).isEqualTo(partials);
      assertThat(runCombine(reordered, logits, targets, 3, partials.get(0)))
          .isEqualTo(runCombine(kernels, logits, targets, 3, partials.get(0)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 9, 100})
  void segmentSumsAreTheExactSumsRounded(int segments) {
    Random random = new Random(segments);
    int[] lengths = {0, 1, 31, 32, 33, 64, 1000, 5};
    int[] starts = new int[segments + 1];
    starts[0] = 3;
    for (int s = 0; s < segments; s++) {
      starts[s + 1] = starts[s] + lengths[(s + segments) % lengths.length];
    }
    double[] logProbs = new double[starts[segments]];
    for (int t = 0; t < logProbs.length; t++) {
      // Sums that plain doubles lose: large numbers of both signs between the small ones.
      logProbs[t] = -10 * random.nextDouble() + (t % 7 == 0 ? 1e12 : t % 7 == 1 ? -1e12 : 0);
    }
    for (double[] sums : segmentSums(kernels, logProbs, starts)) {
      for (int s = 0; s < segments; s++) {
        BigDecimal exact = BigDecimal.ZERO;
        for (int t = starts[s]; t < starts[s + 1]; t++) {
          exact = exact.add(new BigDecimal(logProbs[t]));
        }
        double expected = exact.doubleValue();
        assertThat(sums[s]).as("segment %d", s).isEqualTo(expected, within(Math.ulp(expected)));
      }
    }
    ByteBuffer expected = runSegmentSums(kernels, logProbs, starts).get(0);
    assertThat(runSegmentSums(kernels.withOrder(5), logProbs, starts).get(0)).isEqualTo(expected);
  }

  @Test
  void aSegmentWithAnImpossibleTokenSumsToMinusInfinityAndOneWithNanToNan() {
    double[] logProbs = IntStream.range(0, 150).mapToDouble(t -> -1).toArray();
    logProbs[10] = Double.NEGATIVE_INFINITY;
    logProbs[11] = Double.NEGATIVE_INFINITY;
    logProbs[60] = Double.NaN;
    for (double[] sums : segmentSums(kernels, logProbs, new int[] {0, 50, 100, 150})) {
      assertThat(sums).containsExactly(Double.NEGATIVE_INFINITY, Double.NaN, -50);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1", "2, 1000", "16, 17", "63, 16", "64, 15", "65, 33", "70, 100", "129, 1", "200, 50"
  })
  void gramMatricesAreThoseOfPlainLoops(int models, int texts) {
    Random random = new Random(models);
    double[] wide = random.doubles((long) models * texts, -900, 100).toArray();
    float[] narrow = new float[wide.length];
    double[] rounded = new double[wide.length];
    for (int k = 0; k < wide.length; k++) {
      narrow[k] = (float) wide[k];
      rounded[k] = narrow[k];
    }
    for (double[] gram : pairs(kernels, "llmap_gram_f64", in(wide), models, texts)) {
      checkGram(wide, models, texts, gram);
    }
    for (double[] gram : pairs(kernels, "llmap_gram_f32", in(narrow), models, texts)) {
      checkGram(rounded, models, texts, gram);
    }
    assertThat(runPairs(kernels.withOrder(3), "llmap_gram_f64", in(wide), models, texts))
        .isEqualTo(runPairs(kernels, "llmap_gram_f64", in(wide), models, texts));
  }

  private static void checkGram(double[] rows, int models, int texts, double[] gram) {
    for (int i = 0; i < models; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = 0;
        double sizes = 0;
        for (int n = 0; n < texts; n++) {
          double product = rows[i * texts + n] * rows[j * texts + n];
          sum += product;
          sizes += Math.abs(product);
        }
        // Both sides round.
        assertThat(gram[i * models + j])
            .as("%d, %d", i, j)
            .isEqualTo(sum, within(2 * Tolerances.dotProduct(texts, sizes)));
        assertThat(gram[j * models + i]).isEqualTo(gram[i * models + j]);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 5", "2, 1000", "65, 33", "130, 20"})
  void squaredDistancesKeepTheDigitsOfNearDuplicates(int models, int texts) {
    Random random = new Random(models);
    double[] common = random.doubles(texts, -900, -100).toArray();
    double[] rows = new double[models * texts];
    for (int k = 0; k < rows.length; k++) {
      rows[k] = common[k % texts] + 1e-6 * random.nextGaussian();
    }
    for (double[] distances :
        pairs(kernels, "llmap_squared_distances_f64", in(rows), models, texts)) {
      for (int i = 0; i < models; i++) {
        assertThat(distances[i * models + i]).isZero();
        for (int j = 0; j < i; j++) {
          double direct = 0;
          for (int n = 0; n < texts; n++) {
            double difference = rows[i * texts + n] - rows[j * texts + n];
            direct += difference * difference;
          }
          assertThat(distances[i * models + j])
              .isEqualTo(direct, within(Tolerances.squaredDistance(direct)))
              .isEqualTo(distances[j * models + i]);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "fault_barrier, barrier reached by 255 of 256 threads",
    "fault_shuffle, shuffle by thread 32 that lanes of its mask do not reach",
    "fault_overrun, access outside a buffer",
    "fault_underrun, access outside a buffer",
    "fault_misaligned, 128-bit load from a misaligned address"
  })
  void theEmulatorFindsWhatADeviceWouldNotForgive(String kernel, String message) {
    assertThatThrownBy(() -> kernels.run(kernel, 1, 1, out(8 * EmulatedKernels.BLOCK)))
        .isInstanceOf(EmulatedKernels.EmulationException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aMissingBarrierShowsInAnotherOrderOfThreads() {
    assertThat(kernels.withOrder(1).run("fault_race", 1, 1, out(8 * EmulatedKernels.BLOCK)))
        .isNotEqualTo(kernels.run("fault_race", 1, 1, out(8 * EmulatedKernels.BLOCK)));
  }

  private static void check(LogitRows logits, int[] targets, double[] logProbs) {
    for (int r = 0; r < targets.length; r++) {
      double expected = logits.logProb(r, targets[r]);
      String name =
          "%s, row %d, V %d, stride %d, target %d"
              .formatted(logits.type(), r, logits.vocabulary(), logits.stride(), targets[r]);
      if (Double.isNaN(expected) || Double.isInfinite(expected)) {
        assertThat(logProbs[r]).as(name).isEqualTo(Double.valueOf(expected));
      } else {
        assertThat(logProbs[r])
            .as(name)
            .isEqualTo(
                expected, within(Tolerances.singlePrecisionKernel(expected, logits.vocabulary())))
            .isNotPositive();
      }
    }
  }

  private static List<double[]> logProbs(EmulatedKernels kernels, LogitRows logits, int[] targets) {
    return runLogProbs(kernels, logits, targets).stream().map(EmulatedKernels::doubles).toList();
  }

  private static List<ByteBuffer> runLogProbs(
      EmulatedKernels kernels, LogitRows logits, int[] targets) {
    return kernels.run(
        "llmap_log_probs_" + logits.type().suffix(),
        logits.rows(),
        1,
        in(logits.bytes()),
        l(logits.stride()),
        i(logits.vocabulary()),
        in(targets),
        i(logits.rows()),
        i(IGNORE),
        out(8L * logits.rows()));
  }

  private static List<double[]> splitLogProbs(
      EmulatedKernels kernels, LogitRows logits, int[] targets, int chunks) {
    return runSplit(kernels, logits, chunks).stream()
        .flatMap(partials -> runCombine(kernels, logits, targets, chunks, partials).stream())
        .map(EmulatedKernels::doubles)
        .toList();
  }

  private static List<ByteBuffer> runSplit(EmulatedKernels kernels, LogitRows logits, int chunks) {
    return kernels.run(
        "llmap_log_probs_split_" + logits.type().suffix(),
        chunks,
        logits.rows(),
        in(logits.bytes()),
        l(logits.stride()),
        i(logits.vocabulary()),
        i(logits.rows()),
        i(chunks),
        out(8L * logits.rows() * chunks));
  }

  private static List<ByteBuffer> runCombine(
      EmulatedKernels kernels, LogitRows logits, int[] targets, int chunks, ByteBuffer partials) {
    return kernels.run(
        "llmap_log_probs_combine_" + logits.type().suffix(),
        logits.rows(),
        1,
        in(logits.bytes()),
        l(logits.stride()),
        i(logits.vocabulary()),
        in(targets),
        i(logits.rows()),
        i(chunks),
        in(partials),
        i(IGNORE),
        out(8L * logits.rows()));
  }

  private static List<double[]> segmentSums(
      EmulatedKernels kernels, double[] logProbs, int[] starts) {
    return runSegmentSums(kernels, logProbs, starts).stream()
        .map(EmulatedKernels::doubles)
        .toList();
  }

  private static List<ByteBuffer> runSegmentSums(
      EmulatedKernels kernels, double[] logProbs, int[] starts) {
    int segments = starts.length - 1;
    return kernels.run(
        "llmap_segment_sums",
        (segments + 7) / 8,
        1,
        in(logProbs),
        in(starts),
        i(segments),
        out(8L * segments));
  }

  private static List<double[]> pairs(
      EmulatedKernels kernels,
      String kernel,
      EmulatedKernels.Argument rows,
      int models,
      int texts) {
    return runPairs(kernels, kernel, rows, models, texts).stream()
        .map(EmulatedKernels::doubles)
        .toList();
  }

  private static List<ByteBuffer> runPairs(
      EmulatedKernels kernels,
      String kernel,
      EmulatedKernels.Argument rows,
      int models,
      int texts) {
    int tiles = (models + 63) / 64;
    return kernels.run(
        kernel, tiles * (tiles + 1) / 2, 1, rows, i(models), l(texts), out(8L * models * models));
  }
}
