package io.llmap.onnx;

import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import java.util.SortedMap;
import java.util.TreeMap;

/** Copies what a forward pass gives: sequence to [rows][vocabulary]. */
final class CapturedLogits implements LogitsSink {
  final SortedMap<Integer, float[][]> sequences = new TreeMap<>();

  @Override
  public void logits(int sequence, int firstTarget, LogitsBlock logits) {
    float[][] rows = new float[logits.rows()][logits.vocabulary()];
    for (int r = 0; r < rows.length; r++) {
      for (int v = 0; v < rows[r].length; v++) {
        rows[r][v] = logits.logit(r, v);
      }
    }
    if (sequences.put(sequence, rows) != null) {
      throw new AssertionError("sequence " + sequence + " came twice");
    }
  }

  @Override
  public void tokenLogProbs(int sequence, int firstTarget, double[] logProbs) {
    throw new AssertionError("ONNX graphs give logits");
  }

  double logProb(int sequence, int row, int token) {
    double sum = 0;
    float[] logits = sequences.get(sequence)[row];
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return logits[token] - Math.log(sum);
  }
}
