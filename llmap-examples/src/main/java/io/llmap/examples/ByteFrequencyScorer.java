package io.llmap.examples;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.text.Text;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The custom scorer of the README: independent bytes, as frequent as in a sample. */
// README
public final class ByteFrequencyScorer implements LogLikelihoodScorer {
  private final ModelSource source;
  private final double[] logProbs = new double[256];

  public ByteFrequencyScorer(String name, String sample) {
    byte[] bytes = sample.getBytes(StandardCharsets.UTF_8);
    source = new ModelSource(name, "memory", "bytes-" + sample.hashCode(), "byte frequencies 1.0");
    for (int b = 0; b < 256; b++) {
      int count = 1; // no byte is impossible: a log-likelihood must be finite
      for (byte seen : bytes) {
        count += (seen & 0xff) == b ? 1 : 0;
      }
      logProbs[b] = Math.log((double) count / (bytes.length + 256));
    }
  }

  @Override
  public ModelSource source() {
    return source;
  }

  @Override
  public void score(List<Text> texts, ScoringListener listener) {
    for (int n = 0; n < texts.size(); n++) {
      byte[] bytes = texts.get(n).content().getBytes(StandardCharsets.UTF_8);
      double logLikelihood = 0;
      for (byte b : bytes) {
        logLikelihood += logProbs[b & 0xff];
      }
      listener.scored(n, TextScore.of(logLikelihood, bytes.length, bytes.length));
    }
  }
}
// end
