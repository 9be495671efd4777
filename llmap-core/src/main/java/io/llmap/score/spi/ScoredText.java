package io.llmap.score.spi;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.text.Text;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A text on its way through the model. Windows write their log-probabilities from any thread, each
 * to its own part; everything else is the scoring thread's.
 */
final class ScoredText {
  private final Text text;
  private final TokenSequence tokens;
  private final List<Window> windows;
  private int windowsLeft;
  private double @Nullable [] logProbs;
  private float @Nullable [] sketches;
  private long signs;

  ScoredText(Text text, TokenSequence tokens, List<Window> windows) {
    this.text = text;
    this.tokens = tokens;
    this.windows = windows;
    this.windowsLeft = windows.size();
  }

  Text text() {
    return text;
  }

  TokenSequence tokens() {
    return tokens;
  }

  List<Window> windows() {
    return windows;
  }

  /**
   * Where log-probabilities go: element i is of the token at {@code tokens().firstTarget() + i}.
   */
  double[] logProbs() {
    if (logProbs == null) {
      logProbs = new double[windows.get(windows.size() - 1).end() - tokens.firstTarget()];
      // What a backend leaves out must not count as certain.
      Arrays.fill(logProbs, Double.NaN);
    }
    return logProbs;
  }

  /** As many sketches as log-probabilities, in the same order. */
  float[] sketches() {
    if (sketches == null) {
      sketches = new float[logProbs().length];
      signs = RandomSigns.key(text);
    }
    return sketches;
  }

  /** The key of {@link #sketches}, which come first. */
  long signs() {
    return signs;
  }

  /** Takes note that a window is through. */
  boolean isLastWindow() {
    return --windowsLeft == 0;
  }

  /**
   * Adds up, and lets go of what there is a token.
   *
   * @param model its name, for errors
   * @param keepTokens whether log-probabilities go into the score
   * @param keepSketches whether sketches go with them
   * @throws ScoringException if a log-probability is not finite
   */
  TextScore total(String model, boolean keepTokens, boolean keepSketches) {
    double[] values = logProbs();
    Optional<float[]> keptSketches = keepSketches ? Optional.of(sketches()) : Optional.empty();
    logProbs = null;
    sketches = null;
    int first = tokens.firstTarget();
    double sum = 0;
    for (int t = 0; t < values.length; t++) {
      if (!Double.isFinite(values[t])) {
        throw new ScoringException(
            ("model %s gives token %d (id %d) of text \"%s\" the log-probability %s: its logits hold"
                    + " a NaN or an infinity there, or it gave none")
                .formatted(model, first + t, tokens.ids()[first + t], text.id(), values[t]));
      }
      sum += values[t];
    }
    Optional<TokenLogProbs> kept = Optional.empty();
    if (keepTokens) {
      int[] offsets = Arrays.copyOfRange(tokens.byteOffsets(), first, first + values.length);
      kept = Optional.of(new TokenLogProbs(values, offsets, keptSketches));
    }
    return new TextScore(sum, values.length, text.bytes(), isTruncated(), windows.size(), kept);
  }

  private boolean isTruncated() {
    return windows.get(0).start() > tokens.prefix()
        || windows.get(windows.size() - 1).end() < tokens.ids().length;
  }
}
