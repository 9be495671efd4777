package io.llmap.testing;

/** Every bound that a test compares numbers with, as a formula of size and type. */
public final class Tolerances {
  private Tolerances() {}

  /** The double-precision kernel against exactly summed exponentials. */
  public static double scalarKernel(double logSumExp) {
    return 1e-12 * Math.max(1, Math.abs(logSumExp));
  }

  /** A single-precision kernel against the double-precision one on the same logits. */
  public static double singlePrecisionKernel(double logProb, int vocabulary) {
    return 0x1p-23 * (Math.abs(logProb) + Math.log(vocabulary) / Math.log(2) + 8);
  }

  /**
   * A sketch in single precision against the double-precision one on the same logits: each root of
   * a probability carries an error of its own size.
   *
   * @param sumOfRoots Σ √p, which the signed sum could be
   */
  public static double singlePrecisionSketch(double sumOfRoots, int vocabulary) {
    return 0x1p-23 * (Math.log(vocabulary) / Math.log(2) + 8) * sumOfRoots;
  }

  /** The double-precision kernel over a model with probabilities in closed form. */
  public static double closedForm(double logLikelihood) {
    return 1e-12 * Math.max(1, Math.abs(logLikelihood));
  }

  /** One token's log-probability when the same text is scored in another batch, fp32 model. */
  public static double batchEffectPerToken() {
    return 1e-4;
  }

  /** One token's log-probability when other rows go through the output head with its own, fp32. */
  public static double splitGraph(double logProb) {
    return 1e-6 * Math.max(1, Math.abs(logProb));
  }

  /** A text's log-likelihood against another runtime with the same fp32 weights. */
  public static double textAcrossRuntimes(double logLikelihood) {
    return 1e-5 * Math.abs(logLikelihood);
  }

  /**
   * One token's log-probability of a model that computes in 16-bit floating point, against the same
   * weights in 32 bits. A rounding to 11 significant bits has a standard deviation of 2⁻¹¹/√3 at
   * most, and the errors of independent roundings add up in squares; six times that leaves no doubt
   * over thousands of tokens.
   *
   * @param roundings how many follow one another from the embedding to the logits
   * @param spread the standard deviation of a position's logits
   */
  public static double halfPrecisionPerToken(int roundings, double spread) {
    return 6 * 0x1p-11 / Math.sqrt(3) * Math.sqrt(roundings) * spread;
  }

  /**
   * Tokens' log-probabilities, in root mean square, of a model with 8-bit activations and 7-bit
   * weights, against its 32-bit original. Rounding to steps of width w has a standard deviation of
   * w/√12, and the errors of one stage after another add up in squares. The 255 steps of a tensor
   * of activations span up to 30 of its standard deviations, behind gates; a standard deviation of
   * one channel's weights is 30 steps or more. A bound for a single token would have to follow how
   * attention enlarges the error of a near tie.
   *
   * @param stages how many quantised products follow one another
   * @param spread the standard deviation of a position's logits
   */
  public static double eightBitRootMeanSquare(int stages, double spread) {
    return Math.hypot(30.0 / 255, 1.0 / 30) / Math.sqrt(12) * Math.sqrt(stages) * spread;
  }

  /** Row and column means after centring. */
  public static double centring(double largestLogLikelihood) {
    return 1e-12 * Math.abs(largestLogLikelihood);
  }

  /** A squared distance against the sum of squared differences. */
  public static double squaredDistance(double direct) {
    return 1e-10 * direct;
  }

  /**
   * A Euclidean distance between segment vectors whose values are stored in single precision. The
   * centring of a text is a projection along the segments' lengths, whose norm is √(1 +
   * variation²).
   *
   * @param norms ‖s_i‖ + ‖s_j‖ of the two rows of values
   * @param variation the largest standard deviation / mean of the segment lengths within a text
   */
  public static double singlePrecisionSegments(double norms, double variation) {
    return 0x1p-24 * norms * Math.sqrt(1 + variation * variation);
  }

  /** PCA, MDS, linkage and ridge against numpy, scipy and scikit-learn, up to sign. */
  public static double golden(double scale) {
    return 1e-8 * Math.abs(scale);
  }

  /** An eigenvalue found by iteration against one of the full decomposition. */
  public static double eigenvalue(double largest) {
    return 1e-12 * Math.abs(largest);
  }

  /** A membership of UMAP's fuzzy set against the definition; memberships are 0 to 1. */
  public static double fuzzyWeight() {
    return 1e-8;
  }

  /** The least trustworthiness of a UMAP map, given that of umap-learn's maps. */
  public static double leastTrustworthiness(double reference) {
    return reference - 0.02;
  }

  /** A gradient of t-SNE against differences of its objective. */
  public static double tsneGradient(double largest) {
    return 1e-5 * largest;
  }

  /** Barnes and Hut's gradient that takes no points together, against the exact one. */
  public static double barnesHutWithoutGroups(double largest) {
    return 1e-10 * largest;
  }

  /** A sum of products in double against one without rounding; the sizes of the products add up. */
  public static double dotProduct(int terms, double sumOfSizes) {
    return 0x1p-53 * (terms + 2) * sumOfSizes;
  }
}
