package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.distance.DistanceMatrix;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpectralLayoutTest {
  /** Families of equal size, each pair of them equally far apart. */
  private static DistanceMatrix families(int count, int size, double apart) {
    double[][] points = Golden.normal(count * size, count + 3, 7);
    for (int i = 0; i < points.length; i++) {
      points[i][i / size] += apart;
    }
    return Golden.between(points);
  }

  @ParameterizedTest
  @CsvSource({"2,3", "2,12", "3,12", "4,3", "4,12", "7,12", "12,3", "12,12"})
  void partsThatNoEdgeJoinsArePutApart(int count, int size) {
    DistanceMatrix distances = families(count, size, 1e6);
    FuzzySet graph = FuzzySet.of(NeighborGraph.of(distances, size - 1));
    assertThat(Arrays.stream(graph.components()).distinct()).hasSize(count);

    double[][] points = SpectralLayout.of(graph, distances, new Random(1));

    double[][] mean = new double[count][count];
    for (int i = 0; i < points.length; i++) {
      for (int j = 0; j < points.length; j++) {
        mean[i / size][j / size] +=
            Math.hypot(points[i][0] - points[j][0], points[i][1] - points[j][1]) / (size * size);
      }
    }
    for (int c = 0; c < count; c++) {
      for (int other = 0; other < count; other++) {
        if (other != c) {
          assertThat(mean[c][other]).isGreaterThan(mean[c][c]);
        }
      }
    }
  }
}
