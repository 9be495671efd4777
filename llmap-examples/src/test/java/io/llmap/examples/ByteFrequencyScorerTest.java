package io.llmap.examples;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.LogLikelihoodScorerContract;
import java.util.stream.IntStream;

class ByteFrequencyScorerTest extends LogLikelihoodScorerContract {
  @Override
  protected LogLikelihoodScorer open(ScorerOptions options) {
    ModelSource source = new ModelSource("falling", "memory", "p(b) falls with b", "bytes 1.0");
    // Σ (b + 1) over all bytes is 256 · 257 / 2.
    double[] logProbs =
        IntStream.range(0, 256).mapToDouble(b -> Math.log((256 - b) / (128.0 * 257))).toArray();
    return new ByteFrequencyScorer(source, logProbs);
  }

  @Override
  protected boolean givesTokenLogProbs() {
    return false;
  }

  @Override
  protected boolean endsFromOutside() {
    return false;
  }

  @Override
  protected boolean refusesAfterClose() {
    return false;
  }
}
