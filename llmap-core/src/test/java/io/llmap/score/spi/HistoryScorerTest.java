package io.llmap.score.spi;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.BigramLm;
import io.llmap.testing.HistoryLm;
import io.llmap.testing.LogLikelihoodScorerContract;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** A model of which every token counts that it sees, by way of logits and without. */
@ParameterizedClass(name = "log-probabilities ready: {0}")
@ValueSource(booleans = {false, true})
class HistoryScorerTest extends LogLikelihoodScorerContract {
  @Parameter boolean readyLogProbs;

  @Override
  protected LogLikelihoodScorer open(ScorerOptions options) {
    HistoryLm model = new HistoryLm(Integer.MAX_VALUE, 48).withRowsPerBlock(7);
    return new BatchingScorer(
        new ModelSource("history", "in memory", "f00d", "test"),
        new BigramLm.Letters(OptionalInt.empty(), OptionalInt.of(BigramLm.EOS)),
        readyLogProbs ? model.withReadyLogProbs() : model,
        options);
  }

  @Override
  protected OptionalInt contextLength() {
    return OptionalInt.of(48);
  }

  @Override
  protected Optional<String> alphabet() {
    return Optional.of("abcdefghijklmnopqrstuvwxyz");
  }

  @Override
  protected boolean givesSketches() {
    return !readyLogProbs;
  }
}
