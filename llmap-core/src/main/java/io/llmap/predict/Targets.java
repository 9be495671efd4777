package io.llmap.predict;

import java.util.List;
import java.util.stream.IntStream;

/** Scores of models, of which some may be missing. */
final class Targets {
  private Targets() {}

  /** The positions of the models that have a score. */
  static int[] known(List<String> names, double[] targets) {
    if (targets.length != names.size()) {
      throw new IllegalArgumentException(
          targets.length + " scores for " + names.size() + " models");
    }
    for (int i = 0; i < targets.length; i++) {
      if (Double.isInfinite(targets[i])) {
        throw new IllegalArgumentException(
            "the score of \"" + names.get(i) + "\" is " + targets[i]);
      }
    }
    int[] known =
        IntStream.range(0, targets.length).filter(i -> !Double.isNaN(targets[i])).toArray();
    if (known.length == 0) {
      throw new IllegalArgumentException("no model has a score");
    }
    return known;
  }
}
