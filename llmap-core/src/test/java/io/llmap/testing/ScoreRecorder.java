package io.llmap.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.text.Text;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

/**
 * Takes down what a scorer delivers, and how it does it. Nothing is thrown in a call, in case the
 * scorer keeps exceptions to itself.
 */
final class ScoreRecorder implements ScoringListener {
  private final List<Text> texts;
  private final Map<Integer, TextScore> scores = new TreeMap<>();
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean inside = new AtomicBoolean();
  private IntPredicate wanted = index -> true;
  private BooleanSupplier cancelled = () -> false;
  private Runnable afterEach = () -> {};

  ScoreRecorder(List<Text> texts) {
    this.texts = texts;
  }

  ScoreRecorder wanting(IntPredicate indices) {
    wanted = indices;
    return this;
  }

  /** Ends the run when there are so many scores. */
  ScoreRecorder cancellingAt(int count) {
    cancelled = () -> scores.size() >= count;
    return this;
  }

  /** Does this whenever a score came. */
  ScoreRecorder afterEach(Runnable action) {
    afterEach = action;
    return this;
  }

  int count() {
    return scores.size();
  }

  @Override
  public boolean wants(int index) {
    return alone("wants", () -> wanted.test(index));
  }

  @Override
  public boolean cancelled() {
    return alone("cancelled", cancelled::getAsBoolean);
  }

  @Override
  public void scored(int index, TextScore score) {
    alone(
        "scored",
        () -> {
          if (index < 0 || index >= texts.size()) {
            violations.add("the index %d of %d texts was scored".formatted(index, texts.size()));
          } else if (scores.put(index, score) != null) {
            violations.add(
                "text \"%s\" (index %d) was scored twice".formatted(texts.get(index).id(), index));
          }
          return Optional.empty();
        });
    afterEach.run();
  }

  private <T> T alone(String method, Supplier<T> call) {
    boolean first = inside.compareAndSet(false, true);
    if (!first) {
      violations.add(method + " was called while another thread was in the listener");
    }
    try {
      return call.get();
    } finally {
      if (first) {
        inside.set(false);
      }
    }
  }

  /** The scores by index, of a run in which every call was as the interface says. */
  Map<Integer, TextScore> scores() {
    assertThat(violations).as("how the listener was called").isEmpty();
    return scores;
  }
}
