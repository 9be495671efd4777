package io.llmap;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlUnit;
import io.llmap.distance.Neighbours;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    LogLikelihoodMatrix matrix = GoldenFiles.logLikelihoods();

    // example
    ModelMap map = ModelMap.of(matrix);
    DistanceMatrix kl = map.distances().in(KlUnit.BITS_PER_BYTE);
    Neighbours.Neighbour nearest = Neighbours.of(kl, 0, 1).get(0);
    System.out.println(kl.names().get(0) + " is nearest to " + nearest.name());
    System.out.println("at " + nearest.distance() + " " + KlUnit.BITS_PER_BYTE);
    // end

    assertThat(nearest.name()).startsWith("family0");
    PackageExample.assertDocumented(getClass());
  }
}
