package io.llmap.examples;

import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Says how far a run is: a bar with the time left on a terminal, a plain line now and then
 * elsewhere.
 */
final class Progress implements AutoCloseable {
  private static final Duration BETWEEN_LINES = Duration.ofSeconds(5);

  private final PrintWriter err;
  private final long total;
  private final @Nullable ProgressBar bar;
  private long started;
  private long lastLine;
  private long done;
  private long skipped;

  /**
   * Starts.
   *
   * @param total how many steps there are
   * @param err where plain lines go
   */
  @SuppressWarnings(
      "SystemConsoleNull") // Llmap.main asks for the console that is null without a terminal
  Progress(long total, PrintWriter err) {
    this.err = err;
    this.total = total;
    this.started = System.nanoTime();
    this.lastLine = started;
    this.bar =
        System.console() == null
            ? null
            : new ProgressBarBuilder()
                .setTaskName("scoring")
                .setUnit(" texts", 1)
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.ASCII)
                .build();
  }

  /**
   * Counts steps that an earlier run had done; they say nothing about the speed of this one.
   *
   * @param steps how many
   */
  void skip(long steps) {
    done += steps;
    skipped += steps;
    if (bar != null) {
      bar.stepBy(steps);
    }
  }

  /** Counts one step. */
  void step() {
    done++;
    if (bar != null) {
      bar.step();
      return;
    }
    long now = System.nanoTime();
    if (now - lastLine >= BETWEEN_LINES.toNanos()) {
      lastLine = now;
      double perStep = (double) (now - started) / (done - skipped);
      err.printf(
          "scored %d of %d texts (%d %%), about %d s left%n",
          done, total, 100 * done / total, Math.round(perStep * (total - done) / 1e9));
      err.flush();
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
