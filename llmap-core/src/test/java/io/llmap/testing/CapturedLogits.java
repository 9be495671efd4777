package io.llmap.testing;

import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;

/** Copies what a forward pass gives: sequence to [rows][vocabulary]. */
public final class CapturedLogits implements LogitsSink {
  public final SortedMap<Integer, float[][]> sequences = new TreeMap<>();
  private final SortedMap<Integer, Integer> expected = new TreeMap<>();

  @Override
  public void logits(int sequence, int firstTarget, LogitsBlock logits) {
    float[][] before = sequences.getOrDefault(sequence, new float[0][]);
    float[][] rows = Arrays.copyOf(before, before.length + logits.rows());
    for (int r = 0; r < logits.rows(); r++) {
      rows[before.length + r] = new float[logits.vocabulary()];
      logits.read(r, 0, logits.vocabulary(), rows[before.length + r]);
    }
    sequences.put(sequence, rows);
    int next = expected.getOrDefault(sequence, firstTarget);
    if (firstTarget != next) {
      throw new AssertionError(
          "sequence %d: %d instead of %d".formatted(sequence, firstTarget, next));
    }
    expected.put(sequence, next + logits.rows());
  }

  @Override
  public void tokenLogProbs(int sequence, int firstTarget, double[] logProbs) {
    throw new AssertionError("a model that gives logits was expected");
  }

  public double logProb(int sequence, int row, int token) {
    double sum = 0;
    float[] logits = sequences.get(sequence)[row];
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return logits[token] - Math.log(sum);
  }
}
