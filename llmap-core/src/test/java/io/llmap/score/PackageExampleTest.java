package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.PackageExample;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackageExampleTest {
  @TempDir Path folder;

  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    FakeScorer scorer = new FakeScorer("m");
    TextSet texts = FakeScorer.texts(3);

    // example
    ScoreStore store = ScoreStore.at(folder);
    ScorerOptions options = ScorerOptions.defaults();
    store.score(scorer, texts, options, (index, score) -> {});
    LogLikelihoodMatrix matrix = store.matrix(texts);
    System.out.println(matrix.names() + ": " + matrix.bitsPerByte(0) + " bits per byte");
    // end

    assertThat(matrix.get(0, 2)).isEqualTo(scorer.scoreOf(2, texts.get(2)).logLikelihood());
    PackageExample.assertDocumented(getClass());
  }
}
