package io.llmap.score.spi;

import io.llmap.testing.LogLikelihoodScorerContract;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ContractExampleTest {
  @Test
  void theExampleOfTheContractIsATestThatRuns() throws IOException {
    String source = LogLikelihoodScorerContract.class.getName().replace('.', '/') + ".java";
    PackageExample.assertDocumented(
        Path.of("src/test/java").resolve(source), LetterScorerTest.class);
  }
}
