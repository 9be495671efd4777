package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class BatchPlanTest {
  @Property(tries = 500)
  void everyIndexIsPlannedOnce(
      @ForAll @Size(max = 60) List<@IntRange(min = 1, max = 50) Integer> lengths,
      @ForAll @IntRange(min = 1, max = 300) int budget) {
    int[] planned = plan(ints(lengths), budget).stream().flatMapToInt(Arrays::stream).toArray();

    assertThat(planned).containsExactlyInAnyOrder(IntStream.range(0, lengths.size()).toArray());
  }

  @Property(tries = 500)
  void batchesComeLongestFirstAndEqualLengthsInTheirOrder(
      @ForAll @Size(max = 60) List<@IntRange(min = 1, max = 50) Integer> lengths,
      @ForAll @IntRange(min = 1, max = 300) int budget) {
    int[] planned = plan(ints(lengths), budget).stream().flatMapToInt(Arrays::stream).toArray();

    for (int p = 1; p < planned.length; p++) {
      int before = lengths.get(planned[p - 1]);
      int after = lengths.get(planned[p]);
      assertThat(before > after || (before == after && planned[p - 1] < planned[p])).isTrue();
    }
  }

  /** Within the budget, padding included, and not a sequence fewer than would fit. */
  @Property(tries = 500)
  void batchesFillTheBudgetOrHoldOneSequence(
      @ForAll @Size(max = 60) List<@IntRange(min = 1, max = 50) Integer> lengths,
      @ForAll @IntRange(min = 1, max = 300) int budget) {
    List<int[]> batches = plan(ints(lengths), budget);

    for (int[] batch : batches) {
      int longest = lengths.get(batch[0]);
      assertThat(batch.length == 1 || batch.length * longest <= budget).isTrue();
      boolean last = batch == batches.get(batches.size() - 1);
      assertThat(last || (batch.length + 1) * longest > budget).isTrue();
    }
  }

  @Test
  void aPlanIsWhatItWasBefore() {
    assertThat(plan(new int[] {3, 9, 2, 3, 12, 1}, 10))
        .containsExactly(new int[] {4}, new int[] {1}, new int[] {0, 3, 2}, new int[] {5});
    assertThat(plan(new int[] {2, 2}, Long.MAX_VALUE)).containsExactly(new int[] {0, 1});
    assertThat(plan(new int[0], 10)).isEmpty();
  }

  @Property(tries = 200)
  void sequencesOfOneLengthAndGroupComeTogetherInTheirOrder(
      @ForAll @Size(max = 60) List<@IntRange(min = 1, max = 6) Integer> lengths,
      @ForAll @IntRange(min = 1, max = 9) int groupCount,
      @ForAll Random random) {
    int[] groups = random.ints(lengths.size(), 0, groupCount).toArray();
    int[] planned =
        BatchPlan.of(ints(lengths), groups, 20).stream().flatMapToInt(Arrays::stream).toArray();

    assertThat(Arrays.stream(planned).boxed().toList())
        .containsExactlyInAnyOrderElementsOf(IntStream.range(0, lengths.size()).boxed().toList())
        .isSortedAccordingTo(
            (a, b) ->
                !lengths.get(a).equals(lengths.get(b))
                    ? lengths.get(b) - lengths.get(a)
                    : groups[a] != groups[b] ? groups[a] - groups[b] : a - b);
  }

  @Property(tries = 500)
  void aLengthIsRoundedUpByAtMostAThirtySecondAndNotOverTheContext(
      @ForAll @IntRange(min = 1, max = 1_000_000) int length,
      @ForAll @IntRange(min = 0, max = 100) int room) {
    int padded = BatchPlan.paddedLength(length, length + room);

    assertThat(padded).isBetween(length, Math.min(length + room, length + length / 32));
    assertThat(BatchPlan.paddedLength(padded, length + room)).isEqualTo(padded);
  }

  @Test
  void thereAreThirtyTwoLengthsBetweenPowersOfTwo() {
    assertThat(
            IntStream.range(256, 512)
                .map(length -> BatchPlan.paddedLength(length, Integer.MAX_VALUE))
                .distinct())
        .hasSize(33);
    assertThat(BatchPlan.paddedLength(Integer.MAX_VALUE, Integer.MAX_VALUE))
        .isEqualTo(Integer.MAX_VALUE);
  }

  private static List<int[]> plan(int[] lengths, long budget) {
    return BatchPlan.of(lengths, new int[lengths.length], budget);
  }

  private static int[] ints(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }
}
