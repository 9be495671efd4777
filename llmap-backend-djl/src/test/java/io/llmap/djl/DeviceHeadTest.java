package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.llmap.score.spi.LogProbKernel;
import io.llmap.score.spi.LogProbKernelProvider;
import io.llmap.score.spi.LogProbKernels;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.Tolerances;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On the CPU, with the operators that a GPU has, too. */
class DeviceHeadTest {
  private static final int LENGTH = 13;

  private static NDManager engine;

  @BeforeAll
  static void start() {
    engine = DjlEngines.require("PyTorch").newBaseManager();
  }

  @AfterAll
  static void stop() {
    engine.close();
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 3, 2", "FLOAT32, 50257, 2", "FLOAT32, 50257, 30", "FLOAT32, 151669, 5",
    "FLOAT16, 3, 2", "FLOAT16, 50257, 2", "FLOAT16, 50257, 30", "FLOAT16, 151669, 5",
  })
  void anyChunkGivesWhatTheReferenceKernelGives(DataType type, int vocabulary, float spread) {
    TokenBatch batch = batch(vocabulary);
    try (NDManager manager = engine.newSubManager();
        NDArray logits = logits(manager, batch, vocabulary, spread).toType(type, true)) {
      Collected expected = new Collected(batch);
      new HostLogits().read(logits, batch, expected);
      for (int rows : new int[] {1, 2, 5, LENGTH}) {
        Collected actual = new Collected(batch);
        new DeviceHead(bytes(rows, vocabulary)).read(logits, batch, actual);
        for (int b = 0; b < batch.sequences(); b++) {
          for (int t = batch.firstTarget(b); t < batch.length(b); t++) {
            double logProb = expected.logProbs[b][t];
            assertThat(actual.logProbs[b][t])
                .as("%d rows a chunk, sequence %d, token %d", rows, b, t)
                .isCloseTo(logProb, within(Tolerances.singlePrecisionKernel(logProb, vocabulary)));
          }
        }
      }
    }
  }

  @Test
  void tokensRuledOutKeepTheirMinusInfinity() {
    TokenBatch batch = TokenBatch.of(new int[][] {{0, 1, 2}}, 0);
    float none = Float.NEGATIVE_INFINITY;
    try (NDManager manager = engine.newSubManager()) {
      NDArray logits =
          manager.create(new float[] {1, 1, none, 0, 0, none, 0, 0, 0}, new Shape(1, 3, 3));
      Collected collected = new Collected(batch);
      new DeviceHead().read(logits, batch, collected);
      assertThat(collected.logProbs[0][1]).isCloseTo(-Math.log(2), within(1e-7));
      assertThat(collected.logProbs[0][2]).isEqualTo(Double.NEGATIVE_INFINITY);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"FLOAT32", "FLOAT16"})
  void oneChunkIsInMemoryAtATime(DataType type) {
    int vocabulary = 1000;
    TokenBatch batch = batch(vocabulary);
    try (NDManager manager = engine.newSubManager();
        NDArray logits = logits(manager, batch, vocabulary, 1).toType(type, true)) {
      int before = manager.getManagedArrays().size();
      Collected collected =
          new Collected(batch) {
            @Override
            public void tokenLogProbs(int sequence, int firstTarget, double[] ready) {
              super.tokenLogProbs(sequence, firstTarget, ready);
              assertThat(ready.length).isLessThanOrEqualTo(2);
              assertThat(manager.getManagedArrays()).hasSize(before);
            }
          };
      new DeviceHead(bytes(2, vocabulary)).read(logits, batch, collected);
      assertThat(collected.calls)
          .isEqualTo(
              IntStream.range(0, batch.sequences()).map(b -> (batch.targets(b) + 1) / 2).sum());
    }
  }

  @Test
  void aRowLargerThanTheBudgetIsTakenAlone() {
    TokenBatch batch = batch(1000);
    try (NDManager manager = engine.newSubManager()) {
      Collected collected = new Collected(batch);
      new DeviceHead(1).read(logits(manager, batch, 1000, 1), batch, collected);
      assertThat(collected.calls)
          .isEqualTo(IntStream.range(0, batch.sequences()).map(batch::targets).sum());
    }
  }

  /** What so many rows take: three copies in single precision. */
  private static long bytes(int rows, int vocabulary) {
    return 3L * rows * vocabulary * Float.BYTES;
  }

  /** Of three lengths, and one of them scored from its middle on. */
  private static TokenBatch batch(int vocabulary) {
    Random random = new Random(1);
    int[][] sequences =
        IntStream.of(LENGTH, 2, 9)
            .mapToObj(length -> random.ints(length, 0, vocabulary).toArray())
            .toArray(int[][]::new);
    return TokenBatch.of(sequences, new int[] {1, 1, 5}, 0);
  }

  private static NDArray logits(NDManager manager, TokenBatch batch, int vocabulary, float spread) {
    Random random = new Random(2);
    float[] values = new float[batch.sequences() * batch.length() * vocabulary];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (spread * random.nextGaussian());
    }
    return manager.create(values, new Shape(batch.sequences(), batch.length(), vocabulary));
  }

  /** Each sequence's log-probabilities by position; logits go through the reference kernel. */
  private static class Collected implements LogitsSink {
    private static final LogProbKernel REFERENCE =
        LogProbKernels.providers().stream()
            .filter(provider -> provider.name().equals("scalar"))
            .map(LogProbKernelProvider::newKernel)
            .findFirst()
            .orElseThrow();

    final double[][] logProbs;
    int calls;
    private final TokenBatch batch;

    Collected(TokenBatch batch) {
      this.batch = batch;
      logProbs = new double[batch.sequences()][batch.length()];
      for (double[] sequence : logProbs) {
        Arrays.fill(sequence, Double.NaN);
      }
    }

    @Override
    public void logits(int sequence, int firstTarget, LogitsBlock logits) {
      int[] ids = IntStream.range(0, batch.length()).map(t -> batch.id(sequence, t)).toArray();
      REFERENCE.logProbs(
          logits, 0, logits.rows(), ids, firstTarget, logProbs[sequence], firstTarget);
    }

    @Override
    public void tokenLogProbs(int sequence, int firstTarget, double[] ready) {
      calls++;
      System.arraycopy(ready, 0, logProbs[sequence], firstTarget, ready.length);
    }
  }
}
