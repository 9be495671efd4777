package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SegmentPropertiesTest {

  /** Two tokenizers with tokens of up to two and three bytes: common boundaries are frequent. */
  private static List<List<TextScore>> models(RandomScores random) {
    List<TextScore> a = random.model(2);
    List<TextScore> b = random.model(3);
    return List.of(
        a, random.near(a, 1), random.near(a, 1e-3), random.near(a, 1e-6), b, random.near(b, 2));
  }

  /** The bytes at which the segments begin, and the last one's end, by the definition. */
  private static List<Integer> cuts(List<List<TextScore>> models, int n, Text text, int target) {
    List<TreeSet<Integer>> bounds = new ArrayList<>();
    List<List<Integer>> tokens = new ArrayList<>();
    for (List<TextScore> model : models) {
      List<Integer> offsets =
          new ArrayList<>(
              IntStream.of(model.get(n).tokenLogProbs().orElseThrow().byteOffsets())
                  .boxed()
                  .toList());
      int end = text.bytes();
      if (model.get(n).truncated()) {
        end = Collections.max(offsets);
      }
      int last = end;
      offsets.removeIf(at -> at >= last);
      tokens.add(offsets);
      TreeSet<Integer> ofModel = new TreeSet<>(offsets);
      ofModel.add(end);
      bounds.add(ofModel);
    }
    TreeSet<Integer> common = new TreeSet<>(bounds.get(0));
    bounds.forEach(common::retainAll);
    List<Integer> cuts = new ArrayList<>();
    for (Integer open = common.first(); open != null; ) {
      cuts.add(open);
      int from = open;
      Integer close = common.higher(open);
      for (Integer to = close; to != null; to = common.higher(to)) {
        int until = to;
        if (tokens.stream()
            .allMatch(t -> t.stream().filter(at -> at >= from && at < until).count() <= target)) {
          close = to;
        }
      }
      open = close;
    }
    return cuts;
  }

  /** Σ over texts and segments of (u_i − u_j)² from the tokens in double precision. */
  private static double direct(
      SegmentMatrix segments, TextSet texts, List<TextScore> a, List<TextScore> b) {
    double sum = 0;
    for (int t = 0; t < segments.texts(); t++) {
      int n = texts.ids().indexOf(segments.textIds().get(t));
      int[] cuts = segments.layout().cuts(t);
      double[] d = new double[cuts.length - 1];
      double total = 0;
      for (int g = 0; g < d.length; g++) {
        d[g] = sum(a.get(n), cuts[g], cuts[g + 1]) - sum(b.get(n), cuts[g], cuts[g + 1]);
        total += d[g];
      }
      double perByte = total / (cuts[d.length] - cuts[0]);
      for (int g = 0; g < d.length; g++) {
        sum += Math.pow(d[g] - (cuts[g + 1] - cuts[g]) * perByte, 2);
      }
    }
    return sum;
  }

  private static double sum(TextScore score, int from, int to) {
    int[] offsets = score.tokenLogProbs().orElseThrow().byteOffsets();
    double[] logProbs = score.tokenLogProbs().orElseThrow().logProbs();
    return IntStream.range(0, offsets.length)
        .filter(t -> offsets[t] >= from && offsets[t] < to)
        .mapToDouble(t -> logProbs[t])
        .sum();
  }

  private static TextScore absolute(TextScore score) {
    TokenLogProbs tokens = score.tokenLogProbs().orElseThrow();
    double[] sizes = Arrays.stream(tokens.logProbs()).map(Math::abs).toArray();
    return new TextScore(
        score.logLikelihood(),
        sizes.length,
        score.bytes(),
        score.truncated(),
        Optional.of(new TokenLogProbs(sizes, tokens.byteOffsets())));
  }

  @Property(tries = 30)
  void textsAreCutByTheDefinition(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 20) int target) {
    RandomScores random = new RandomScores(seed, 6);
    List<List<TextScore>> models = models(random);
    SegmentMatrix segments = random.segments(target, models);
    int t = 0;
    for (int n = 0; n < 6; n++) {
      Text text = random.texts.get(n);
      List<Integer> cuts = cuts(models, n, text, target);
      if (cuts.size() < 3) {
        assertThat(segments.leftOut()).contains(text.id());
      } else {
        assertThat(segments.textIds().get(t)).isEqualTo(text.id());
        assertThat(segments.layout().cuts(t))
            .containsExactly(cuts.stream().mapToInt(c -> c).toArray());
        t++;
      }
    }
    assertThat(segments.texts()).isEqualTo(t);
  }

  @Property(tries = 20)
  void distancesAreThoseOfTheTokensToTheStatedBoundOfSinglePrecision(@ForAll long seed) {
    RandomScores random = new RandomScores(seed, 5);
    List<List<TextScore>> models = models(random);
    SegmentMatrix segments = random.segments(5, models);
    DistanceMatrix squared = KlDistances.of(segments).squaredEuclidean();
    for (int i = 0; i < models.size(); i++) {
      for (int j = 0; j < i; j++) {
        double direct = direct(segments, random.texts, models.get(i), models.get(j));
        assertThat(Math.sqrt(squared.get(i, j)))
            .isCloseTo(
                Math.sqrt(direct),
                within(
                    SegmentMatrixTest.storage(segments, i, j)
                        + Tolerances.squaredDistance(Math.sqrt(direct))));
      }
    }
  }

  @Property(tries = 30)
  void whatIsProportionalToTheLengthWithinATextChangesNoDistance(@ForAll long seed) {
    RandomScores random = new RandomScores(seed, 10);
    List<List<TextScore>> models = models(random);
    SegmentMatrix before = random.segments(5, models);
    SegmentMatrix after = random.segments(5, models.stream().map(random::plusBytes).toList());
    DistanceMatrix expected = KlDistances.of(before).euclidean();
    DistanceMatrix actual = KlDistances.of(after).euclidean();
    for (int i = 0; i < models.size(); i++) {
      for (int j = 0; j < i; j++) {
        double storage =
            SegmentMatrixTest.storage(before, i, j) + SegmentMatrixTest.storage(after, i, j);
        assertThat(actual.get(i, j)).isCloseTo(expected.get(i, j), within(storage));
      }
    }
  }

  @Property(tries = 30)
  void theOrderOfModelsAndOfTextsDoesNotMatter(@ForAll long seed) {
    RandomScores random = new RandomScores(seed, 10);
    List<List<TextScore>> models = models(random);
    DistanceMatrix expected = KlDistances.of(random.segments(5, models)).squaredEuclidean();
    List<Text> reversed = new ArrayList<>(random.texts.texts());
    Collections.reverse(reversed);
    SegmentMatrixBuilder builder = SegmentMatrix.builder(TextSet.of(reversed)).targetTokens(5);
    for (int i = models.size() - 1; i >= 0; i--) {
      List<TextScore> scores = new ArrayList<>(models.get(i));
      Collections.reverse(scores);
      builder.add("m" + i, scores);
    }
    DistanceMatrix actual = KlDistances.of(builder.build()).squaredEuclidean();
    int last = models.size() - 1;
    for (int i = 0; i < models.size(); i++) {
      for (int j = 0; j < i; j++) {
        assertThat(actual.get(last - i, last - j))
            .isCloseTo(expected.get(i, j), within(Tolerances.squaredDistance(expected.get(i, j))));
      }
    }
  }

  @Property(tries = 20)
  void rootsOfSquaredDistancesObeyTheTriangleInequality(@ForAll long seed) {
    RandomScores random = new RandomScores(seed, 5);
    DistanceMatrix d = KlDistances.of(random.segments(5, models(random))).euclidean();
    for (int i = 0; i < d.size(); i++) {
      for (int j = 0; j < d.size(); j++) {
        for (int m = 0; m < d.size(); m++) {
          assertThat(d.get(i, j)).isLessThanOrEqualTo((d.get(i, m) + d.get(m, j)) * (1 + 1e-12));
        }
      }
    }
  }

  @Property(tries = 30)
  void addingModelsWithKnownTokenizersIsBuildingAllAtOnce(@ForAll long seed) {
    RandomScores random = new RandomScores(seed, 10);
    List<List<TextScore>> models = models(random);
    SegmentMatrix all = random.segments(5, models);

    SegmentMatrix extended =
        SegmentMatrix.builder(random.texts)
            .targetTokens(5)
            .add("m0", models.get(0))
            .add("m1", models.get(4))
            .build()
            .extend(random.texts)
            .add("m2", models.get(5))
            .add("m3", models.get(3))
            .build();

    SegmentMatrix expected =
        random.segments(5, List.of(models.get(0), models.get(4), models.get(5), models.get(3)));
    assertSameBits(extended, expected);
    assertThat(all.segments()).isEqualTo(extended.segments());
  }

  @Property(tries = 12)
  void addingAModelWithAnotherTokenizerJoinsSegments(@ForAll long seed) {
    RandomScores random = new RandomScores(seed, 4);
    List<List<TextScore>> models = models(random);
    SegmentMatrix finer = random.segments(2, models);
    List<TextScore> added = random.model(2);
    SegmentMatrix joined = finer.extend(random.texts).add("new", added).build();

    List<List<TextScore>> all = new ArrayList<>(models);
    all.add(added);
    int t = 0;
    for (int n = 0; n < 4; n++) {
      String id = random.texts.get(n).id();
      int old = finer.textIds().indexOf(id);
      TreeSet<Integer> expected = new TreeSet<>(cuts(List.of(added), n, random.texts.get(n), 1));
      expected.retainAll(
          old < 0 ? List.of() : IntStream.of(finer.layout().cuts(old)).boxed().toList());
      if (expected.size() < 3) {
        assertThat(joined.leftOut()).contains(id);
        continue;
      }
      int[] cuts = joined.layout().cuts(t);
      assertThat(cuts).containsExactly(expected.stream().mapToInt(c -> c).toArray());
      for (int g = 0; g + 1 < cuts.length; g++) {
        for (int i = 0; i < all.size(); i++) {
          TextScore score = all.get(i).get(n);
          double sum = sum(score, cuts[g], cuts[g + 1]);
          double size = sum(absolute(score), cuts[g], cuts[g + 1]);
          // The parts were rounded, and so is their sum.
          assertThat((double) joined.get(i, joined.firstSegment(t) + g))
              .isCloseTo(sum, within(0x1p-23 * size));
        }
      }
      t++;
    }
    assertThat(joined.texts()).isEqualTo(t);
  }

  @Property(tries = 20)
  void aBootstrapDrawsTextsWithAllTheirSegments(@ForAll long seed) {
    RandomScores random = new RandomScores(seed, 8);
    List<List<TextScore>> models = models(random);
    SegmentMatrix segments = random.segments(5, models);
    Bootstrap bootstrap = Bootstrap.of(segments, 2, seed);
    int[] counts = bootstrap.counts(1);
    List<Text> drawn = new ArrayList<>();
    List<List<TextScore>> scores = new ArrayList<>();
    models.forEach(model -> scores.add(new ArrayList<>()));
    for (int t = 0; t < segments.texts(); t++) {
      int n = random.texts.ids().indexOf(segments.textIds().get(t));
      for (int c = 0; c < counts[t]; c++) {
        drawn.add(Text.of(n + "-" + c, random.texts.get(n).content()));
        for (int i = 0; i < models.size(); i++) {
          scores.get(i).add(models.get(i).get(n));
        }
      }
    }
    SegmentMatrixBuilder builder = SegmentMatrix.builder(TextSet.of(drawn)).targetTokens(5);
    for (int i = 0; i < models.size(); i++) {
      builder.add("m" + i, scores.get(i));
    }

    DistanceMatrix actual = bootstrap.replicate(1).squaredEuclidean();

    DistanceMatrix expected = KlDistances.of(builder.build()).squaredEuclidean();
    for (int i = 0; i < models.size(); i++) {
      for (int j = 0; j < i; j++) {
        // Vectors that are nearly equal: what centring rounds is no small part of their difference.
        double distance = expected.get(i, j);
        double rounding = 2 * Math.sqrt(distance) * Tolerances.centring(largest(segments));
        assertThat(actual.get(i, j))
            .isCloseTo(distance, within(Tolerances.squaredDistance(distance) + rounding));
      }
    }
    assertThat(bootstrap.replicate(1).description()).isEqualTo(segments.description());
  }

  private static double largest(SegmentMatrix segments) {
    double largest = 0;
    for (int i = 0; i < segments.models(); i++) {
      for (int g = 0; g < segments.segments(); g++) {
        largest = Math.max(largest, Math.abs(segments.get(i, g)));
      }
    }
    return largest;
  }

  @Test
  void bitsDoNotDependOnTheNumberOfThreads() {
    RandomScores random = new RandomScores(1, 100);
    List<List<TextScore>> models = models(random);
    SegmentMatrix expected = random.segments(3, models);
    double[][] distances = KlDistances.of(expected).squaredEuclidean().toArray();
    for (int threads : new int[] {1, 2, 7}) {
      ForkJoinPool pool = new ForkJoinPool(threads);
      try {
        SegmentMatrix actual = pool.submit(() -> random.segments(3, models)).join();
        assertSameBits(actual, expected);
        assertThat(pool.submit(() -> KlDistances.of(actual).squaredEuclidean().toArray()).join())
            .isDeepEqualTo(distances);
      } finally {
        pool.shutdown();
      }
    }
  }

  static void assertSameBits(SegmentMatrix actual, SegmentMatrix expected) {
    assertThat(actual.names()).isEqualTo(expected.names());
    assertThat(actual.textIds()).isEqualTo(expected.textIds());
    assertThat(actual.leftOut()).isEqualTo(expected.leftOut());
    assertThat(actual.targetTokens()).isEqualTo(expected.targetTokens());
    assertThat(actual.textSetFingerprint()).isEqualTo(expected.textSetFingerprint());
    assertThat(actual.options()).isEqualTo(expected.options());
    assertThat(actual.layout().textBytes()).isEqualTo(expected.layout().textBytes());
    assertThat(actual.layout().firstBytes()).isEqualTo(expected.layout().firstBytes());
    assertThat(actual.layout().starts()).isEqualTo(expected.layout().starts());
    assertThat(actual.layout().bytes()).isEqualTo(expected.layout().bytes());
    assertThat(actual.layout().tokens()).isEqualTo(expected.layout().tokens());
    assertThat(actual.values()).isDeepEqualTo(expected.values());
    for (int i = 0; i < actual.models(); i++) {
      assertThat(actual.modelFingerprint(i)).isEqualTo(expected.modelFingerprint(i));
    }
  }
}
