package io.llmap.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.testing.GoldenFiles;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    LogLikelihoodMatrix matrix = GoldenFiles.logLikelihoods();
    double[] logLikelihoods = matrix.row(7);

    // example
    Clipping clipping = Clipping.atQuantile(matrix, Clipping.DEFAULT_QUANTILE);
    CenteredMatrix q = CenteredMatrix.of(matrix, clipping);
    System.out.println("clipped at " + clipping.threshold() + " nats per text");
    double[] newcomer = q.project(logLikelihoods);
    System.out.println("first coordinate: " + newcomer[0]);
    // end

    assertThat(newcomer).isEqualTo(q.row(7));
    PackageExample.assertDocumented(getClass());
  }
}
