package io.llmap.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HierarchicalClusteringTest {

  @ParameterizedTest
  @EnumSource
  void mergesAreThoseOfScipy(Linkage linkage) {
    double[][] expected = GoldenFiles.matrix("linkage_" + lowerCase(linkage) + ".npy");

    double[][] actual = cluster(linkage, golden(linkage)).linkageMatrix();

    assertThat(actual).hasDimensions(59, 4);
    for (int n = 0; n < 59; n++) {
      assertThat(actual[n])
          .as("merge " + n)
          .containsExactly(expected[n], within(Tolerances.golden(expected[n][2])));
    }
  }

  @ParameterizedTest
  @EnumSource
  void copheneticDistancesHaveTheMeanOfScipy(Linkage linkage) {
    double expected = GoldenFiles.numbers("cophenetic_" + lowerCase(linkage))[0];

    DistanceMatrix cophenetic = cluster(linkage, golden(linkage)).copheneticDistances();

    double sum = 0;
    for (double[] row : cophenetic.toArray()) {
      sum += Arrays.stream(row).sum();
    }
    assertThat(sum / (60 * 59)).isCloseTo(expected, within(Tolerances.golden(expected)));
  }

  @ParameterizedTest
  @EnumSource
  void familiesAreFound(Linkage linkage) {
    int[] clusters = cluster(linkage, golden(linkage)).cut(6);

    // Model 3 has three texts at the clipping threshold and is far from its own.
    for (int i = 0; i < 60; i++) {
      assertThat(clusters[i]).as("model " + i).isEqualTo(i / 10);
    }
  }

  /**
   * The definition itself, in O(K⁴): each merge takes two clusters that are nearest, and stands at
   * their distance. It holds whichever of several nearest pairs is taken.
   */
  @Property(tries = 150)
  void everyMergeJoinsTwoNearestClusters(
      @ForAll Linkage linkage,
      @ForAll @IntRange(min = 1, max = 14) int k,
      @ForAll @IntRange(min = 1, max = 1000) int values,
      @ForAll long seed) {
    // On a line of few places many distances are 0 or equal.
    Random random = new Random(seed);
    double[][] points = new double[k][values < 10 ? 1 : 3];
    for (double[] point : points) {
      Arrays.setAll(point, a -> random.nextInt(values));
    }
    DistanceMatrix distances = euclidean(points);

    Dendrogram tree = cluster(linkage, distances);

    List<List<Integer>> clusters = new ArrayList<>();
    IntStream.range(0, k).forEach(i -> clusters.add(List.of(i)));
    double largest =
        Arrays.stream(distances.toArray()).flatMapToDouble(Arrays::stream).max().orElse(0);
    double before = 0;
    for (Dendrogram.Merge merge : tree.merges()) {
      double nearest = Double.POSITIVE_INFINITY;
      for (int a = 0; a < clusters.size(); a++) {
        for (int b = 0; b < a; b++) {
          if (!clusters.get(a).isEmpty() && !clusters.get(b).isEmpty()) {
            nearest = Math.min(nearest, between(linkage, clusters.get(a), clusters.get(b), points));
          }
        }
      }
      List<Integer> union = new ArrayList<>(clusters.get(merge.left()));
      union.addAll(clusters.get(merge.right()));
      double joined =
          between(linkage, clusters.get(merge.left()), clusters.get(merge.right()), points);
      assertThat(merge.height()).isCloseTo(joined, within(1e-7 * largest));
      assertThat(merge.height()).isCloseTo(nearest, within(1e-7 * largest));
      assertThat(merge.height()).isGreaterThanOrEqualTo(before);
      assertThat(merge.size()).isEqualTo(union.size());
      assertThat(merge.left()).isLessThan(merge.right());
      clusters.set(merge.left(), List.of());
      clusters.set(merge.right(), List.of());
      clusters.add(union);
      before = merge.height();
    }
    assertThat(clusters.get(clusters.size() - 1)).hasSize(k);
  }

  private static double between(
      Linkage linkage, List<Integer> a, List<Integer> b, double[][] points) {
    if (linkage == Linkage.WARD) {
      double factor = 2.0 * a.size() * b.size() / (a.size() + b.size());
      return Math.sqrt(factor) * distance(mean(a, points), mean(b, points));
    }
    double[] pairs =
        a.stream()
            .flatMap(i -> b.stream().map(j -> distance(points[i], points[j])))
            .mapToDouble(Double::doubleValue)
            .toArray();
    return switch (linkage) {
      case AVERAGE -> Arrays.stream(pairs).average().orElseThrow();
      case COMPLETE -> Arrays.stream(pairs).max().orElseThrow();
      default -> Arrays.stream(pairs).min().orElseThrow();
    };
  }

  private static double[] mean(List<Integer> cluster, double[][] points) {
    double[] mean = new double[points[0].length];
    for (int i : cluster) {
      Arrays.setAll(mean, a -> mean[a] + points[i][a] / cluster.size());
    }
    return mean;
  }

  /** Not even a metric: the chain and the heights must hold for any numbers. */
  @Property(tries = 100)
  void anyNumbersGiveAMonotoneTreeWithoutTiesIndependentOfTheOrder(
      @ForAll Linkage linkage, @ForAll @IntRange(min = 2, max = 40) int k, @ForAll long seed) {
    Random random = new Random(seed);
    double[][] values = new double[k][k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        values[i][j] = values[j][i] = Math.exp(3 * random.nextGaussian());
      }
    }
    int[] order = IntStream.range(0, k).toArray();
    for (int i = k - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int swapped = order[i];
      order[i] = order[other];
      order[other] = swapped;
    }
    double[][] shuffled = new double[k][k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < k; j++) {
        shuffled[i][j] = values[order[i]][order[j]];
      }
    }

    Dendrogram tree = cluster(linkage, matrix(values));
    DistanceMatrix cophenetic = tree.copheneticDistances();
    DistanceMatrix again = cluster(linkage, matrix(shuffled)).copheneticDistances();

    assertThat(tree.merges()).isSortedAccordingTo((a, b) -> Double.compare(a.height(), b.height()));
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        double expected = cophenetic.get(order[i], order[j]);
        assertThat(again.get(i, j)).isCloseTo(expected, within(1e-10 * expected));
      }
    }
  }

  @Property(tries = 40)
  void singleLinkageIsTheSmallestLongestStepOfAPath(
      @ForAll @IntRange(min = 1, max = 25) int k,
      @ForAll @IntRange(min = 1, max = 60) int values,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[][] steps = new double[k][k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        steps[i][j] = steps[j][i] = random.nextInt(values);
      }
    }
    DistanceMatrix distances = matrix(steps);
    for (int via = 0; via < k; via++) {
      for (int i = 0; i < k; i++) {
        for (int j = 0; j < k; j++) {
          steps[i][j] = Math.min(steps[i][j], Math.max(steps[i][via], steps[via][j]));
        }
      }
    }

    DistanceMatrix cophenetic = cluster(Linkage.SINGLE, distances).copheneticDistances();

    assertThat(cophenetic.toArray()).isDeepEqualTo(steps);
  }

  @ParameterizedTest
  @EnumSource
  void copiesOfAModelAreJoinedFirstAtHeightZero(Linkage linkage) {
    double[][] points = {{1, 7}, {4, 0}, {1, 7}, {1, 7}, {9, 9}, {4, 0}};

    Dendrogram tree = cluster(linkage, euclidean(points));

    assertThat(tree.merges()).extracting(Dendrogram.Merge::height).startsWith(0.0, 0.0, 0.0);
    assertThat(tree.cutAt(0)).containsExactly(0, 1, 0, 0, 2, 1);
    assertThat(cluster(linkage, matrix(new double[4][4])).cut(4)).containsExactly(0, 1, 2, 3);
  }

  @ParameterizedTest
  @EnumSource
  void oneAndTwoModelsHaveATree(Linkage linkage) {
    Dendrogram one = cluster(linkage, matrix(new double[1][1]));
    assertThat(one.merges()).isEmpty();
    assertThat(one.cut(1)).containsExactly(0);
    assertThat(one.leafOrder()).containsExactly(0);
    assertThat(one.copheneticDistances().size()).isOne();

    Dendrogram two = cluster(linkage, matrix(new double[][] {{0, 3}, {3, 0}}));
    assertThat(two.merges()).containsExactly(new Dendrogram.Merge(0, 1, 3, 2));
    assertThat(two.copheneticDistances().get(0, 1)).isEqualTo(3);
  }

  @Test
  void noModelIsRefused() {
    DistanceMatrix none = DistanceMatrix.wrap(List.of(), new double[0]);

    assertThatThrownBy(() -> cluster(Linkage.AVERAGE, none))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("there is no model to cluster");
  }

  @Test
  void distancesTooLargeToSquareAreRefusedByWardOnly() {
    DistanceMatrix huge = matrix(new double[][] {{0, 1e200}, {1e200, 0}});

    assertThatThrownBy(() -> cluster(Linkage.WARD, huge))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the distance of \"m1\" and \"m0\" is 1.0E200, too large for Ward linkage");
    assertThat(cluster(Linkage.AVERAGE, huge).merges().get(0).height()).isEqualTo(1e200);
  }

  @Test
  void theTreeSaysHowItWasMade() {
    DistanceMatrix distances = matrix(new double[2][2]);

    assertThat(cluster(Linkage.AVERAGE, distances).method()).isEqualTo("average linkage");
    assertThat(cluster(Linkage.WARD, distances).method()).isEqualTo("Ward linkage");
  }

  private static Dendrogram cluster(Linkage linkage, DistanceMatrix distances) {
    return new HierarchicalClustering(linkage).cluster(distances);
  }

  /** As in make_golden.py: KL in nats per text, for Ward its square root. */
  private static DistanceMatrix golden(Linkage linkage) {
    DistanceMatrix kl = matrix(GoldenFiles.matrix("d2.npy")).map(d -> d / (2 * 400));
    return linkage == Linkage.WARD ? kl.map(Math::sqrt) : kl;
  }

  private static String lowerCase(Linkage linkage) {
    return linkage.name().toLowerCase(Locale.ROOT);
  }

  private static DistanceMatrix euclidean(double[][] points) {
    double[][] values = new double[points.length][points.length];
    for (int i = 0; i < points.length; i++) {
      for (int j = 0; j < points.length; j++) {
        values[i][j] = distance(points[i], points[j]);
      }
    }
    return matrix(values);
  }

  private static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += (a[d] - b[d]) * (a[d] - b[d]);
    }
    return Math.sqrt(sum);
  }

  private static DistanceMatrix matrix(double[][] values) {
    return DistanceMatrix.of(
        IntStream.range(0, values.length).mapToObj(i -> "m" + i).toList(), values);
  }
}
