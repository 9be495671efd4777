package io.llmap.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.distance.Neighbours;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixFiles;
import io.llmap.text.TextChunker;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Facts of the embedded zoo that must hold if the method works, on all texts and on two random
 * halves of them. docs/zoo.md says how the models were made.
 */
class ZooTest {
  private static final List<Zoo.Model> MODELS = Zoo.load().models();

  /** The texts that a map was made from, and its distances. */
  record Sample(String texts, LogLikelihoodMatrix matrix, DistanceMatrix kl) {
    double get(String a, String b) {
      return kl.get(kl.names().indexOf(a), kl.names().indexOf(b));
    }

    @Override
    public String toString() {
      return texts;
    }
  }

  static Stream<Sample> maps() {
    LogLikelihoodMatrix all = MatrixFiles.readNpz(ZooRun.FOLDER.resolve("map.npz"));
    List<Integer> indices = IntStream.range(0, all.texts()).boxed().toList();
    return Stream.of(
        map("all texts", all),
        map("a random half", half(all, indices, 1)),
        map("another random half", half(all, indices, 2)));
  }

  private static LogLikelihoodMatrix half(
      LogLikelihoodMatrix all, List<Integer> indices, long seed) {
    return all.selectTexts(
        TextChunker.sample(indices, indices.size() / 2, seed).stream()
            .mapToInt(Integer::intValue)
            .toArray());
  }

  private static Sample map(String texts, LogLikelihoodMatrix matrix) {
    Clipping clipping = Clipping.atQuantile(matrix, Clipping.DEFAULT_QUANTILE);
    return new Sample(
        texts,
        matrix,
        KlDistances.of(CenteredMatrix.of(matrix, clipping)).in(KlUnit.BITS_PER_BYTE));
  }

  @ParameterizedTest
  @MethodSource("maps")
  void theNearestModelOfAQuantisedTwinIsItsOriginal(Sample map) {
    List<Zoo.Model> twins = related("quantised");
    assertThat(twins).hasSizeGreaterThanOrEqualTo(3);
    for (Zoo.Model twin : twins) {
      int i = map.kl.names().indexOf(twin.name());
      assertThat(Neighbours.of(map.kl, i, 1).get(0).name()).isEqualTo(twin.parent());
    }
  }

  @ParameterizedTest
  @MethodSource("maps")
  void aFineTunedChildIsNearerToItsParentThanToAnyModelOfAnotherCorpus(Sample map) {
    List<Zoo.Model> children = related("fine-tuned");
    assertThat(children).hasSizeGreaterThanOrEqualTo(3);
    for (Zoo.Model child : children) {
      String parentCorpus = model(child.parent()).corpus();
      for (Zoo.Model other : MODELS) {
        Set<String> own = Set.of(child.name(), child.parent());
        if (!own.contains(other.name()) && !corpusOfOrigin(other).equals(parentCorpus)) {
          assertThat(map.get(child.name(), child.parent()))
              .as("%s: its parent against %s", child.name(), other.name())
              .isLessThan(map.get(child.name(), other.name()));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("maps")
  void checkpointsComeNearerToTheEndOfTheirTrajectory(Sample map) {
    List<Zoo.Model> checkpoints = related("checkpoint");
    assertThat(checkpoints).hasSizeGreaterThanOrEqualTo(4);
    String end = checkpoints.get(0).parent();
    assertThat(checkpoints).allMatch(checkpoint -> checkpoint.parent().equals(end));
    List<Double> toTheEnd =
        checkpoints.stream().map(Zoo.Model::name).sorted().map(name -> map.get(name, end)).toList();
    for (int c = 1; c < toTheEnd.size(); c++) {
      assertThat(toTheEnd.get(c)).isLessThan(toTheEnd.get(c - 1));
    }
  }

  @ParameterizedTest
  @MethodSource("maps")
  void modelsOfOneCorpusAreNearerToEachOtherInNineTripletsOfTen(Sample map) {
    List<Zoo.Model> finished = related("");
    long nearer = 0;
    long triplets = 0;
    for (Zoo.Model anchor : finished) {
      for (Zoo.Model same : finished) {
        for (Zoo.Model other : finished) {
          if (!anchor.equals(same)
              && anchor.corpus().equals(same.corpus())
              && !anchor.corpus().equals(other.corpus())) {
            triplets++;
            nearer +=
                map.get(anchor.name(), same.name()) < map.get(anchor.name(), other.name()) ? 1 : 0;
          }
        }
      }
    }
    assertThat(triplets).isGreaterThan(100);
    assertThat((double) nearer / triplets).isGreaterThanOrEqualTo(0.9);
  }

  @ParameterizedTest
  @MethodSource("maps")
  void aModelPredictsItsOwnDomainBest(Sample map) {
    Map<String, int[]> domains = domains(map.matrix);
    for (Zoo.Model model : related("")) {
      if (domains.containsKey(model.corpus())) {
        int i = map.matrix.names().indexOf(model.name());
        Map<String, Double> bitsPerByte = new HashMap<>();
        domains.forEach(
            (domain, texts) ->
                bitsPerByte.put(domain, map.matrix.selectTexts(texts).bitsPerByte(i)));
        assertThat(bitsPerByte.entrySet().stream().min(Map.Entry.comparingByValue()))
            .as("%s: %s", model.name(), bitsPerByte)
            .hasValueSatisfying(best -> assertThat(best.getKey()).isEqualTo(model.corpus()));
      }
    }
  }

  /** A text's id is DOMAIN/NUMBER. */
  private static Map<String, int[]> domains(LogLikelihoodMatrix matrix) {
    return IntStream.range(0, matrix.texts())
        .boxed()
        .collect(
            Collectors.groupingBy(
                n -> matrix.textIds().get(n).split("/", 2)[0],
                Collectors.collectingAndThen(
                    Collectors.toList(),
                    list -> list.stream().mapToInt(Integer::intValue).toArray())));
  }

  /**
   * The corpus that a model, or the ancestor that it was made from, was trained on from the start.
   */
  private static String corpusOfOrigin(Zoo.Model model) {
    return model.parent().isEmpty() ? model.corpus() : corpusOfOrigin(model(model.parent()));
  }

  private static List<Zoo.Model> related(String relation) {
    return MODELS.stream().filter(model -> model.relation().equals(relation)).toList();
  }

  private static Zoo.Model model(String name) {
    return MODELS.stream().filter(model -> model.name().equals(name)).findFirst().orElseThrow();
  }
}
