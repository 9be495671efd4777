package io.llmap.score.spi;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * log Σ exp of a row of logits, and with it a sketch if asked for: the row is read once, in pieces
 * that stay in the first-level cache, with a running maximum (Milakov and Gimelshein, arXiv
 * 1805.02867).
 *
 * <p>Each piece's lanes are folded into a double, so the rounding error of the sum does not grow
 * with the vocabulary. The exponential is a polynomial of our own, not the runtime's: it is faster,
 * and the same bits come out on every JDK.
 *
 * <p>Not safe for use by several threads; it holds one call's working memory.
 */
@SuppressWarnings("FloatingPointLiteralPrecision") // constants stand as they were computed
final class VectorLogSumExp {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> BITS = SPECIES.withLanes(int.class);
  private static final int LANES = SPECIES.length();

  /** As many 16-bit lanes, or more where no vector is that short; then the first ones count. */
  private static final VectorSpecies<Short> HALVES =
      VectorSpecies.of(
          short.class, VectorShape.forBitSize(Math.max(64, SPECIES.vectorBitSize() / 2)));

  /** x86 multiplies and adds in one operation from AVX2 on; other vector units all do. */
  private static final boolean FUSED =
      LANES >= 8 || !System.getProperty("os.arch", "").matches("amd64|x86_64");

  /**
   * 8 KiB: read by the maximum, it is still in the first-level cache when the sum reads it again.
   */
  private static final int PIECE = 2048;

  /**
   * What is done with a piece, in turn. One call for all of them, so HotSpot compiles each by
   * itself: put into one, they exceed the compiler's limit of nodes, and behind it every vector
   * becomes an object, thirty times slower.
   */
  private static final Step[] STEPS = {
    VectorLogSumExp::read, VectorLogSumExp::raiseMaximum, VectorLogSumExp::addExponentials
  };

  /** The same with square roots of the exponentials, which are summed with random signs, too. */
  private static final Step[] SKETCH_STEPS = {
    VectorLogSumExp::read,
    VectorLogSumExp::raiseMaximum,
    VectorLogSumExp::addSquaresOfRoots,
    VectorLogSumExp::addSignedRoots
  };

  /** v · factor of the first ids. */
  private static final IntVector FIRST_IDS =
      IntVector.zero(BITS).addIndex(1).mul(RandomSigns.ID_FACTOR);

  private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

  /**
   * exp(−87) is the last one without subnormals; beside the maximum's exp(0) = 1 it adds nothing.
   */
  private static final int FARTHEST = Float.floatToRawIntBits(87f);

  private static final FloatVector MINUS_LOG2_E = constant(-1.442695041f);

  /** Adding 1.5 · 2^23 leaves the nearest integer in the low bits of a float. */
  private static final FloatVector ROUND = constant(12582912f);

  // The minimax polynomial of 2^f for |f| ≤ 1/2 that is exact at 0: relative error 2e-9.
  private static final FloatVector C0 = constant(1f);
  private static final FloatVector C1 = constant(6.93147203e-1f);
  private static final FloatVector C2 = constant(2.40226479e-1f);
  private static final FloatVector C3 = constant(5.55033247e-2f);
  private static final FloatVector C4 = constant(9.61843736e-3f);
  private static final FloatVector C5 = constant(1.33988744e-3f);
  private static final FloatVector C6 = constant(1.5353362e-4f);

  private final LogitsBlock logits;
  private final float[] piece = new float[PIECE];
  private final short[] halves = new short[PIECE + HALVES.length()];
  private final float[] lanes = new float[LANES];

  private int row;
  private int from;
  private int count;
  private float max;
  private float newMax;
  private double sum;
  private int signs;
  private double signed;

  private interface Step {
    void take(VectorLogSumExp state);
  }

  VectorLogSumExp(LogitsBlock logits) {
    this.logits = logits;
  }

  private static FloatVector constant(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }

  /** NaN when the row has a NaN, a +∞ or only −∞. */
  double ofRow(int number) {
    return ofRow(number, STEPS);
  }

  /**
   * As {@link #ofRow}, but with a sketch.
   *
   * @param rowOfSigns {@link RandomSigns#row}
   */
  double ofRowWithSketch(int number, int rowOfSigns) {
    signs = rowOfSigns;
    signed = 0;
    return ofRow(number, SKETCH_STEPS);
  }

  /** The sketch of the row that was the last to have one; NaN where the row gave NaN. */
  double sketch() {
    return signed / Math.sqrt(sum);
  }

  private double ofRow(int number, Step[] steps) {
    row = number;
    max = Float.NEGATIVE_INFINITY;
    sum = 0;
    for (from = 0; from < logits.vocabulary(); from += PIECE) {
      count = Math.min(PIECE, logits.vocabulary() - from);
      for (Step step : steps) {
        step.take(this);
      }
    }
    if (sum == 0 || max == Float.POSITIVE_INFINITY) {
      sum = Double.NaN;
    }
    return max + Math.log(sum);
  }

  /** Fills the last vector with −∞, which changes neither a maximum nor a sum. */
  private void read() {
    switch (logits.type()) {
      case F32 -> logits.read(row, from, count, piece);
      case F16 -> {
        logits.readHalves(row, from, count, halves);
        for (int i = 0; i < count; i += LANES) {
          fromFloat16(upperHalves(i)).intoArray(piece, i);
        }
      }
      case BF16 -> {
        logits.readHalves(row, from, count, halves);
        for (int i = 0; i < count; i += LANES) {
          upperHalves(i).reinterpretAsFloats().intoArray(piece, i);
        }
      }
    }
    while (count % LANES != 0) {
      piece[count++] = Float.NEGATIVE_INFINITY;
    }
  }

  private IntVector upperHalves(int at) {
    Vector<Integer> widened =
        ShortVector.fromArray(HALVES, halves, at).convertShape(VectorOperators.S2I, BITS, 0);
    return widened.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16);
  }

  private static FloatVector fromFloat16(IntVector upper) {
    IntVector magnitude = upper.and(0x7fff_0000).lanewise(VectorOperators.LSHR, 3);
    // The difference of the exponents' biases; as a product it is right for subnormals too.
    IntVector finite = magnitude.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
    // All ones where the exponent is the highest, which stands for infinity and NaN.
    IntVector other = magnitude.neg().add((0x1f << 23) - 1).lanewise(VectorOperators.ASHR, 31);
    return finite.or(other.and(INFINITY)).or(upper.and(0x8000_0000)).reinterpretAsFloats();
  }

  /**
   * NaN if there is one. Compared as integers: the maximum of floats takes several instructions,
   * for the sake of NaN and −0.
   */
  private void raiseMaximum() {
    IntVector highest = IntVector.broadcast(BITS, Integer.MIN_VALUE);
    IntVector lowest = IntVector.broadcast(BITS, Integer.MAX_VALUE);
    IntVector largest = IntVector.zero(BITS);
    for (int i = 0; i < count; i += LANES) {
      IntVector bits = FloatVector.fromArray(SPECIES, piece, i).reinterpretAsInts();
      highest = highest.max(bits);
      lowest = lowest.min(bits);
      largest = largest.max(bits.and(Integer.MAX_VALUE));
    }
    if (largest.reduceLanes(VectorOperators.MAX) > INFINITY) {
      newMax = Float.NaN;
      return;
    }
    // The bits of negative numbers are negative integers in reverse order.
    int top = highest.reduceLanes(VectorOperators.MAX);
    int bits = top >= 0 ? top : lowest.reduceLanes(VectorOperators.MIN);
    newMax = Math.max(max, Float.intBitsToFloat(bits));
  }

  private void addExponentials() {
    if (newMax == Float.NEGATIVE_INFINITY) {
      return;
    }
    FloatVector top = FloatVector.broadcast(SPECIES, newMax);
    FloatVector sums = FloatVector.zero(SPECIES);
    for (int i = 0; i < count; i += LANES) {
      sums = sums.add(expOfMinus(top.sub(FloatVector.fromArray(SPECIES, piece, i))));
    }
    sum = sum * Math.exp((double) max - newMax) + folded(sums);
    max = newMax;
  }

  /** Leaves the roots in the piece. */
  private void addSquaresOfRoots() {
    if (newMax == Float.NEGATIVE_INFINITY) {
      return;
    }
    FloatVector top = FloatVector.broadcast(SPECIES, newMax);
    FloatVector sums = FloatVector.zero(SPECIES);
    for (int i = 0; i < count; i += LANES) {
      FloatVector root = expOfMinus(top.sub(FloatVector.fromArray(SPECIES, piece, i)).mul(0.5f));
      root.intoArray(piece, i);
      sums = multiplyAdd(root, root, sums);
    }
    double shrink = Math.exp(((double) max - newMax) / 2);
    sum = sum * shrink * shrink + folded(sums);
    signed *= shrink;
    max = newMax;
  }

  private void addSignedRoots() {
    if (newMax == Float.NEGATIVE_INFINITY) {
      return;
    }
    FloatVector sums = FloatVector.zero(SPECIES);
    for (int i = 0; i < count; i += LANES) {
      IntVector root = FloatVector.fromArray(SPECIES, piece, i).reinterpretAsInts();
      IntVector signBits = signBits((from + i) * RandomSigns.ID_FACTOR);
      sums = sums.add(root.lanewise(VectorOperators.XOR, signBits).reinterpretAsFloats());
    }
    signed += folded(sums);
  }

  /** The top bit where {@link RandomSigns#isNegative}, for as many ids as lanes. */
  private IntVector signBits(int firstProduct) {
    IntVector h = FIRST_IDS.add(firstProduct).lanewise(VectorOperators.XOR, signs);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16));
    h = h.mul(RandomSigns.FIRST_FACTOR);
    h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 13));
    h = h.mul(RandomSigns.SECOND_FACTOR);
    return h.and(Integer.MIN_VALUE);
  }

  private double folded(FloatVector sums) {
    sums.intoArray(lanes, 0);
    double folded = 0;
    for (float lane : lanes) {
      folded += lane;
    }
    return folded;
  }

  /**
   * exp(−x) for x ≥ 0, to about one unit in the last place: 2^n · 2^f with n the nearest integer to
   * −x log2 e.
   */
  private static FloatVector expOfMinus(FloatVector x) {
    FloatVector y = x.reinterpretAsInts().min(FARTHEST).reinterpretAsFloats();
    FloatVector shifted = multiplyAdd(y, MINUS_LOG2_E, ROUND);
    FloatVector f = multiplyAdd(y, MINUS_LOG2_E, ROUND.sub(shifted));
    FloatVector p = multiplyAdd(f, C6, C5);
    p = multiplyAdd(p, f, C4);
    p = multiplyAdd(p, f, C3);
    p = multiplyAdd(p, f, C2);
    p = multiplyAdd(p, f, C1);
    p = multiplyAdd(p, f, C0);
    // The exponent field of 2^n · p: n stands in the low bits of `shifted`.
    IntVector scale = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(scale).reinterpretAsFloats();
  }

  /** a · b + c; where the processor has no such operation, Java would compute it in BigDecimal. */
  private static FloatVector multiplyAdd(FloatVector a, FloatVector b, FloatVector c) {
    return FUSED ? a.fma(b, c) : a.mul(b).add(c);
  }
}
