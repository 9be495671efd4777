package io.llmap.embed;

/**
 * factor · x^b for positive x, to a relative 1e-14: the one expensive operation of UMAP's descent.
 *
 * <p>From tables of factor · 2^(e·b) for the exponent of x and of c^b for 1024 mantissas c, and
 * three terms of the binomial series of (m/c)^b, whose argument is within 2⁻¹¹ of 1. The tables are
 * from {@link StrictMath}, so the bits depend on neither machine nor compiler.
 */
final class PowerTable {
  private static final int MANTISSA_BITS = 52;
  private static final int TABLE_BITS = 10;
  private static final int EXPONENTS = 2048;
  private static final long MANTISSA = (1L << MANTISSA_BITS) - 1;
  private static final long ONE = Double.doubleToRawLongBits(1);

  private final double[] ofExponent = new double[EXPONENTS];
  private final double[] ofMantissa = new double[1 << TABLE_BITS];
  private final double[] inverse = new double[1 << TABLE_BITS];
  private final double c1;
  private final double c2;
  private final double c3;

  PowerTable(double factor, double b) {
    for (int e = 0; e < EXPONENTS; e++) {
      ofExponent[e] = factor * StrictMath.pow(2, b * (e - Double.MAX_EXPONENT));
    }
    for (int m = 0; m < ofMantissa.length; m++) {
      double center = 1 + (m + 0.5) / ofMantissa.length;
      ofMantissa[m] = StrictMath.pow(center, b);
      inverse[m] = 1 / center;
    }
    c1 = b;
    c2 = c1 * (b - 1) / 2;
    c3 = c2 * (b - 2) / 3;
  }

  double of(double x) {
    long bits = Double.doubleToRawLongBits(x);
    int exponent = (int) (bits >>> MANTISSA_BITS) & (EXPONENTS - 1);
    int m = (int) (bits >>> (MANTISSA_BITS - TABLE_BITS)) & (ofMantissa.length - 1);
    double t = Double.longBitsToDouble(bits & MANTISSA | ONE) * inverse[m] - 1;
    // Grouped so that the products do not wait for each other.
    return (ofExponent[exponent] * ofMantissa[m]) * ((1 + c1 * t) + (t * t) * (c2 + c3 * t));
  }
}
