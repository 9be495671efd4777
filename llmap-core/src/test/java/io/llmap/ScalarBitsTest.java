package io.llmap;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.cluster.HierarchicalClustering;
import io.llmap.cluster.Linkage;
import io.llmap.distance.Bootstrap;
import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.GramKernel;
import io.llmap.distance.GramKernels;
import io.llmap.distance.KlDistances;
import io.llmap.distance.TextSampling;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.GoldenFiles;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * The bits of the scalar kernel, pinned, since no test can run two Java versions: the suite runs on
 * each, and all must give these.
 */
class ScalarBitsTest {
  private static final GramKernel SCALAR =
      GramKernels.providers().stream()
          .filter(provider -> provider.name().equals("scalar"))
          .findFirst()
          .orElseThrow()
          .newKernel();

  private final LogLikelihoodMatrix matrix = GoldenFiles.logLikelihoods();
  private final CenteredMatrix coordinates =
      CenteredMatrix.of(matrix, Clipping.atQuantile(matrix, Clipping.DEFAULT_QUANTILE));
  private final KlDistances kl = KlDistances.of(coordinates, SCALAR);

  @Test
  void distancesAndWhatFollowsFromThemByArithmeticAlone() {
    assertThat(hash(kl.squaredEuclidean())).isEqualTo(-581071425);
    assertThat(hash(Bootstrap.of(coordinates, SCALAR, 3, 1).replicate(2).squaredEuclidean()))
        .isEqualTo(-219093959);
    assertThat(
            hash(
                TextSampling.kl(matrix, coordinates.clipping())
                    .draw(100, 1)
                    .distances(matrix, SCALAR)
                    .squaredEuclidean()))
        .isEqualTo(-700733741);
    assertThat(
            hash(
                new HierarchicalClustering(Linkage.AVERAGE)
                    .cluster(kl.squaredEuclidean())
                    .copheneticDistances()))
        .isEqualTo(1003285435);
  }

  private static int hash(DistanceMatrix distances) {
    return Arrays.deepHashCode(distances.toArray());
  }
}
