package io.llmap.score;

import java.util.ArrayList;
import java.util.List;

/** Stores what a scorer delivers and tells another listener of it once it is on the disk. */
final class DurableListener implements ScoringListener {
  private final ScoreLog log;
  private final ScoringListener progress;
  private final List<Delivered> waiting = new ArrayList<>();
  private boolean cancelled;

  private record Delivered(int index, TextScore score) {}

  DurableListener(ScoreLog log, ScoringListener progress) {
    this.log = log;
    this.progress = progress;
  }

  @Override
  public boolean wants(int index) {
    return !log.has(index) && progress.wants(index);
  }

  @Override
  public void scored(int index, TextScore score) {
    // A scorer may deliver the rest of a batch of which one text was wanted.
    if (!log.has(index)) {
      log.append(index, score);
      waiting.add(new Delivered(index, score));
      reportDurable();
    }
  }

  @Override
  public boolean cancelled() {
    // Asked between batches: a slow model's rows need not wait for its next batch.
    log.commitIfDue();
    reportDurable();
    cancelled |= progress.cancelled();
    return cancelled;
  }

  boolean wasCancelled() {
    return cancelled;
  }

  void flush() {
    log.commit();
    reportDurable();
  }

  private void reportDurable() {
    if (log.pending() == 0) {
      List<Delivered> durable = List.copyOf(waiting);
      waiting.clear();
      durable.forEach(row -> progress.scored(row.index(), row.score()));
    }
  }
}
