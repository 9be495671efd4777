package io.llmap.examples;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.text.Text;
import java.nio.charset.StandardCharsets;
import java.util.List;

// README
/** A model of independent bytes: logProbs[b] is the natural log of the probability of byte b. */
public record ByteFrequencyScorer(ModelSource source, double[] logProbs)
    implements LogLikelihoodScorer {

  @Override
  public void score(List<Text> texts, ScoringListener listener) {
    for (int n = 0; n < texts.size() && !listener.cancelled(); n++) {
      if (listener.wants(n)) {
        byte[] bytes = texts.get(n).content().getBytes(StandardCharsets.UTF_8);
        double logLikelihood = 0;
        for (byte b : bytes) {
          logLikelihood += logProbs[b & 0xff];
        }
        listener.scored(n, TextScore.of(logLikelihood, bytes.length, bytes.length));
      }
    }
  }
}
// end
