package io.llmap.cuda;

import io.llmap.score.spi.LogProbKernel;
import io.llmap.score.spi.LogProbKernelProvider;
import io.llmap.score.spi.LogProbKernels;
import io.llmap.score.spi.LogitsBlock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Random logits in every layout, and what the reference makes of them. */
final class LogitsOnHost {
  private LogitsOnHost() {}

  /** What a row holds beyond the vocabulary is NaN. */
  static LogitsBlock random(
      LogitsBlock.Type type, int offset, int rows, int vocabulary, int stride) {
    ByteBuffer memory =
        ByteBuffer.allocateDirect((offset + rows * stride) * type.bytes())
            .order(ByteOrder.nativeOrder());
    Random random = new Random(rows * 31L + vocabulary);
    for (int i = 0; i < offset + rows * stride; i++) {
      boolean inside = i >= offset && (i - offset) % stride < vocabulary;
      float logit = inside ? (float) (4 * random.nextGaussian()) : Float.NaN;
      switch (type) {
        case F32 -> memory.putFloat(4 * i, logit);
        case BF16 -> memory.putShort(2 * i, (short) (Float.floatToRawIntBits(logit) >>> 16));
        // 0x3400 is 0.25; any fraction and the exponents up to 8 make a number.
        case F16 ->
            memory.putShort(
                2 * i, inside ? (short) (0x3400 + random.nextInt(0x1000)) : (short) 0x7e00);
      }
    }
    return LogitsBlock.of(memory, type, offset, rows, vocabulary, stride);
  }

  static int[] targets(int rows, int vocabulary) {
    return new Random(rows).ints(rows, 0, vocabulary).toArray();
  }

  static double[] reference(LogitsBlock logits, int[] targets) {
    LogProbKernel scalar =
        LogProbKernels.providers().stream()
            .filter(provider -> provider.name().equals("scalar"))
            .map(LogProbKernelProvider::newKernel)
            .findFirst()
            .orElseThrow();
    double[] out = new double[targets.length];
    scalar.logProbs(logits, 0, targets.length, targets, 0, out, 0);
    return out;
  }

  static byte[] bytes(LogitsBlock logits) {
    byte[] bytes = new byte[logits.memory().capacity()];
    logits.memory().get(0, bytes);
    return bytes;
  }

  static byte[] bytes(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.nativeOrder());
    bytes.asIntBuffer().put(values);
    return bytes.array();
  }

  static byte[] bytes(double... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.nativeOrder());
    bytes.asDoubleBuffer().put(values);
    return bytes.array();
  }
}
