package io.llmap.score.spi;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.BigramLm;
import io.llmap.testing.LogLikelihoodScorerContract;
import java.util.Optional;
import java.util.OptionalInt;

// example
class LetterScorerTest extends LogLikelihoodScorerContract {
  @Override
  protected LogLikelihoodScorer open(ScorerOptions options) {
    ModelSource source = new ModelSource("letters", "in memory", "seed 7", "bigrams 1.0");
    Tokenizer letters = new BigramLm.Letters(OptionalInt.of(BigramLm.BOS), OptionalInt.empty());
    return new BatchingScorer(source, letters, new BigramLm(7, 64), options);
  }

  @Override
  protected OptionalInt contextLength() {
    return OptionalInt.of(64);
  }

  @Override
  protected Optional<String> alphabet() {
    return Optional.of("abcdefghijklmnopqrstuvwxyz");
  }
}
// end
