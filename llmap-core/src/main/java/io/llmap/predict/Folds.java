package io.llmap.predict;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Puts models into folds 0 to count − 1; each way gives the fold of each model. */
final class Folds {
  private Folds() {}

  /** Neighbours together; the first folds are one larger where the division leaves a rest. */
  static int[] contiguous(int models, int count) {
    if (models < count) {
      throw new IllegalArgumentException(models + " models cannot fill " + count + " folds");
    }
    int[] folds = new int[models];
    int larger = models % count;
    int size = models / count;
    for (int i = 0; i < models; i++) {
      int afterLarger = i - larger * (size + 1);
      folds[i] = afterLarger < 0 ? i / (size + 1) : larger + afterLarger / size;
    }
    return folds;
  }

  /** {@link Collections#shuffle} with {@link Random}, both of which are specified to the bit. */
  static int[] shuffled(int models, int count, long seed) {
    int[] places = contiguous(models, count);
    List<Integer> order = new ArrayList<>(IntStream.range(0, models).boxed().toList());
    Collections.shuffle(order, new Random(seed));
    int[] folds = new int[models];
    for (int p = 0; p < models; p++) {
      folds[order.get(p)] = places[p];
    }
    return folds;
  }

  /** The largest group goes into the smallest fold, and so on: scikit-learn's GroupKFold. */
  static int[] balanced(List<String> groups, int count) {
    List<String> names = different(groups, count);
    int[] ofModel = groups.stream().mapToInt(g -> Collections.binarySearch(names, g)).toArray();
    int[] sizes = new int[names.size()];
    Arrays.stream(ofModel).forEach(g -> sizes[g]++);
    int[] largestFirst =
        IntStream.range(0, sizes.length)
            .boxed()
            .sorted(
                Comparator.<Integer>comparingInt(g -> sizes[g]).thenComparing(g -> g).reversed())
            .mapToInt(Integer::intValue)
            .toArray();
    int[] filled = new int[count];
    int[] ofGroup = new int[sizes.length];
    for (int g : largestFirst) {
      for (int f = 1; f < count; f++) {
        ofGroup[g] = filled[f] < filled[ofGroup[g]] ? f : ofGroup[g];
      }
      filled[ofGroup[g]] += sizes[g];
    }
    return Arrays.stream(ofModel).map(g -> ofGroup[g]).toArray();
  }

  /** As many groups in each fold, whichever; GroupKFold with shuffle. */
  static int[] shuffledGroups(List<String> groups, int count, long seed) {
    List<String> names = different(groups, count);
    int[] ofGroup = shuffled(names.size(), count, seed);
    return groups.stream().mapToInt(g -> ofGroup[Collections.binarySearch(names, g)]).toArray();
  }

  private static List<String> different(List<String> groups, int count) {
    List<String> names = groups.stream().distinct().sorted().toList();
    if (names.size() < count) {
      throw new IllegalArgumentException(
          "%d groups cannot fill %d folds: %s".formatted(names.size(), count, names));
    }
    return names;
  }

  /** Of the given rows, those that are in a fold, or those that are not. */
  static int[] select(int[] rows, int[] folds, int fold, boolean inside) {
    return IntStream.range(0, rows.length)
        .filter(p -> (folds[p] == fold) == inside)
        .map(p -> rows[p])
        .toArray();
  }
}
