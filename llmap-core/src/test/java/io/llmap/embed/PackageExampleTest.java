package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    List<String> names = Golden.names(60);
    double[][] kl = GoldenFiles.matrix("d2.npy");

    // example
    DistanceMatrix distances = DistanceMatrix.of(names, kl).map(Math::sqrt);
    Embedding map = Tsne.defaults().withPerplexity(10).embed(distances);
    Embedding plane = new ClassicalMds(2).embed(distances);
    System.out.println(map.method() + " | " + plane.method());
    System.out.println(map.names().get(0) + " is at " + map.get(0, 0) + ", " + map.get(0, 1));
    // end

    PackageExample.assertDocumented(getClass());
  }
}
