package io.llmap.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.score.ScorerOptions;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * All estimators against true divergences of the zoo's models: the stored figures of
 * docs/estimator.md, which {@link EstimatorFigures} made, and a part of them computed again.
 */
class EstimatorTest {
  /** What is promised for near pairs on texts that both models know. */
  private static final double LOWEST = 0.75;

  private static final double HIGHEST = 1.35;

  private static final List<String> COMPUTED =
      List.of("gpt2-general-a", "gpt2-general-a-int8", "gpt2-general-b", "gpt2-general-small");

  @TempDir private static Path zoo;
  private static TextSet texts;
  private static List<EstimatorTables.Pair> pairs;

  @BeforeAll
  static void read() {
    Zoo.load().extract(zoo);
    texts = TextSet.readJsonl(zoo.resolve("texts.jsonl"));
    pairs = EstimatorTables.pairs(EstimatorFigures.FOLDER);
  }

  @Test
  void onAllTextsTogetherSketchesAreCalibratedForNearPairsAndForFarOnes() {
    List<EstimatorTables.Pair> all = pairs.stream().filter(pair -> pair.on(TextPart.ALL)).toList();
    double[] near =
        all.stream()
            .filter(EstimatorTables.Pair::near)
            .mapToDouble(p -> p.ratio("sketch"))
            .toArray();
    assertThat(near).hasSizeGreaterThan(35);
    assertThat(Arrays.stream(near)).allMatch(ratio -> ratio > LOWEST && ratio < HIGHEST);
    assertThat(EstimatorTables.median(near)).isBetween(0.9, 1.1);
    // What the documentation promises.
    assertThat(all).hasSizeGreaterThan(200);
    assertThat(all).allMatch(pair -> pair.ratio("sketch") > 0.9 && pair.ratio("sketch") < 1.2);
  }

  @Test
  void onOneDomainSketchesAreCalibratedForNearPairsWhetherTheModelsKnowItOrNot() {
    List<EstimatorTables.Pair> near =
        pairs.stream()
            .filter(pair -> TextPart.DOMAINS.contains(pair.texts()) && pair.near())
            .toList();
    assertThat(near).hasSizeGreaterThan(140);
    assertThat(near).allMatch(pair -> pair.ratio("sketch") > 0.9 && pair.ratio("sketch") < 1.2);
  }

  /** H is at most the mean KL; the sketches' noise may lift it by a percent or two. */
  @Test
  void theHellingerDistanceAloneIsALowerBound() {
    assertThat(pairs.stream().filter(pair -> pair.on(TextPart.ALL)))
        .allMatch(pair -> pair.ratio("hellinger") > 0.5 && pair.ratio("hellinger") < 1.02);
  }

  @Test
  void segmentsAreCalibratedForNearPairsOnTextsThatBothModelsKnow() {
    double[] ratios =
        pairs.stream()
            .filter(pair -> pair.bothKnowTheTexts() && pair.near())
            .mapToDouble(pair -> pair.ratio("segments16"))
            .toArray();
    assertThat(ratios).hasSizeGreaterThan(35);
    assertThat(Arrays.stream(ratios)).allMatch(ratio -> ratio > LOWEST && ratio < HIGHEST);
    assertThat(EstimatorTables.median(ratios)).isBetween(0.9, 1.1);
  }

  @Test
  void onAllTextsTogetherSegmentsAreAFewTimesTooHighAndTextVarianceHundreds() {
    List<EstimatorTables.Pair> all = pairs.stream().filter(pair -> pair.on(TextPart.ALL)).toList();
    assertThat(all).hasSizeGreaterThan(200);
    assertThat(all)
        .allMatch(pair -> pair.ratio("segments16") > 0.9 && pair.ratio("segments16") < 4.5);
    assertThat(
            EstimatorTables.median(
                all.stream().mapToDouble(pair -> pair.ratio("textVariance")).toArray()))
        .isGreaterThan(100);
  }

  @Test
  void acrossTokenizersSegmentsAreNearTheSampledDivergenceOnTextsThatBothModelsKnow() {
    List<EstimatorTables.Sampled> sampled =
        EstimatorTables.sampled(EstimatorFigures.FOLDER).stream()
            .filter(one -> !one.pair().texts().equals(TextPart.ALL))
            .filter(one -> tokenizer(one.pair().first()) != tokenizer(one.pair().second()))
            .toList();
    assertThat(sampled).hasSizeGreaterThanOrEqualTo(7);
    // The sampled truth has an error of 5 %, and leaves out other cuts into tokens, a tenth.
    assertThat(sampled)
        .allMatch(one -> one.ratio("segments16") > LOWEST && one.ratio("segments16") < 1.5);
  }

  private static int tokenizer(String model) {
    return ZooTruth.byTokenizer().get(0).contains(model) ? 0 : 1;
  }

  @Test
  void theStoredFiguresAreOfTheZooAsItIs() {
    List<String> names = Zoo.load().models().stream().map(Zoo.Model::name).toList();
    for (String file : List.of("truth.tsv", "estimates.tsv", "words.tsv", "noise.tsv")) {
      Tsv table = Tsv.read(EstimatorFigures.FOLDER.resolve(file));
      assertThat(table.setting("text set")).as(file).isEqualTo(texts.fingerprint());
    }
    assertThat(pairs).allMatch(pair -> names.containsAll(List.of(pair.first(), pair.second())));
    long expected =
        ZooTruth.byTokenizer().stream().mapToLong(f -> f.size() * (f.size() - 1L) / 2).sum();
    assertThat(pairs.stream().filter(pair -> pair.on(TextPart.ALL))).hasSize((int) expected);
  }

  @Test
  void truthComputedHereIsTheStoredOneAndTheEstimateComputedHereIsNearIt() {
    List<Text> chosen = new ArrayList<>();
    for (int n = 0; n < texts.size(); n++) {
      if (n % 16 == 0 || (n % 4 == 0 && isGeneral(texts.get(n)))) {
        chosen.add(texts.get(n));
      }
    }
    TextSet some = TextSet.of(chosen);
    int[] all = IntStream.range(0, some.size()).toArray();
    int[] stored =
        IntStream.of(all).filter(n -> texts.texts().indexOf(some.get(n)) % 16 == 0).toArray();
    int[] known = IntStream.of(all).filter(n -> isGeneral(some.get(n))).toArray();
    ZooTruth truth = ZooTruth.of(zoo, COMPUTED, some, List.of());
    ScorerOptions options = ScorerOptions.defaults().withSketches(true);
    TokenScores scores = new TokenScores(some);
    COMPUTED.forEach(model -> scores.add(model, TokenScores.score(zoo, model, some, options)));
    DistanceMatrix segments =
        scores.on(new TextPart("general", Integer.MAX_VALUE, known), COMPUTED).segments(16);
    DistanceMatrix sketch =
        KlDistances.of(
                scores
                    .on(new TextPart(TextPart.SUBSET, Integer.MAX_VALUE, stored), COMPUTED)
                    .sketchMatrix(COMPUTED))
            .in(KlUnit.NATS_PER_TEXT);
    List<Double> ratios = new ArrayList<>();
    for (Tsv.Row row : Tsv.read(EstimatorFigures.FOLDER.resolve("truth.tsv")).rows()) {
      int i = COMPUTED.indexOf(row.text("first"));
      int j = COMPUTED.indexOf(row.text("second"));
      if (i >= 0 && j >= 0 && row.text("texts").equals(TextPart.SUBSET)) {
        // Logits move by a few units in the last place between processors.
        double forward = row.number("forward");
        assertThat(truth.mean(0, stored, i, j)).isCloseTo(forward, within(1e-4 * (1 + forward)));
        double backward = row.number("backward");
        assertThat(truth.mean(0, stored, j, i)).isCloseTo(backward, within(1e-4 * (1 + backward)));
        // 24 texts have three hundredths of noise.
        assertThat(2 * sketch.get(i, j) / (forward + backward)).isBetween(0.9, 1.2);
        assertThat(sketch.get(i, j)).isCloseTo(storedSketch(row), withinPercentage(1));
        ratios.add(
            2 * segments.get(i, j) / (truth.mean(0, known, i, j) + truth.mean(0, known, j, i)));
      }
    }
    assertThat(ratios).hasSize(6).allMatch(ratio -> ratio > LOWEST && ratio < HIGHEST);
  }

  /** The signs of a text are the same everywhere, and so are its sketches. */
  private static double storedSketch(Tsv.Row truth) {
    return pairs.stream()
        .filter(pair -> pair.on(truth.text("texts")))
        .filter(pair -> pair.first().equals(truth.text("first")))
        .filter(pair -> pair.second().equals(truth.text("second")))
        .findFirst()
        .orElseThrow()
        .estimates()
        .number("sketch");
  }

  private static boolean isGeneral(Text text) {
    return text.id().startsWith("general/");
  }

  @Test
  void truthIsPositiveZeroForAModelAgainstItselfAndGrowsWithTheText() {
    TextSet one = TextSet.of(List.of(texts.get(0)));
    ZooTruth truth =
        ZooTruth.of(zoo, List.of("llama-legal-small", "qwen3-code-small"), one, List.of(64, 128));
    int[] text = {0};
    for (int limit = 0; limit < 3; limit++) {
      assertThat(truth.mean(limit, text, 0, 0)).isZero();
      assertThat(truth.mean(limit, text, 1, 0)).isPositive();
    }
    assertThat(truth.mean(0, text, 0, 1)).isPositive().isLessThan(truth.mean(1, text, 0, 1));
    assertThat(truth.mean(1, text, 0, 1)).isLessThan(truth.mean(2, text, 0, 1));
    assertThat(truth.meanBytes(0, text)).isLessThanOrEqualTo(64).isGreaterThan(48);
  }

  @Test
  void tokensOfTheMixtureOfBothModelsGiveTheMeanOfBothDirectionsExactly() {
    SplittableRandom random = new SplittableRandom(1);
    float[] logits = new float[2 * 50];
    for (int v = 0; v < logits.length; v++) {
      logits[v] = (float) (4 * random.nextDouble());
    }
    double[][] logProbs = new double[2][50];
    double[][] probs = new double[2][50];
    ZooModel.softmax(logits, 0, logProbs[0], probs[0]);
    ZooModel.softmax(logits, 50, logProbs[1], probs[1]);
    double both = 0;
    double mixture = 0;
    for (int v = 0; v < 50; v++) {
      double d = logProbs[0][v] - logProbs[1][v];
      both += (probs[0][v] - probs[1][v]) * d / 2;
      mixture += (probs[0][v] + probs[1][v]) / 2 * d * Math.tanh(d / 2);
    }
    assertThat(mixture).isCloseTo(both, within(1e-12));
  }

  @Test
  void sampledWordsOfAModelDivergeFromAnotherTokenizersModelAndNotFromItself() {
    WordKl words = new WordKl(texts, 24);
    double[] own;
    double[] others;
    WordKl.Sample sample;
    try (ZooModel model = ZooModel.open(zoo, "gpt2-general-small");
        ZooModel other = ZooModel.open(zoo, "llama-legal-small")) {
      TokenBytes vocabulary = TokenBytes.of(zoo.resolve(model.name()));
      sample = words.draw(model, vocabulary, 1);
      own = words.logProbs(model, vocabulary, sample);
      others = words.logProbs(other, TokenBytes.of(zoo.resolve(other.name())), sample);
    }
    assertThat(own).hasSize(24);
    assertThat(sample.lost()).isLessThan(0.2);
    // A word can be cut into tokens in several ways, of which the drawn one is usually the only.
    assertThat(
            Arrays.stream(WordKl.differences(sample.pathLogProbs(), own))
                .filter(d -> Math.abs(d) < 1e-3)
                .count())
        .isGreaterThan(16);
    WordKl.Mean kl = WordKl.Mean.of(WordKl.differences(own, others));
    assertThat(kl.mean()).isGreaterThan(3 * kl.error());
  }

  @Test
  void theTablesOfTheDocumentationAreTheStoredFigures() throws IOException {
    String page = Files.readString(Path.of("../docs/estimator.md"));
    for (Map.Entry<String, List<String>> table :
        EstimatorTables.of(EstimatorFigures.FOLDER).entrySet()) {
      assertThat(page)
          .contains(
              "<!-- table %s -->\n%s\n<!-- end -->"
                  .formatted(table.getKey(), String.join("\n", table.getValue())));
    }
  }
}
