package io.llmap.internal;

import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Independent pieces of work on several threads.
 *
 * <p>They run in the {@link java.util.concurrent.ForkJoinPool} that the caller is in, else in the
 * common pool: its size is set by {@code -Djava.util.concurrent.ForkJoinPool.common.parallelism},
 * or by submitting the call to a pool of one's own. Which thread does which piece is left open, so
 * a result keeps its bits only if the pieces do not depend on the number of threads and each writes
 * to places of its own.
 */
public final class Parallel {
  private Parallel() {}

  /**
   * Runs all pieces and waits for them.
   *
   * <p>An exception does not keep other pieces from being done. The one of the lowest piece that
   * failed is thrown as it is: which thread was first does not show, and no pool wraps it.
   *
   * @param pieces how many, numbered from 0
   * @param work gets a piece's number
   */
  public static void forEach(int pieces, IntConsumer work) {
    if (pieces == 1) {
      work.accept(0);
      return;
    }
    ConcurrentSkipListMap<Integer, RuntimeException> failures = new ConcurrentSkipListMap<>();
    IntStream.range(0, pieces)
        .parallel()
        .forEach(
            piece -> {
              try {
                work.accept(piece);
              } catch (RuntimeException e) {
                failures.put(piece, e);
              }
            });
    if (!failures.isEmpty()) {
      throw failures.firstEntry().getValue();
    }
  }
}
