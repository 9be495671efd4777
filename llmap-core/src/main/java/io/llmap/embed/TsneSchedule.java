package io.llmap.embed;

import java.util.OptionalDouble;

/** The two phases of a descent, the early ones of the iterations with exaggerated affinities. */
record TsneSchedule(
    int iterations, double earlyExaggeration, int earlyIterations, OptionalDouble learningRate) {
  private static final double EARLY_MOMENTUM = 0.5;
  private static final double MOMENTUM = 0.8;

  /** Both phases, from (x, y), in place; returns the iterations done. */
  int descend(TsneGradient gradient, double[] x, double[] y) {
    int k = x.length;
    int early = Math.min(earlyIterations, iterations);
    GradientDescent first =
        new GradientDescent(earlyExaggeration, rate(k, earlyExaggeration), EARLY_MOMENTUM, early);
    GradientDescent second = new GradientDescent(1, rate(k, 1), MOMENTUM, iterations - early);
    return first.run(gradient, x, y) + second.run(gradient, x, y);
  }

  /** The learning rate of a phase. */
  double rate(int k, double exaggeration) {
    return learningRate.orElse(k / (4 * exaggeration));
  }
}
