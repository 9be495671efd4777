package io.llmap.score.spi;

import io.llmap.LlmapException.BackendUnavailableException;
import java.util.Arrays;

/**
 * Two short sequences that a backend runs before it trusts a model: [a, b, b, ...] and [a, c, c,
 * ...] must give the same logits at position 0, and logits at every position.
 *
 * <p>A masked language model and one that gives the last position only have the same inputs and
 * outputs as a causal model, and would give numbers that look like log-likelihoods. Padding needs
 * no check of its own: to the model it is more tokens after the ones that count.
 */
public final class CausalityProbe {
  /**
   * How far, relative to their spread, the logits of a position may move when later tokens change.
   * Masked language models move them by several tenths. Causal ones do not move them, 16-bit
   * arithmetic and quantization included: the sequences run in one batch, so that even a scale that
   * depends on the whole batch is the same for all.
   */
  private static final double LIMIT = 0.01;

  private static final int SEQUENCES = 2;

  /** Long enough for a token to see much of what it must not see. */
  private static final int LONGEST = 8;

  private CausalityProbe() {}

  /**
   * The batch to run.
   *
   * @param vocabularySize the ids are below it, at least 3
   * @param contextLength the longest sequence that the model takes, at least 2
   * @return two sequences of at most eight tokens, without padding
   */
  public static TokenBatch batch(int vocabularySize, int contextLength) {
    int length = Math.min(LONGEST, contextLength);
    int last = vocabularySize - 1;
    int[][] sequences = new int[SEQUENCES][length];
    for (int s = 0; s < SEQUENCES; s++) {
      Arrays.fill(sequences[s], s == 0 ? last / 3 : last);
      sequences[s][0] = last / 2;
    }
    return TokenBatch.of(sequences, 0);
  }

  /**
   * Looks at what the model gave.
   *
   * @param model for errors
   * @param batch what was run, from {@link #batch}
   * @param shape the shape of the logits, which should be [batch, sequence, vocabulary]
   * @param logits the logits in row-major order, widened to float
   * @return the number of logits of a position, V
   * @throws BackendUnavailableException if there are not logits for every position, one is NaN, or
   *     the model is not causal
   */
  public static int vocabularySize(String model, TokenBatch batch, long[] shape, float[] logits) {
    int length = batch.length();
    if (shape.length != 3 || shape[0] != SEQUENCES || shape[1] != length) {
      throw new BackendUnavailableException(
          ("%s gives logits of the shape %s for %d sequences of %d tokens; export it with the logits"
                  + " of all positions, [batch, sequence, vocabulary]")
              .formatted(model, Arrays.toString(shape), SEQUENCES, length));
    }
    int vocabularySize = Math.toIntExact(shape[2]);
    for (float logit : logits) {
      if (Float.isNaN(logit)) {
        throw new BackendUnavailableException(
            model + " gives NaN logits for ordinary token ids; its weights are damaged");
      }
    }
    double change = change(logits, length * vocabularySize, vocabularySize);
    if (change > LIMIT) {
      throw new BackendUnavailableException(
          ("%s is not a causal language model: the logits of the first position move by %.2f of"
                  + " their spread when later tokens change")
              .formatted(model, change));
    }
    return vocabularySize;
  }

  /**
   * Root mean square of the first row's difference, over the first row's standard deviation. Tokens
   * that a model rules out with −∞ have neither.
   */
  private static double change(float[] logits, int otherRow, int vocabularySize) {
    int finite = 0;
    double sum = 0;
    for (int v = 0; v < vocabularySize; v++) {
      if (Float.isFinite(logits[v])) {
        finite++;
        sum += logits[v];
      }
    }
    double mean = sum / finite;
    double spread = 0;
    double moved = 0;
    for (int v = 0; v < vocabularySize; v++) {
      double other = logits[otherRow + v];
      if (Float.isFinite(logits[v])) {
        spread += (logits[v] - mean) * (logits[v] - mean);
        moved += (other - logits[v]) * (other - logits[v]);
      }
    }
    return moved == 0 ? 0 : Math.sqrt(moved / spread);
  }
}
