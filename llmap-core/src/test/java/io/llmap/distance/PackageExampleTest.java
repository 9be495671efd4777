package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    CenteredMatrix coordinates = CenteredMatrix.of(GoldenFiles.logLikelihoods(), Clipping.NONE);

    // example
    KlDistances kl = KlDistances.of(coordinates);
    DistanceMatrix bitsPerByte = kl.in(KlUnit.BITS_PER_BYTE);
    for (Neighbours.Neighbour near : Neighbours.of(bitsPerByte, 0, 5)) {
      System.out.println(near.name() + " " + near.distance() + " (" + kl.estimator() + ")");
    }
    // end

    assertThat(Neighbours.of(bitsPerByte, 0, 5))
        .allMatch(near -> near.name().startsWith("family0"));
    PackageExample.assertDocumented(getClass());
  }
}
