package io.llmap.cuda;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.function.IntToDoubleFunction;

/**
 * Rows of logits as the kernels read them, rounded to their type, with NaN between the end of one
 * row and the start of the next; the memory ends with the last logit of the last row.
 *
 * @param values rows × vocabulary, after rounding
 */
record LogitRows(LogitType type, int vocabulary, int stride, float[][] values) {
  enum LogitType {
    F32,
    F16,
    BF16;

    String suffix() {
      return switch (this) {
        case F32 -> "f32";
        case F16 -> "f16";
        case BF16 -> "bf16";
      };
    }

    int size() {
      return this == F32 ? 4 : 2;
    }

    /** The largest finite value, and infinity, stay what they are. */
    float round(double value) {
      float single = (float) value;
      return switch (this) {
        case F32 -> single;
        case BF16 -> Float.intBitsToFloat(bf16(single) << 16);
        case F16 -> {
          if (Float.isNaN(single) || Float.isInfinite(single)) {
            yield single;
          }
          // 11 significant bits, none below 2^-24.
          double step = Math.scalb(1.0, Math.max(Math.getExponent(value) - 10, -24));
          double rounded = Math.rint(value / step) * step;
          yield Math.abs(rounded) > 65504 ? Math.copySign(65504, single) : (float) rounded;
        }
      };
    }

    private static int bf16(float value) {
      int bits = Float.floatToIntBits(value);
      boolean finite = !Float.isNaN(value) && !Float.isInfinite(value);
      int rounded = (bits + (finite ? 0x7fff + (bits >>> 16 & 1) : 0)) >>> 16;
      // Rounding up the largest values would make them infinite.
      return finite && (rounded & 0x7fff) == 0x7f80 ? rounded - 1 : rounded;
    }

    void put(ByteBuffer buffer, int index, float rounded) {
      switch (this) {
        case F32 -> buffer.putFloat(4 * index, rounded);
        case BF16 -> buffer.putShort(2 * index, (short) bf16(rounded));
        case F16 -> buffer.putShort(2 * index, (short) f16(rounded));
      }
    }

    private static int f16(float rounded) {
      int sign = Float.floatToRawIntBits(rounded) >>> 16 & 0x8000;
      if (Float.isNaN(rounded)) {
        return 0x7e00;
      }
      if (Float.isInfinite(rounded)) {
        return sign | 0x7c00;
      }
      int exponent = Math.getExponent(rounded);
      if (exponent < -14) {
        return sign | (int) (Math.abs(rounded) * 0x1p24f);
      }
      return sign | exponent + 15 << 10 | Float.floatToRawIntBits(rounded) >>> 13 & 0x3ff;
    }
  }

  static LogitRows of(LogitType type, int vocabulary, int stride, IntToDoubleFunction... rows) {
    float[][] values = new float[rows.length][vocabulary];
    for (int r = 0; r < rows.length; r++) {
      for (int v = 0; v < vocabulary; v++) {
        values[r][v] = type.round(rows[r].applyAsDouble(v));
      }
    }
    return new LogitRows(type, vocabulary, stride, values);
  }

  /** Logits of a model in size, spread and offset: standard deviation 3 around a row's own mean. */
  static LogitRows random(LogitType type, int rows, int vocabulary, int stride, long seed) {
    Random random = new Random(seed);
    float[][] values = new float[rows][vocabulary];
    for (float[] row : values) {
      double mean = 20 * random.nextGaussian();
      for (int v = 0; v < vocabulary; v++) {
        row[v] = type.round(mean + 3 * random.nextGaussian());
      }
    }
    return new LogitRows(type, vocabulary, stride, values);
  }

  int rows() {
    return values.length;
  }

  ByteBuffer bytes() {
    ByteBuffer buffer = EmulatedKernels.buffer(((rows() - 1L) * stride + vocabulary) * type.size());
    for (int r = 0; r < rows(); r++) {
      int first = r * stride;
      for (int v = 0; v < vocabulary; v++) {
        type.put(buffer, first + v, values[r][v]);
      }
      for (int v = vocabulary; v < stride && r < rows() - 1; v++) {
        type.put(buffer, first + v, Float.NaN);
      }
    }
    return buffer;
  }

  /** In double precision, from the definition; NaN where the sum has no finite logarithm. */
  double logProb(int row, int target) {
    double max = Double.NEGATIVE_INFINITY;
    for (float z : values[row]) {
      max = Math.max(max, z);
    }
    double sum = 0;
    for (float z : values[row]) {
      sum += Math.exp(z - max);
    }
    return (values[row][target] - max) - Math.log(sum);
  }
}
