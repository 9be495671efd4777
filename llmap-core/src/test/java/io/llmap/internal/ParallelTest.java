package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParallelTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 1000})
  void everyPieceIsDoneOnce(int pieces) {
    int[] done = new int[pieces];
    Parallel.forEach(pieces, piece -> done[piece]++);
    assertThat(Arrays.stream(done)).allMatch(count -> count == 1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void theExceptionOfTheLowestPieceIsThrownAsItIs(int threads) {
    IllegalArgumentException lowest = new IllegalArgumentException("piece 300");
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      assertThatThrownBy(
              () ->
                  pool.invoke(
                      ForkJoinTask.adapt(
                          () -> Parallel.forEach(1000, piece -> fail(piece, lowest)))))
          .satisfies(
              e -> assertThat(e == lowest || e.getCause() == lowest).as(e.toString()).isTrue());
    } finally {
      pool.shutdown();
    }
  }

  private static void fail(int piece, IllegalArgumentException lowest) {
    if (piece == 300) {
      throw lowest;
    }
    if (piece > 300) {
      throw new IllegalStateException("piece " + piece);
    }
  }

  @Test
  void inTheCallersThreadNothingWrapsTheException() {
    IllegalArgumentException lowest = new IllegalArgumentException("piece 300");
    assertThatThrownBy(() -> Parallel.forEach(1000, piece -> fail(piece, lowest))).isSameAs(lowest);
  }
}
