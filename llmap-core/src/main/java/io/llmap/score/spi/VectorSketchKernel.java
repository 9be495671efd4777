package io.llmap.score.spi;

import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The same in single precision with the Vector API: a row is read once, in pieces with a running
 * maximum, and each piece's lanes are folded into doubles, as in {@link VectorLogProbKernel}.
 */
@SuppressWarnings("FloatingPointLiteralPrecision") // constants stand as published
final class VectorSketchKernel implements SketchKernel {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  /** v · factor of the first ids. A vector of ints carried along in the loop would be slow. */
  private static final IntVector FIRST_IDS =
      IntVector.zero(IntVector.SPECIES_PREFERRED).addIndex(1).mul(RandomSigns.ID_FACTOR);

  /** 8 KiB, which stay in the first-level cache between the maximum and the sums. */
  private static final int PIECE = 2048;

  private static final float LOG2_E = 1.442695041f;

  // ln 2 in two parts (Cody and Waite), and 1.5 · 2^23, which rounds to the nearest integer.
  private static final float LN2_HIGH = 0.693359375f;
  private static final float LN2_LOW = -2.12194440e-4f;
  private static final float ROUND = 12582912f;

  /** exp(−87) is the last one without subnormals; its square is nothing beside the maximum's 1. */
  private static final float LOWEST = -87f;

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public void sketches(
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      long key,
      double[] logProbs,
      float[] sketches,
      int position) {
    Objects.checkFromIndexSize(firstRow, rows, logits.rows());
    float[] piece = new float[PIECE];
    double[] sums = new double[2];
    for (int r = 0; r < rows; r++) {
      int row = firstRow + r;
      double max = sum(logits, row, RandomSigns.row(key, position + r), piece, sums);
      double sum = sums[0] == 0 ? Double.NaN : sums[0];
      logProbs[position + r] =
          logits.logit(row, targets[targetsOffset + r]) - (max + Math.log(sum));
      sketches[position + r] = (float) (sums[1] / Math.sqrt(sum));
    }
  }

  /**
   * Sums up a row.
   *
   * @param sums receives Σ e² and Σ ± e
   * @return the maximum
   */
  private static float sum(LogitsBlock logits, int row, int signs, float[] piece, double[] sums) {
    int vocabulary = logits.vocabulary();
    float max = Float.NEGATIVE_INFINITY;
    double sum = 0;
    double signed = 0;
    for (int from = 0; from < vocabulary; from += PIECE) {
      int count = Math.min(PIECE, vocabulary - from);
      logits.read(row, from, count, piece);
      int padded = pad(piece, count);
      float newMax = Math.max(max, max(piece, padded));
      if (newMax == Float.NEGATIVE_INFINITY) {
        continue;
      }
      double shrink = Math.exp(((double) max - newMax) / 2);
      add(piece, padded, newMax, from, signs, sums);
      sum = sum * shrink * shrink + sums[0];
      signed = signed * shrink + sums[1];
      max = newMax;
    }
    sums[0] = sum;
    sums[1] = signed;
    return max;
  }

  /** Fills the last vector with −∞, which changes no maximum, and a sum by exp(−87). */
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

  private static void add(float[] piece, int count, float max, int from, int signs, double[] sums) {
    float[] lanes = new float[LANES];
    FloatVector squares = FloatVector.zero(SPECIES);
    FloatVector signed = squares;
    for (int i = 0; i < count; i += LANES) {
      FloatVector e = expOfHalf(FloatVector.fromArray(SPECIES, piece, i).sub(max));
      squares = squares.add(e.mul(e));
      IntVector flipped =
          e.reinterpretAsInts()
              .lanewise(VectorOperators.XOR, signBits((from + i) * RandomSigns.ID_FACTOR, signs));
      signed = signed.add(flipped.reinterpretAsFloats());
    }
    sums[0] = sum(squares, lanes);
    sums[1] = sum(signed, lanes);
  }

  /**
   * The top bit where {@link RandomSigns#isNegative}, for LANES ids from one on. A method by
   * itself: written out in the loop, the runtime's compiler gave up on it, and it took twice as
   * long.
   */
  private static IntVector signBits(int firstProduct, int signs) {
    IntVector h = FIRST_IDS.add(firstProduct).lanewise(VectorOperators.XOR, signs);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16));
    h = h.mul(RandomSigns.FIRST_FACTOR);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 13));
    h = h.mul(RandomSigns.SECOND_FACTOR);
    return h.lanewise(VectorOperators.AND, Integer.MIN_VALUE);
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
   * exp(x/2) for x ≤ 0 to about one unit in the last place; NaN stays NaN. Polynomial: Cephes expf.
   */
  private static FloatVector expOfHalf(FloatVector x) {
    FloatVector y = x.mul(0.5f).max(LOWEST);
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
