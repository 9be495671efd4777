package io.llmap.predict;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class FoldsTest {
  @Test
  void theFirstFoldsOfNeighboursAreOneLarger() {
    assertThat(Folds.contiguous(8, 3)).containsExactly(0, 0, 0, 1, 1, 1, 2, 2);
    assertThat(Folds.contiguous(6, 3)).containsExactly(0, 0, 1, 1, 2, 2);
    assertThat(Folds.contiguous(3, 3)).containsExactly(0, 1, 2);
  }

  /** Sizes 4, 3, 2, 2: the last of two equal groups first, as scikit-learn has it. */
  @Test
  void largeGroupsAreSpreadFirst() {
    List<String> groups = List.of("d", "a", "b", "b", "c", "a", "d", "c", "d", "d", "b");

    assertThat(Folds.balanced(groups, 2)).containsExactly(0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1);
  }

  @Property(tries = 100)
  void shufflingKeepsTheSizesOfFolds(
      @ForAll @IntRange(min = 2, max = 6) int count,
      @ForAll @IntRange(min = 6, max = 50) int models,
      @ForAll long seed) {
    int[] sorted = Folds.shuffled(models, count, seed);
    Arrays.sort(sorted);

    assertThat(sorted).containsExactly(Folds.contiguous(models, count));
  }

  @Property(tries = 100)
  void aGroupIsNeverDivided(
      @ForAll @IntRange(min = 2, max = 4) int count,
      @ForAll @IntRange(min = 20, max = 50) int models,
      @ForAll long seed) {
    Random random = new Random(seed);
    List<String> groups = new ArrayList<>(List.of("0", "1", "2", "3"));
    IntStream.range(4, models).forEach(i -> groups.add("" + random.nextInt(9)));
    for (int[] folds :
        List.of(Folds.balanced(groups, count), Folds.shuffledGroups(groups, count, seed))) {
      Set<String> pairs = new HashSet<>();
      IntStream.range(0, models).forEach(i -> pairs.add(groups.get(i) + " " + folds[i]));
      assertThat(pairs).hasSameSizeAs(new HashSet<>(groups));
      assertThat(Arrays.stream(folds).distinct()).hasSize(count);
    }
  }

  @Test
  void seedsGiveDifferentFolds() {
    assertThat(Folds.shuffled(50, 5, 1)).isEqualTo(Folds.shuffled(50, 5, 1));
    assertThat(Folds.shuffled(50, 5, 1)).isNotEqualTo(Folds.shuffled(50, 5, 2));
  }
}
