package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.Neighbours;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class NeighborGraphTest {
  @Test
  void areThoseOfAFullSortWithTiesInTheOrderOfTheMatrix() {
    double[][] points = Golden.normal(150, 3, 1);
    // Rounded, so that many distances are equal; 150 models are more than two pieces.
    Arrays.stream(points).forEach(p -> Arrays.setAll(p, d -> Math.rint(p[d])));
    DistanceMatrix distances = Golden.between(points);

    NeighborGraph graph = NeighborGraph.of(distances, 9);

    for (int i = 0; i < 150; i++) {
      var expected = Neighbours.of(distances, i, 9);
      for (int r = 0; r < 9; r++) {
        assertThat(graph.model(i, r)).isEqualTo(expected.get(r).index());
        assertThat(graph.distance(i, r)).isEqualTo(expected.get(r).distance());
      }
    }
  }

  @Test
  void aModelHasAllOthersWhenAsMany() {
    NeighborGraph graph = NeighborGraph.of(Golden.between(new double[][] {{0}, {5}, {6}}), 2);

    assertThat(new int[] {graph.model(0, 0), graph.model(0, 1)}).containsExactly(1, 2);
    assertThat(new int[] {graph.model(2, 0), graph.model(2, 1)}).containsExactly(1, 0);
  }
}
