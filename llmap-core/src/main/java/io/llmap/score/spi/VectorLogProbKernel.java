package io.llmap.score.spi;

import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The same in single precision with the Vector API: a row is read once, in pieces that stay in the
 * first-level cache, with a running maximum (Milakov and Gimelshein, arXiv 1805.02867).
 *
 * <p>Each piece's lanes are folded into a double, so the rounding error of the sum does not grow
 * with the vocabulary. The exponential is a polynomial of our own, not the runtime's: it is faster,
 * and the same bits come out on every JDK.
 */
@SuppressWarnings("FloatingPointLiteralPrecision") // constants stand as published
final class VectorLogProbKernel implements LogProbKernel {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  /**
   * 8 KiB: read by the maximum, it is still in the first-level cache when the sum reads it again.
   */
  private static final int PIECE = 2048;

  private static final float LOG2_E = 1.442695041f;

  // ln 2 in two parts: n · HIGH is exact for |n| < 2^9, so x − n ln 2 keeps its digits (Cody and
  // Waite).
  private static final float LN2_HIGH = 0.693359375f;
  private static final float LN2_LOW = -2.12194440e-4f;

  /** Adding 1.5 · 2^23 leaves the nearest integer in the low bits of a float. */
  private static final float ROUND = 12582912f;

  /**
   * exp(−87) is the last one without subnormals; beside the maximum's exp(0) = 1 it adds nothing.
   */
  private static final float LOWEST = -87f;

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public void logProbs(
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      double[] out,
      int outOffset) {
    Objects.checkFromIndexSize(firstRow, rows, logits.rows());
    float[] piece = new float[PIECE];
    float[] lanes = new float[LANES];
    for (int r = 0; r < rows; r++) {
      int row = firstRow + r;
      out[outOffset + r] =
          logits.logit(row, targets[targetsOffset + r]) - logSumExp(logits, row, piece, lanes);
    }
  }

  private static double logSumExp(LogitsBlock logits, int row, float[] piece, float[] lanes) {
    int vocabulary = logits.vocabulary();
    float max = Float.NEGATIVE_INFINITY;
    double sum = 0;
    for (int from = 0; from < vocabulary; from += PIECE) {
      int count = Math.min(PIECE, vocabulary - from);
      logits.read(row, from, count, piece);
      int padded = pad(piece, count);
      float newMax = Math.max(max, max(piece, padded));
      if (newMax == Float.NEGATIVE_INFINITY) {
        continue;
      }
      sum = sum * Math.exp((double) max - newMax) + sumExp(piece, padded, newMax, lanes);
      max = newMax;
    }
    return sum == 0 ? Double.NaN : max + Math.log(sum);
  }

  /** Fills the last vector with −∞, which changes neither a maximum nor a sum. */
  private static int pad(float[] piece, int count) {
    int padded = count;
    while (padded % LANES != 0) {
      piece[padded++] = Float.NEGATIVE_INFINITY;
    }
    return padded;
  }

  private static float max(float[] piece, int count) {
    FloatVector a = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    FloatVector b = a;
    int i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
      a = a.max(FloatVector.fromArray(SPECIES, piece, i));
      b = b.max(FloatVector.fromArray(SPECIES, piece, i + LANES));
    }
    if (i < count) {
      a = a.max(FloatVector.fromArray(SPECIES, piece, i));
    }
    return a.max(b).reduceLanes(VectorOperators.MAX);
  }

  private static double sumExp(float[] piece, int count, float max, float[] lanes) {
    FloatVector a = FloatVector.zero(SPECIES);
    FloatVector b = a;
    int i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
      a = a.add(exp(FloatVector.fromArray(SPECIES, piece, i).sub(max)));
      b = b.add(exp(FloatVector.fromArray(SPECIES, piece, i + LANES).sub(max)));
    }
    if (i < count) {
      a = a.add(exp(FloatVector.fromArray(SPECIES, piece, i).sub(max)));
    }
    return sum(a, lanes) + sum(b, lanes);
  }

  private static double sum(FloatVector vector, float[] lanes) {
    vector.intoArray(lanes, 0);
    double sum = 0;
    for (float lane : lanes) {
      sum += lane;
    }
    return sum;
  }

  /**
   * exp(x) for x ≤ 0 to about one unit in the last place; NaN stays NaN. Polynomial: Cephes expf.
   */
  private static FloatVector exp(FloatVector x) {
    FloatVector y = x.max(LOWEST);
    FloatVector shifted = y.mul(LOG2_E).add(ROUND);
    FloatVector n = shifted.sub(ROUND);
    FloatVector r = y.sub(n.mul(LN2_HIGH)).sub(n.mul(LN2_LOW));
    FloatVector p = r.mul(1.9875691500e-4f).add(1.3981999507e-3f);
    p = p.mul(r).add(8.3334519073e-3f);
    p = p.mul(r).add(4.1665795894e-2f);
    p = p.mul(r).add(1.6666665459e-1f);
    p = p.mul(r).add(5.0000001201e-1f);
    p = p.mul(r).mul(r).add(r).add(1f);
    // The exponent field of 2^n · p: n stands in the low bits of `shifted`.
    IntVector scale = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(scale).reinterpretAsFloats();
  }
}
