package io.llmap.examples;

import io.llmap.internal.Parallel;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Token sequences drawn from a model: temperature 1, the whole distribution, no cache of earlier
 * positions. A sequence's random numbers are its own, so batches do not change what is drawn beyond
 * the models' own rounding.
 */
final class SampledTokens {
  private static final int BATCH = 16;

  private final ZooModel model;
  private final long seed;

  SampledTokens(ZooModel model, long seed) {
    this.model = model;
    this.seed = seed;
  }

  /**
   * Continues sequences, each until it is done.
   *
   * @param beginnings tokens with their prefix
   * @param firstAllowed which tokens may come first; their probabilities are divided by their sum
   * @param done whether a continuation, given without its beginning, is complete
   * @return beginnings and continuations
   */
  int[][] continueAll(List<int[]> beginnings, IntPredicate firstAllowed, Predicate<int[]> done) {
    int[][] drawn = new int[beginnings.size()][];
    Integer[] order =
        IntStream.range(0, drawn.length)
            .boxed()
            .sorted(Comparator.comparing(n -> beginnings.get(n).length))
            .toArray(Integer[]::new);
    Parallel.forEach(
        (drawn.length + BATCH - 1) / BATCH,
        batch -> {
          Integer[] members =
              Arrays.copyOfRange(order, batch * BATCH, Math.min(drawn.length, (batch + 1) * BATCH));
          continueBatch(members, beginnings, firstAllowed, done, drawn);
        });
    return drawn;
  }

  private void continueBatch(
      Integer[] members,
      List<int[]> beginnings,
      IntPredicate firstAllowed,
      Predicate<int[]> done,
      int[][] drawn) {
    SplittableRandom[] random = new SplittableRandom[members.length];
    for (int m = 0; m < members.length; m++) {
      random[m] = new SplittableRandom(seed ^ (members[m] * 0x9E3779B97F4A7C15L));
      drawn[members[m]] = beginnings.get(members[m]);
    }
    double[] logProbs = new double[model.vocabulary()];
    double[] probs = new double[model.vocabulary()];
    float[] row = new float[model.vocabulary()];
    int[] open = IntStream.range(0, members.length).toArray();
    while (open.length > 0) {
      int[] running = open;
      int[][] sequences = new int[running.length][];
      for (int b = 0; b < running.length; b++) {
        sequences[b] = drawn[members[running[b]]];
      }
      model.forward(
          sequences,
          (b, block) -> {
            int m = running[b];
            int length = sequences[b].length;
            block.read(length - 1, 0, row.length, row);
            ZooModel.softmax(row, 0, logProbs, probs);
            boolean first = length == beginnings.get(members[m]).length;
            int[] longer = Arrays.copyOf(sequences[b], length + 1);
            longer[length] = draw(probs, first ? firstAllowed : token -> true, random[m]);
            drawn[members[m]] = longer;
          });
      open =
          Arrays.stream(running)
              .filter(
                  m -> {
                    int from = beginnings.get(members[m]).length;
                    int[] all = drawn[members[m]];
                    return !done.test(Arrays.copyOfRange(all, from, all.length));
                  })
              .toArray();
    }
  }

  private static int draw(double[] probs, IntPredicate allowed, SplittableRandom random) {
    double total = 0;
    for (int v = 0; v < probs.length; v++) {
      total += allowed.test(v) ? probs[v] : 0;
    }
    double left = random.nextDouble() * total;
    int last = -1;
    for (int v = 0; v < probs.length; v++) {
      if (allowed.test(v)) {
        left -= probs[v];
        last = v;
        if (left < 0) {
          return v;
        }
      }
    }
    return last;
  }
}
