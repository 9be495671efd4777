package io.llmap.cluster;

import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    KlDistances kl = KlDistances.of(CenteredMatrix.of(GoldenFiles.logLikelihoods(), Clipping.NONE));

    // example
    Dendrogram tree =
        new HierarchicalClustering(Linkage.AVERAGE).cluster(kl.in(KlUnit.BITS_PER_BYTE));
    int[] clusters = tree.cut(6);
    for (int i : tree.leafOrder()) {
      System.out.println(tree.names().get(i) + " is in cluster " + clusters[i]);
    }
    System.out.println(tree.newick());
    // end

    PackageExample.assertDocumented(getClass());
  }
}
