package io.llmap.djl;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.Scorers;
import io.llmap.testing.PackageExample;
import io.llmap.testing.models.TinyModel;
import io.llmap.text.Text;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    Path folder = Fixture.folder(TinyModel.GPT2);

    // example
    ModelSpec spec = ModelSpec.parse("djl:" + folder + "#gpt2");
    try (LogLikelihoodScorer scorer = Scorers.open(spec, ScorerOptions.defaults())) {
      List<Text> texts = List.of(Text.of("greeting", "Hello, world"));
      scorer.score(texts, (n, score) -> System.out.println(score.logLikelihood()));
    }
    // end

    PackageExample.assertDocumented(getClass());
  }
}
