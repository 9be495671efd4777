package io.llmap.examples;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.distance.SegmentMatrix;
import io.llmap.distance.SketchMatrix;
import io.llmap.internal.Parallel;
import io.llmap.score.ScorerOptions;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Writes the figures of docs/estimator.md. Not part of the test suite, whose patterns its name does
 * not match: run it by name, {@code -Dtest=EstimatorFigures}.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EstimatorFigures {
  static final Path FOLDER = Path.of("src/test/resources/io/llmap/examples/estimator");
  static final List<Integer> TARGETS = List.of(1, 4, 8, 16, 32, 64);

  /** Words that are drawn from each model. */
  static final int PLACES = 512;

  static final long SEED = 4;

  @TempDir private Path zoo;

  @Test
  void truth() {
    Zoo.load().extract(zoo);
    TextSet texts = TextSet.readJsonl(zoo.resolve("texts.jsonl"));
    Tsv table =
        new Tsv(
            List.of(
                "Teacher-forced KL of full next-token distributions, nats per text: first to second"
                    + " model, and back. All pairs of the zoo with one tokenizer.",
                "text set\t" + texts.fingerprint()),
            List.of("first", "second", "texts", "tokens", "bytes", "forward", "backward"));
    for (List<String> names : ZooTruth.byTokenizer()) {
      ZooTruth truth = ZooTruth.of(zoo, names, texts, TextPart.LIMITS);
      for (TextPart part : TextPart.of(texts)) {
        int limit = part.whole() ? TextPart.LIMITS.size() : TextPart.LIMITS.indexOf(part.limit());
        for (int i = 0; i < names.size(); i++) {
          for (int j = i + 1; j < names.size(); j++) {
            table.add(
                names.get(i),
                names.get(j),
                part.label(),
                truth.meanTokens(limit, part.texts()),
                truth.meanBytes(limit, part.texts()),
                truth.mean(limit, part.texts(), i, j),
                truth.mean(limit, part.texts(), j, i));
          }
        }
      }
    }
    table.write(FOLDER.resolve("truth.tsv"));
  }

  @Test
  void estimates() {
    Zoo.load().extract(zoo);
    TextSet texts = TextSet.readJsonl(zoo.resolve("texts.jsonl"));
    TokenScores scores = new TokenScores(texts);
    // Each text alone, because a batch moves the scores of the dynamically quantised twin.
    ScorerOptions options = ScorerOptions.defaults().withSketches(true).withTokenBudget(1);
    List<String> names = Zoo.load().models().stream().map(Zoo.Model::name).toList();
    names.forEach(model -> scores.add(model, TokenScores.score(zoo, model, texts, options)));
    List<String> columns = new ArrayList<>(List.of("first", "second", "texts", "textVariance"));
    TARGETS.forEach(target -> columns.add("segments" + target));
    TARGETS.forEach(target -> columns.add("share" + target));
    columns.addAll(List.of("mixture", "hellinger", "sketch"));
    Tsv table =
        new Tsv(
            List.of(
                "Estimated KL, nats per text, symmetric.",
                "textVariance: clipped at the 2 % quantile; segments1 .. 64: by tokens a segment, as"
                    + " the library gives it; share: SegmentMatrix.centredShare",
                "mixture: d tanh(d / 2) over the segments of 1 token, d not centred",
                "hellinger: twice the squared Hellinger distance, from sketches; sketch: times the ratio;"
                    + " one tokenizer only",
                "beginnings of texts, which end with a token, are compared among models of one"
                    + " tokenizer",
                "texts\t%d".formatted(texts.size()),
                "bytes a text\t%.4f".formatted(texts.meanBytes()),
                "text set\t" + texts.fingerprint()),
            columns);
    for (TextPart part : TextPart.of(texts)) {
      for (List<String> models : part.whole() ? List.of(names) : ZooTruth.byTokenizer()) {
        addEstimates(table, part, scores.on(part, models), models);
      }
    }
    table.write(FOLDER.resolve("estimates.tsv"));
  }

  private static void addEstimates(
      Tsv table, TextPart part, TokenScores scores, List<String> models) {
    List<DistanceMatrix> hellinger = new ArrayList<>();
    List<DistanceMatrix> sketch = new ArrayList<>();
    for (List<String> family : ZooTruth.byTokenizer()) {
      if (models.containsAll(family)) {
        SketchMatrix sketches = scores.sketchMatrix(family);
        hellinger.add(sketches.hellinger());
        sketch.add(KlDistances.of(sketches).in(KlUnit.NATS_PER_TEXT));
      }
    }
    DistanceMatrix variance = scores.textVariance();
    DistanceMatrix mixture = scores.mixture();
    List<SegmentMatrix> matrices = new ArrayList<>();
    List<DistanceMatrix> segments = new ArrayList<>();
    // The shortest beginnings have not two segments of more tokens.
    List<Integer> targets = part.whole() ? TARGETS : TARGETS.subList(0, TARGETS.indexOf(16) + 1);
    for (int target : targets) {
      SegmentMatrix matrix = scores.segmentMatrix(target);
      matrices.add(matrix);
      segments.add(KlDistances.of(matrix).in(KlUnit.NATS_PER_TEXT));
    }
    List<String> missing = Collections.nCopies(TARGETS.size() - targets.size(), "");
    for (int i = 0; i < variance.size(); i++) {
      for (int j = i + 1; j < variance.size(); j++) {
        List<Object> row = new ArrayList<>();
        row.add(variance.names().get(i));
        row.add(variance.names().get(j));
        row.add(part.label());
        row.add(variance.get(i, j));
        for (DistanceMatrix matrix : segments) {
          row.add(matrix.get(i, j));
        }
        row.addAll(missing);
        matrices.forEach(matrix -> row.add(matrix.centredShare()));
        row.addAll(missing);
        row.add(mixture.get(i, j));
        row.add(find(hellinger, variance.names().get(i), variance.names().get(j)));
        row.add(find(sketch, variance.names().get(i), variance.names().get(j)));
        table.add(row.toArray());
      }
    }
  }

  /** Empty where no matrix has both models. */
  private static Object find(List<DistanceMatrix> matrices, String first, String second) {
    for (DistanceMatrix matrix : matrices) {
      int i = matrix.names().indexOf(first);
      int j = matrix.names().indexOf(second);
      if (i >= 0 && j >= 0) {
        return matrix.get(i, j);
      }
    }
    return "";
  }

  /**
   * Pairs whose divergence is sampled.
   *
   * @param texts the label of a {@link TextPart}
   */
  record SampledPair(String texts, String first, String second) {
    boolean is(String a, String b) {
      return List.of(a, b).containsAll(List.of(first, second));
    }
  }

  /**
   * Pairs with two tokenizers, on texts that both know and on all; and pairs with one, whose truth
   * is known, to see what the sampling is worth.
   */
  static final List<SampledPair> SAMPLED_PAIRS =
      List.of(
          new SampledPair("general", "gpt2-general-a", "llama-general"),
          new SampledPair("general", "gpt2-general-small", "llama-general"),
          new SampledPair("legal", "neox-legal", "llama-legal-a"),
          new SampledPair("legal", "neox-legal", "llama-legal-b"),
          new SampledPair("code", "gpt2-code", "qwen3-code-a"),
          new SampledPair("multi", "neox-multi-a", "qwen3-multi"),
          new SampledPair("multi", "neox-multi-b", "qwen3-multi"),
          new SampledPair("general", "gpt2-general-a", "gpt2-general-small"),
          new SampledPair("legal", "llama-legal-a", "llama-legal-b"),
          new SampledPair("multi", "neox-multi-a", "neox-multi-b"),
          new SampledPair(TextPart.ALL, "gpt2-general-a", "llama-general"),
          new SampledPair(TextPart.ALL, "neox-legal", "llama-legal-a"),
          new SampledPair(TextPart.ALL, "gpt2-code", "qwen3-code-a"),
          new SampledPair(TextPart.ALL, "neox-multi-a", "qwen3-multi"),
          new SampledPair(TextPart.ALL, "gpt2-general-a", "llama-mix"),
          new SampledPair(TextPart.ALL, "gpt2-code", "llama-mix"),
          new SampledPair(TextPart.ALL, "gpt2-general-a", "llama-legal-a"),
          new SampledPair(TextPart.ALL, "neox-multi-a", "qwen3-code-a"),
          new SampledPair(TextPart.ALL, "gpt2-general-a", "gpt2-general-small"),
          new SampledPair(TextPart.ALL, "neox-multi-a", "neox-multi-b"),
          new SampledPair(TextPart.ALL, "gpt2-general-a", "gpt2-code"),
          new SampledPair(TextPart.ALL, "llama-legal-a", "qwen3-code-a"));

  @Test
  void words() {
    Zoo.load().extract(zoo);
    TextSet texts = TextSet.readJsonl(zoo.resolve("texts.jsonl"));
    Tsv table =
        new Tsv(
            List.of(
                "KL of distributions over the next word of real texts, by sampling, in nats a word;"
                    + " times the words of a text it is in nats per text.",
                "path: the same with the first model's log-probability along the very tokens drawn,"
                    + " where it can have cut a word into others than its tokenizer does",
                "bytes: of a drawn word; lost: share of words given up (not UTF-8, a special token, or"
                    + " longer than 96 tokens)",
                "seed\t%d".formatted(SEED),
                "places\t%d".formatted(PLACES),
                "text set\t" + texts.fingerprint()),
            List.of(
                "texts",
                "from",
                "to",
                "kl",
                "error",
                "path",
                "pathError",
                "words",
                "bytes",
                "lost"));
    for (TextPart part : TextPart.of(texts)) {
      Map<String, List<String>> partners = new TreeMap<>();
      for (SampledPair pair : SAMPLED_PAIRS) {
        if (pair.texts.equals(part.label())) {
          partners.computeIfAbsent(pair.first, key -> new ArrayList<>()).add(pair.second);
          partners.computeIfAbsent(pair.second, key -> new ArrayList<>()).add(pair.first);
        }
      }
      if (!partners.isEmpty()) {
        TextSet some = TextSet.of(Arrays.stream(part.texts()).mapToObj(texts::get).toList());
        WordKl words = new WordKl(some, PLACES);
        partners.forEach((from, others) -> addWords(table, part.label(), words, from, others));
      }
    }
    table.write(FOLDER.resolve("words.tsv"));
  }

  private void addWords(Tsv table, String label, WordKl words, String from, List<String> others) {
    TokenBytes vocabulary = TokenBytes.of(zoo.resolve(from));
    WordKl.Sample sample;
    double[] own;
    try (ZooModel model = ZooModel.open(zoo, from)) {
      sample = words.draw(model, vocabulary, SEED);
      own = words.logProbs(model, vocabulary, sample);
    }
    for (String to : others) {
      try (ZooModel other = ZooModel.open(zoo, to)) {
        double[] theirs = words.logProbs(other, TokenBytes.of(zoo.resolve(to)), sample);
        WordKl.Mean kl = WordKl.Mean.of(WordKl.differences(own, theirs));
        WordKl.Mean path = WordKl.Mean.of(WordKl.differences(sample.pathLogProbs(), theirs));
        table.add(
            label,
            from,
            to,
            kl.mean(),
            kl.error(),
            path.mean(),
            path.error(),
            words.wordsPerText(),
            WordKl.meanBytes(sample),
            sample.lost());
      }
    }
  }

  /** Pairs, near and far, whose divergence over whole texts is measured on their own samples. */
  static final List<List<String>> OWN_PAIRS =
      List.of(
          List.of("gpt2-general-small", "gpt2-general-small-step1000"),
          List.of("gpt2-general-small", "neox-multi-small"));

  static final List<Integer> OWN_LENGTHS = List.of(8, 32, 128, 400);

  /**
   * Samples for each of {@link #OWN_LENGTHS}; the shorter ones are the beginnings of the longer.
   */
  static final List<Integer> OWN_SAMPLES = List.of(512, 512, 512, 64);

  @Test
  void ownSamples() {
    Zoo.load().extract(zoo);
    Tsv table =
        new Tsv(
            List.of(
                "KL of two models as distributions over sequences of so many tokens, from nothing, on"
                    + " samples of the first; nats per sample.",
                "kl: mean of log p − log q over samples; chain: mean of the summed KL of next-token"
                    + " distributions along them, the same expectation with less noise",
                "estimates: on the same samples taken as the text set, nothing clipped; an empty cell"
                    + " where a sample has fewer than two segments",
                "seed\t%d".formatted(SEED)),
            List.of(
                "from",
                "to",
                "tokens",
                "samples",
                "kl",
                "error",
                "chain",
                "chainError",
                "textVariance",
                "segments1",
                "share1",
                "segments16",
                "share16"));
    Map<String, int[][]> drawn = new HashMap<>();
    for (List<String> pair : OWN_PAIRS) {
      addOwnSamples(table, pair.get(0), pair.get(1), drawn);
      addOwnSamples(table, pair.get(1), pair.get(0), drawn);
    }
    table.write(FOLDER.resolve("own-samples.tsv"));
  }

  private void addOwnSamples(Tsv table, String from, String to, Map<String, int[][]> drawn) {
    TokenBytes vocabulary = TokenBytes.of(zoo.resolve(from));
    try (ZooModel model = ZooModel.open(zoo, from);
        ZooModel other = ZooModel.open(zoo, to)) {
      int[][] tokens = drawn.computeIfAbsent(from, key -> ownSamples(model));
      TeacherForcedKl[] samples = new TeacherForcedKl[tokens.length];
      Parallel.forEach(
          tokens.length,
          n ->
              samples[n] =
                  TeacherForcedKl.of(
                      List.of(model, other), tokens[n], offsets(vocabulary, tokens[n])));
      for (int l = 0; l < OWN_LENGTHS.size(); l++) {
        int length = OWN_LENGTHS.get(l);
        List<TeacherForcedKl> enough =
            Arrays.stream(samples).filter(sample -> sample.tokens() >= length).toList();
        WordKl.Mean kl =
            WordKl.Mean.of(
                enough.stream()
                    .mapToDouble(
                        sample ->
                            sample.beginning(0, length).logLikelihood()
                                - sample.beginning(1, length).logLikelihood())
                    .toArray());
        WordKl.Mean chain =
            WordKl.Mean.of(enough.stream().mapToDouble(sample -> sample.sum(length)[1]).toArray());
        TokenScores scores = TokenScores.ofBeginnings(List.of(from, to), enough, length);
        List<Object> row =
            new ArrayList<>(
                List.of(
                    from,
                    to,
                    length,
                    enough.size(),
                    kl.mean(),
                    kl.error(),
                    chain.mean(),
                    chain.error(),
                    scores.textVariance(0).get(0, 1)));
        for (int target : List.of(1, 16)) {
          boolean two = length > target;
          row.add(two ? scores.segments(target).get(0, 1) : "");
          row.add(two ? scores.segmentMatrix(target).centredShare() : "");
        }
        table.add(row.toArray());
      }
    }
  }

  private static int[][] ownSamples(ZooModel model) {
    int[] start = {model.prefix()};
    int most = OWN_SAMPLES.get(0);
    int longer = OWN_SAMPLES.get(OWN_SAMPLES.size() - 1);
    int shorter = OWN_LENGTHS.get(OWN_LENGTHS.size() - 2);
    int longest = OWN_LENGTHS.get(OWN_LENGTHS.size() - 1);
    SampledTokens sampler = new SampledTokens(model, SEED);
    int[][] all =
        sampler.continueAll(
            Collections.nCopies(most, start), token -> true, tokens -> tokens.length >= shorter);
    int[][] some =
        new SampledTokens(model, SEED + 1)
            .continueAll(
                Arrays.asList(all).subList(0, longer),
                token -> true,
                tokens -> tokens.length >= longest - shorter);
    System.arraycopy(some, 0, all, 0, longer);
    return Arrays.stream(all)
        .map(ids -> Arrays.copyOfRange(ids, 1, ids.length))
        .toArray(int[][]::new);
  }

  /** A special token stands for no bytes; it gets one, so that it has a place in the text. */
  private static int[] offsets(TokenBytes vocabulary, int[] tokens) {
    int[] offsets = new int[tokens.length + 1];
    for (int t = 0; t < tokens.length; t++) {
      offsets[t + 1] = offsets[t] + Math.max(1, vocabulary.get(tokens[t]).length);
    }
    return offsets;
  }

  /** Models of each architecture, and the twin whose scores depend on its batch. */
  static final List<String> SCORED_TWICE =
      List.of(
          "gpt2-general-a",
          "llama-general",
          "neox-multi-a",
          "qwen3-code-a",
          "gpt2-code-int8-dynamic");

  @Test
  void noise() {
    Zoo.load().extract(zoo);
    TextSet texts = TextSet.readJsonl(zoo.resolve("texts.jsonl"));
    Tsv table =
        new Tsv(
            List.of(
                "A model against itself: scored one text at a time, and in padded batches of at most"
                    + " 2048 tokens; nats per text.",
                "text set\t" + texts.fingerprint()),
            List.of("model", "textVariance", "segments1", "segments16"));
    for (String model : SCORED_TWICE) {
      TokenScores scores = scoredTwice(zoo, model, texts);
      table.add(
          model,
          scores.textVariance().get(0, 1),
          scores.segments(1).get(0, 1),
          scores.segments(16).get(0, 1));
    }
    table.write(FOLDER.resolve("noise.tsv"));
  }

  /** Alone, in a batch of one; then by the defaults. */
  static TokenScores scoredTwice(Path zoo, String model, TextSet texts) {
    ScorerOptions options = ScorerOptions.defaults().withTokenLogProbs(true);
    return new TokenScores(texts)
        .add("alone", TokenScores.score(zoo, model, texts, options.withTokenBudget(1)))
        .add("batched", TokenScores.score(zoo, model, texts, options));
  }

  /** Puts the stored figures into the page, between the markers of each table. */
  @Test
  @Order(Integer.MAX_VALUE)
  void page() throws IOException {
    Path file = Path.of("../docs/estimator.md");
    String text = Files.readString(file);
    for (Map.Entry<String, List<String>> table : EstimatorTables.of(FOLDER).entrySet()) {
      String marker = "<!-- table %s -->\n".formatted(table.getKey());
      int from = text.indexOf(marker) + marker.length();
      int to = text.indexOf("<!-- end -->", from);
      text =
          text.substring(0, from) + String.join("\n", table.getValue()) + "\n" + text.substring(to);
    }
    Files.writeString(file, text);
  }
}
