package io.llmap.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.distance.DistanceMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DendrogramTest {
  /** On a line at 0, 10, 1, 16 and 4: pairs at 1, 3.5 and 6, then all at 34 / 3. */
  private static final Dendrogram TREE =
      tree(line(List.of("a", "b", "c", "d", "e"), 0, 10, 1, 16, 4));

  @Test
  void mergesAreNumberedAsScipyDoes() {
    assertThat(TREE.linkageMatrix())
        .isDeepEqualTo(
            new double[][] {{0, 2, 1, 2}, {4, 5, 3.5, 3}, {1, 3, 6, 2}, {6, 7, 34 / 3.0, 5}});
  }

  @Test
  void cuttingByCountNumbersClustersByTheirFirstModel() {
    assertThat(TREE.cut(1)).containsExactly(0, 0, 0, 0, 0);
    assertThat(TREE.cut(2)).containsExactly(0, 1, 0, 1, 0);
    assertThat(TREE.cut(3)).containsExactly(0, 1, 0, 2, 0);
    assertThat(TREE.cut(4)).containsExactly(0, 1, 0, 2, 3);
    assertThat(TREE.cut(5)).containsExactly(0, 1, 2, 3, 4);
  }

  @Test
  void cuttingAtAHeightKeepsTheMergesUpToIt() {
    assertThat(TREE.cutAt(-1)).containsExactly(0, 1, 2, 3, 4);
    assertThat(TREE.cutAt(0.99)).containsExactly(0, 1, 2, 3, 4);
    assertThat(TREE.cutAt(1)).containsExactly(0, 1, 0, 2, 3);
    assertThat(TREE.cutAt(6)).containsExactly(0, 1, 0, 1, 0);
    assertThat(TREE.cutAt(Double.POSITIVE_INFINITY)).containsExactly(0, 0, 0, 0, 0);
  }

  @Test
  void impossibleCutsAreRefused() {
    assertThatThrownBy(() -> TREE.cut(0)).hasMessage("cannot cut 5 models into 0 clusters");
    assertThatThrownBy(() -> TREE.cut(6)).hasMessage("cannot cut 5 models into 6 clusters");
    assertThatThrownBy(() -> TREE.cutAt(Double.NaN)).hasMessage("cannot cut a tree at NaN");
  }

  @Test
  void leavesStandInTheOrderOfTheBranches() {
    assertThat(TREE.leafOrder()).containsExactly(4, 0, 2, 1, 3);
  }

  @Test
  void copheneticDistancesAreTheHeightsAtWhichModelsMeet() {
    DistanceMatrix cophenetic = TREE.copheneticDistances();

    assertThat(cophenetic.names()).containsExactly("a", "b", "c", "d", "e");
    assertThat(cophenetic.get(2, 0)).isEqualTo(1);
    assertThat(cophenetic.get(4, 2)).isEqualTo(3.5);
    assertThat(cophenetic.get(3, 1)).isEqualTo(6);
    assertThat(cophenetic.get(1, 0)).isEqualTo(34 / 3.0);
    assertThat(cophenetic.get(4, 3)).isEqualTo(34 / 3.0);
  }

  @Test
  void theCopheneticCorrelationIsThatOfAllPairs() {
    // numpy.corrcoef of |differences| and of the heights above, pairs in the order of the triangle.
    double[] x = {10, 1, 9, 16, 6, 15, 4, 6, 3, 12};
    double far = 34 / 3.0;
    double[] y = {far, 1, far, far, 6, far, 3.5, far, 3.5, far};
    double meanX = Arrays.stream(x).average().orElseThrow();
    double meanY = Arrays.stream(y).average().orElseThrow();
    double cov = IntStream.range(0, 10).mapToDouble(p -> (x[p] - meanX) * (y[p] - meanY)).sum();
    double varX = Arrays.stream(x).map(v -> (v - meanX) * (v - meanX)).sum();
    double varY = Arrays.stream(y).map(v -> (v - meanY) * (v - meanY)).sum();

    DistanceMatrix distances = line(List.of("a", "b", "c", "d", "e"), 0, 10, 1, 16, 4);

    assertThat(TREE.copheneticCorrelation(distances))
        .isCloseTo(cov / Math.sqrt(varX * varY), within(1e-14));
  }

  @Test
  void anUltrametricIsKeptByItsTree() {
    DistanceMatrix ultrametric = TREE.copheneticDistances();

    assertThat(tree(ultrametric).copheneticDistances().toArray())
        .isDeepEqualTo(ultrametric.toArray());
    assertThat(tree(ultrametric).copheneticCorrelation(ultrametric)).isCloseTo(1, within(1e-14));
  }

  @Test
  void equalDistancesHaveNoCorrelation() {
    DistanceMatrix pair = line(List.of("a", "b"), 0, 1);

    assertThat(tree(pair).copheneticCorrelation(pair)).isNaN();
  }

  @Test
  void theCorrelationWithOtherModelsIsRefused() {
    assertThatThrownBy(() -> TREE.copheneticCorrelation(line(List.of("a", "x"), 0, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the tree is of other models: [a, b, c, d, e], the distances of [a, x]");
  }

  @Test
  void newickHasNamesInQuotesAndHalfTheDifferencesOfHeights() {
    List<String> names = List.of("o'neil (7b), v1:2", "[x];", "plain name");

    assertThat(tree(line(names, 0, 1, 4)).newick())
        .isEqualTo("('plain name':1.75,('o''neil (7b), v1:2':0.5,'[x];':0.5):1.25);");
    assertThat(tree(line(List.of("alone"), 0)).newick()).isEqualTo("'alone';");
  }

  @Property(tries = 50)
  void pathsInTheNewickTreeAreCopheneticDistances(
      @ForAll Linkage linkage, @ForAll @IntRange(min = 2, max = 30) int k, @ForAll long seed) {
    Random random = new Random(seed);
    List<String> names = IntStream.range(0, k).mapToObj(i -> "m'(" + i + ",:;").toList();
    DistanceMatrix distances = line(names, random.doubles(k, 0, 100).toArray());

    Dendrogram tree = new HierarchicalClustering(linkage).cluster(distances);

    DistanceMatrix cophenetic = tree.copheneticDistances();
    NewickReader reader = new NewickReader(tree.newick());
    reader.node();
    assertThat(reader.rest()).isEqualTo(";");
    assertThat(reader.paths).hasSize(k);
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(reader.path(names.get(i), names.get(j)))
            .isCloseTo(cophenetic.get(i, j), within(1e-10));
      }
    }
    double root = tree.merges().get(k - 2).height();
    for (String name : names) {
      assertThat(reader.depth(name)).isCloseTo(root / 2, within(1e-10));
    }
  }

  @Test
  void aTreeAsDeepAsItHasModelsIsWritten() {
    int k = 4000;
    double[] places = new double[k];
    Arrays.setAll(places, i -> i * (i + 1.0));
    Dendrogram tree =
        new HierarchicalClustering(Linkage.SINGLE)
            .cluster(line(IntStream.range(0, k).mapToObj(i -> "m" + i).toList(), places));

    assertThat(tree.newick().chars().filter(c -> c == '(').count()).isEqualTo(k - 1);
    assertThat(tree.leafOrder()).containsExactlyInAnyOrder(IntStream.range(0, k).toArray());
    assertThat(tree.cut(2)[k - 1]).isOne();
  }

  private static Dendrogram tree(DistanceMatrix distances) {
    return new HierarchicalClustering(Linkage.AVERAGE).cluster(distances);
  }

  private static DistanceMatrix line(List<String> names, double... places) {
    double[] triangle = new double[places.length * (places.length - 1) / 2];
    int pair = 0;
    for (int i = 0; i < places.length; i++) {
      for (int j = 0; j < i; j++) {
        triangle[pair++] = Math.abs(places[i] - places[j]);
      }
    }
    return DistanceMatrix.wrap(names, triangle);
  }

  /** Reads a tree and keeps, of every model, its branches up to the root. */
  private static final class NewickReader {
    private final String text;
    private int at;
    private int nodes;
    private final Map<String, Map<Integer, Double>> paths = new TreeMap<>();

    NewickReader(String text) {
      this.text = text;
    }

    /** The names below the node that starts here. */
    List<String> node() {
      List<String> below = new ArrayList<>();
      if (text.charAt(at) == '(') {
        do {
          at++;
          below.addAll(node());
        } while (text.charAt(at) == ',');
        assertThat(text.charAt(at++)).isEqualTo(')');
      } else {
        assertThat(text.charAt(at++)).isEqualTo('\'');
        StringBuilder name = new StringBuilder();
        while (text.charAt(at) != '\'' || text.charAt(at + 1) == '\'') {
          name.append(text.charAt(at));
          at += text.charAt(at) == '\'' ? 2 : 1;
        }
        at++;
        below.add(name.toString());
        paths.put(name.toString(), new TreeMap<>());
      }
      if (text.charAt(at) == ':') {
        int start = ++at;
        while ("0123456789.E-".indexOf(text.charAt(at)) >= 0) {
          at++;
        }
        double length = Double.parseDouble(text.substring(start, at));
        int node = nodes++;
        below.forEach(name -> paths.get(name).put(node, length));
      }
      return below;
    }

    String rest() {
      return text.substring(at);
    }

    double depth(String name) {
      return paths.get(name).values().stream().mapToDouble(Double::doubleValue).sum();
    }

    double path(String a, String b) {
      Map<Integer, Double> different = new TreeMap<>(paths.get(a));
      paths.get(b).forEach((node, length) -> different.merge(node, length, (x, y) -> null));
      return different.values().stream().mapToDouble(Double::doubleValue).sum();
    }
  }
}
