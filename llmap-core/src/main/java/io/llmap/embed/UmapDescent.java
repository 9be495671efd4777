package io.llmap.embed;

/**
 * The stochastic descent of UMAP, as in umap-learn 0.5 ({@code optimize_layout_euclidean}): each
 * edge pulls its ends together in proportion to its weight, w / max w times per epoch, and each
 * time some models drawn at random push its first end away.
 *
 * <p>One thread: every step sees the ones before it, so that the same seed gives the same bits.
 */
final class UmapDescent {
  /** No coordinate of a force is larger. */
  private static final double LARGEST_FORCE = 4;

  /** Added to the squared distance under a push, which would otherwise have no bound. */
  private static final double SOFTENING = 0.001;

  /**
   * The edges are taken from so many places of the graph in turn. Edges of one model in a row would
   * each wait for the one before; of far models, a processor works on several at a time.
   */
  private static final int LANES = 8;

  private final double b;
  private final PowerTable power;
  private final int negativeSamples;
  private final int[] heads;
  private final int[] tails;
  private final double[] epochsPerSample;
  private final double[] xy;
  private long randomState;

  /** Points are x₀, y₀, x₁, y₁ … and are moved in place. */
  UmapDescent(FuzzySet graph, UmapCurve curve, int negativeSamples, long seed, double[] xy) {
    this.b = curve.b();
    this.power = new PowerTable(curve.a(), curve.b());
    this.negativeSamples = negativeSamples;
    this.heads = new int[graph.edges()];
    this.tails = new int[graph.edges()];
    this.epochsPerSample = new double[graph.edges()];
    this.xy = xy;
    this.randomState = seed;
    double largest = graph.largestWeight();
    int lane = 0;
    int place = 0;
    for (int i = 0; i < graph.size(); i++) {
      for (int e = graph.start(i); e < graph.start(i + 1); e++) {
        heads[place] = i;
        tails[place] = graph.target(e);
        epochsPerSample[place] = largest / graph.weight(e);
        place += LANES;
        if (place >= graph.edges()) {
          place = ++lane;
        }
      }
    }
  }

  /** All epochs; the learning rate falls from 1 to 0. */
  void run(int epochs) {
    double[] nextSample = epochsPerSample.clone();
    double[] nextNegative = new double[epochsPerSample.length];
    for (int e = 0; e < nextNegative.length; e++) {
      nextNegative[e] = epochsPerSample[e] / negativeSamples;
    }
    double rate = 1;
    for (int epoch = 0; epoch < epochs; epoch++) {
      for (int e = 0; e < heads.length; e++) {
        if (nextSample[e] <= epoch) {
          nextSample[e] += epochsPerSample[e];
          pull(2 * heads[e], 2 * tails[e], rate);
          double epochsPerNegative = epochsPerSample[e] / negativeSamples;
          int pushes = (int) ((epoch - nextNegative[e]) / epochsPerNegative);
          nextNegative[e] += pushes * epochsPerNegative;
          push(2 * heads[e], pushes, rate);
        }
      }
      rate = 1 - (double) epoch / epochs;
    }
  }

  private void pull(int i, int j, double rate) {
    double largest = rate * LARGEST_FORCE;
    double dx = xy[i] - xy[j];
    double dy = xy[i + 1] - xy[j + 1];
    double squared = dx * dx + dy * dy;
    if (squared > 0) {
      double term = power.of(squared);
      double force = -2 * b * rate * term / (squared * (term + 1));
      double stepX = clip(force * dx, largest);
      double stepY = clip(force * dy, largest);
      xy[i] += stepX;
      xy[i + 1] += stepY;
      xy[j] -= stepX;
      xy[j + 1] -= stepY;
    }
  }

  private void push(int i, int pushes, double rate) {
    double largest = rate * LARGEST_FORCE;
    double x = xy[i];
    double y = xy[i + 1];
    for (int p = 0; p < pushes; p++) {
      int j = 2 * randomModel();
      if (j == i) {
        continue;
      }
      double dx = x - xy[j];
      double dy = y - xy[j + 1];
      double squared = dx * dx + dy * dy;
      if (squared > 0) {
        double term = power.of(squared);
        double force = 2 * b * rate / ((SOFTENING + squared) * (term + 1));
        x += clip(force * dx, largest);
        y += clip(force * dy, largest);
      } else {
        x += largest;
        y += largest;
      }
    }
    xy[i] = x;
    xy[i + 1] = y;
  }

  private static double clip(double step, double largest) {
    return step > largest ? largest : step < -largest ? -largest : step;
  }

  /** SplitMix64 (Steele, Lea and Flood 2014), its upper half scaled to 0 … K − 1. */
  private int randomModel() {
    randomState += 0x9E3779B97F4A7C15L;
    long z = randomState;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    z ^= z >>> 31;
    return (int) (((z >>> 32) * (xy.length / 2)) >>> 32);
  }
}
