package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.score.ModelSource;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.BigramLm;
import io.llmap.testing.PackageExample;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    String fingerprint = "0".repeat(64);
    TextSet texts = TextSet.of(List.of(Text.of("a", "abc")));
    ScorerOptions options = ScorerOptions.defaults();
    BigramLm model = new BigramLm(1, 16);
    Tokenizer tokenizer =
        new BigramLm.Letters(OptionalInt.of(BigramLm.BOS), OptionalInt.of(BigramLm.EOS));

    // example
    ModelSource source = new ModelSource("mine", "memory", fingerprint, "my runtime 1.0");
    try (BatchingScorer scorer = new BatchingScorer(source, tokenizer, model, options)) {
      scorer.score(texts.texts(), (n, score) -> System.out.println(score.logLikelihood()));
    }
    System.out.println("kernel: " + LogProbKernels.best().name());
    // end

    assertThat(model.closed).isTrue();
    PackageExample.assertDocumented(getClass());
  }
}
