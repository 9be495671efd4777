package io.llmap.examples;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** The tables of docs/estimator.md, from the stored figures. */
final class EstimatorTables {
  /** Pairs below it, in nats per token, are near. */
  static final double NEAR = 0.7;

  private static final List<String> DOMAIN_COLUMNS =
      List.of("sketch", "segments16", "textVariance", "mixture");
  private static final List<String> BAND_COLUMNS =
      List.of("sketch", "hellinger", "segments16", "textVariance");

  private static final List<Zoo.Model> MODELS = Zoo.load().models();

  private final List<Pair> pairs;
  private final Tsv estimates;
  private final Tsv words;
  private final Tsv own;
  private final Tsv noise;
  private final double bytesPerText;

  /**
   * Two models of one tokenizer on a part of the texts.
   *
   * @param truth true KL, mean of both directions, nats per text
   * @param estimates a row of estimates
   */
  record Pair(
      String first, String second, String texts, double tokens, double truth, Tsv.Row estimates) {
    double perToken() {
      return truth / tokens;
    }

    boolean near() {
      return perToken() < NEAR;
    }

    /** An estimate divided by the truth. */
    double ratio(String column) {
      return estimates.number(column) / truth;
    }

    boolean on(String part) {
      return texts.equals(part);
    }

    /** Both have finished training on the domain that the texts are of. */
    boolean bothKnowTheTexts() {
      return Stream.of(first, second)
          .map(EstimatorTables::model)
          .allMatch(
              model ->
                  !model.relation().equals("checkpoint")
                      && (origin(model).equals(texts) || origin(model).equals("mix")));
    }
  }

  private EstimatorTables(Path folder) {
    this.estimates = Tsv.read(folder.resolve("estimates.tsv"));
    this.pairs = pairs(folder);
    this.words = Tsv.read(folder.resolve("words.tsv"));
    this.own = Tsv.read(folder.resolve("own-samples.tsv"));
    this.noise = Tsv.read(folder.resolve("noise.tsv"));
    this.bytesPerText = Double.parseDouble(estimates.setting("bytes a text"));
  }

  /** All tables by the name of their marker. */
  static Map<String, List<String>> of(Path folder) {
    EstimatorTables tables = new EstimatorTables(folder);
    Map<String, List<String>> all = new LinkedHashMap<>();
    all.put("domains", tables.domains());
    all.put("bands", tables.bands());
    all.put("lengths", tables.lengths());
    all.put("segments", tables.segmentLengths());
    all.put("words", tables.words());
    all.put("twins", tables.twins());
    all.put("noise", tables.noise());
    all.put("own", tables.own());
    return all;
  }

  /** All pairs whose truth is stored, with their estimates. */
  static List<Pair> pairs(Path folder) {
    Map<List<String>, Tsv.Row> rows = new HashMap<>();
    for (Tsv.Row row : Tsv.read(folder.resolve("estimates.tsv")).rows()) {
      rows.put(key(row), row);
    }
    List<Pair> pairs = new ArrayList<>();
    for (Tsv.Row row : Tsv.read(folder.resolve("truth.tsv")).rows()) {
      Tsv.Row estimate = rows.get(key(row));
      if (estimate == null) {
        throw new IllegalArgumentException("no estimate for " + key(row));
      }
      pairs.add(
          new Pair(
              row.text("first"),
              row.text("second"),
              row.text("texts"),
              row.number("tokens"),
              (row.number("forward") + row.number("backward")) / 2,
              estimate));
    }
    return pairs;
  }

  private static List<String> key(Tsv.Row row) {
    return List.of(row.text("first"), row.text("second"), row.text("texts"));
  }

  private static Zoo.Model model(String name) {
    return MODELS.stream().filter(model -> model.name().equals(name)).findFirst().orElseThrow();
  }

  /** The corpus that a model, or the ancestor that it was made from, was trained on. */
  private static String origin(Zoo.Model model) {
    return model.parent().isEmpty() ? model.corpus() : origin(model(model.parent()));
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  }

  private List<String> domains() {
    List<String> lines =
        table(
            "texts", "models", "pairs", "`SKETCH`", "`SEGMENTS`", "`TEXT_VARIANCE`", "d·tanh(d/2)");
    for (String domain : TextPart.DOMAINS) {
      ratios(
          lines,
          List.of(domain, "both know them, near"),
          pair -> pair.on(domain) && pair.bothKnowTheTexts() && pair.near(),
          DOMAIN_COLUMNS);
    }
    Predicate<Pair> oneDomain = pair -> TextPart.DOMAINS.contains(pair.texts);
    ratios(
        lines,
        List.of("**one domain**", "**both know them, near**"),
        oneDomain.and(pair -> pair.bothKnowTheTexts() && pair.near()),
        DOMAIN_COLUMNS);
    ratios(
        lines,
        List.of("one domain", "both know them, far"),
        oneDomain.and(pair -> pair.bothKnowTheTexts() && !pair.near()),
        DOMAIN_COLUMNS);
    ratios(
        lines,
        List.of("one domain", "not both know them, near"),
        oneDomain.and(pair -> !pair.bothKnowTheTexts() && pair.near()),
        DOMAIN_COLUMNS);
    ratios(
        lines,
        List.of("one domain", "not both know them, far"),
        oneDomain.and(pair -> !pair.bothKnowTheTexts() && !pair.near()),
        DOMAIN_COLUMNS);
    return lines;
  }

  private List<String> bands() {
    List<String> lines =
        table(
            "truth, nats per token",
            "pairs",
            "`SKETCH`",
            "H alone",
            "`SEGMENTS`",
            "`TEXT_VARIANCE`");
    double[] edges = {0, 0.02, 0.1, 0.3, NEAR, 1.5, 3, Double.POSITIVE_INFINITY};
    for (int e = 0; e + 1 < edges.length; e++) {
      double low = edges[e];
      double high = edges[e + 1];
      String name =
          low == 0
              ? "below " + high
              : Double.isInfinite(high) ? "%s and more".formatted(low) : low + " – " + high;
      ratios(
          lines,
          List.of(name),
          pair -> pair.on(TextPart.ALL) && pair.perToken() >= low && pair.perToken() < high,
          BAND_COLUMNS);
    }
    ratios(
        lines,
        List.of("**below 0.7**"),
        pair -> pair.on(TextPart.ALL) && pair.near(),
        BAND_COLUMNS);
    ratios(
        lines,
        List.of("**0.7 and more**"),
        pair -> pair.on(TextPart.ALL) && !pair.near(),
        BAND_COLUMNS);
    return lines;
  }

  private void ratios(
      List<String> lines, List<String> names, Predicate<Pair> which, List<String> columns) {
    List<Pair> selected = pairs.stream().filter(which).toList();
    List<String> cells = new ArrayList<>(names);
    cells.add(Integer.toString(selected.size()));
    for (String column : columns) {
      cells.add(spread(selected, pair -> pair.ratio(column)));
    }
    add(lines, cells);
  }

  private List<String> lengths() {
    List<String> lines =
        table(
            "texts",
            "tokens",
            "`SKETCH`",
            "`SEGMENTS`",
            "`SEGMENTS` / `centredShare`",
            "`TEXT_VARIANCE`");
    List<List<String>> near =
        pairs.stream()
            .filter(pair -> pair.on(TextPart.ALL) && pair.near())
            .map(pair -> List.of(pair.first, pair.second))
            .toList();
    List<String> parts =
        Stream.concat(TextPart.LIMITS.stream().map(TextPart::label), Stream.of(TextPart.ALL))
            .toList();
    for (String part : parts) {
      List<Pair> selected =
          pairs.stream()
              .filter(pair -> pair.on(part) && near.contains(List.of(pair.first, pair.second)))
              .toList();
      add(
          lines,
          List.of(
              part.equals(TextPart.ALL) ? "whole texts" : part,
              format("%.0f", selected.stream().mapToDouble(Pair::tokens).average().orElseThrow()),
              spread(selected, pair -> pair.ratio("sketch")),
              spread(selected, pair -> pair.ratio("segments16")),
              spread(selected, pair -> pair.ratio("segments16") / pair.estimates.number("share16")),
              spread(selected, pair -> pair.ratio("textVariance"))));
    }
    return lines;
  }

  private List<String> segmentLengths() {
    List<String> lines =
        table(
            "tokens a segment",
            "`centredShare`",
            "one domain, both know it, near",
            "all texts, near",
            "all texts, far");
    for (int target : EstimatorFigures.TARGETS) {
      String column = "segments" + target;
      List<Pair> whole = pairs.stream().filter(pair -> pair.on(TextPart.ALL)).toList();
      add(
          lines,
          List.of(
              Integer.toString(target),
              format("%.3f", whole.get(0).estimates.number("share" + target)),
              spread(
                  pairs.stream().filter(pair -> pair.bothKnowTheTexts() && pair.near()).toList(),
                  pair -> pair.ratio(column)),
              spread(whole.stream().filter(Pair::near).toList(), pair -> pair.ratio(column)),
              spread(
                  whole.stream().filter(pair -> !pair.near()).toList(),
                  pair -> pair.ratio(column))));
    }
    return lines;
  }

  private List<String> words() {
    List<String> lines =
        table(
            "texts",
            "pair",
            "sampled KL, bits per byte",
            "any cut",
            "/ teacher-forced",
            "`SEGMENTS` / sampled",
            "`TEXT_VARIANCE` / sampled",
            "d·tanh(d/2) / sampled");
    for (Sampled sampled : sampled()) {
      EstimatorFigures.SampledPair pair = sampled.pair;
      add(
          lines,
          List.of(
              pair.texts(),
              "`%s`, `%s`".formatted(pair.first(), pair.second()),
              format("%.3f ± %.3f", bitsPerByte(sampled.kl), bitsPerByte(sampled.error)),
              format("%.3f", bitsPerByte(sampled.anyCut)),
              pairs.stream()
                  .filter(known -> known.on(pair.texts()))
                  .filter(known -> pair.is(known.first, known.second))
                  .map(known -> format("%.2f", sampled.kl / known.truth))
                  .findFirst()
                  .orElse(""),
              digits(sampled.ratio("segments16")),
              digits(sampled.ratio("textVariance")),
              digits(sampled.ratio("mixture"))));
    }
    return lines;
  }

  /**
   * A sampled divergence, mean of both directions, in nats per text.
   *
   * @param error its standard error
   * @param anyCut the divergence along the drawn tokens
   * @param estimates a row of estimates
   */
  record Sampled(
      EstimatorFigures.SampledPair pair,
      double kl,
      double error,
      double anyCut,
      Tsv.Row estimates) {
    /** An estimate divided by the sampled divergence. */
    double ratio(String column) {
      return estimates.number(column) / kl;
    }
  }

  private List<Sampled> sampled() {
    List<Sampled> all = new ArrayList<>();
    for (EstimatorFigures.SampledPair pair : EstimatorFigures.SAMPLED_PAIRS) {
      Tsv.Row forward = word(pair.texts(), pair.first(), pair.second());
      Tsv.Row backward = word(pair.texts(), pair.second(), pair.first());
      double half = forward.number("words") / 2;
      all.add(
          new Sampled(
              pair,
              half * (forward.number("kl") + backward.number("kl")),
              half * Math.hypot(forward.number("error"), backward.number("error")),
              half * (forward.number("path") + backward.number("path")),
              estimates.rows().stream()
                  .filter(row -> row.text("texts").equals(pair.texts()))
                  .filter(row -> pair.is(row.text("first"), row.text("second")))
                  .findFirst()
                  .orElseThrow()));
    }
    return all;
  }

  /** All sampled divergences. */
  static List<Sampled> sampled(Path folder) {
    return new EstimatorTables(folder).sampled();
  }

  private Tsv.Row word(String texts, String from, String to) {
    return words.rows().stream()
        .filter(row -> row.text("texts").equals(texts))
        .filter(row -> row.text("from").equals(from) && row.text("to").equals(to))
        .findFirst()
        .orElseThrow();
  }

  private List<String> twins() {
    List<String> lines =
        table(
            "twin",
            "texts",
            "truth, nats per text",
            "truth, bits per byte",
            "`SKETCH`",
            "`SEGMENTS`",
            "`TEXT_VARIANCE`",
            "`SKETCH` / truth",
            "`SEGMENTS` / truth",
            "`TEXT_VARIANCE` / truth");
    for (Zoo.Model twin : MODELS) {
      if (twin.relation().equals("quantised")) {
        for (String part : List.of(TextPart.ALL, origin(twin))) {
          Pair pair =
              pairs.stream()
                  .filter(p -> p.on(part))
                  .filter(
                      p ->
                          List.of(p.first, p.second)
                              .containsAll(List.of(twin.name(), twin.parent())))
                  .findFirst()
                  .orElseThrow();
          add(
              lines,
              List.of(
                  "`" + twin.name() + "`",
                  part,
                  format("%.3f", pair.truth),
                  format("%.5f", bitsPerByte(pair.truth)),
                  format("%.3f", pair.estimates.number("sketch")),
                  format("%.3f", pair.estimates.number("segments16")),
                  format("%.3f", pair.estimates.number("textVariance")),
                  digits(pair.ratio("sketch")),
                  digits(pair.ratio("segments16")),
                  digits(pair.ratio("textVariance"))));
        }
      }
    }
    return lines;
  }

  private List<String> noise() {
    List<String> lines =
        table("model", "`SEGMENTS`, nats per text", "`TEXT_VARIANCE`, nats per text");
    for (Tsv.Row row : noise.rows()) {
      add(
          lines,
          List.of(
              "`" + row.text("model") + "`",
              exponent(row.number("segments16")),
              exponent(row.number("textVariance"))));
    }
    return lines;
  }

  private List<String> own() {
    List<String> lines =
        table(
            "samples of",
            "other model",
            "tokens",
            "samples",
            "KL, nats",
            "by the chain rule",
            "`SEGMENTS`, 1 token",
            "`SEGMENTS`, 16 tokens",
            "`TEXT_VARIANCE`");
    for (Tsv.Row row : own.rows()) {
      double truth = row.number("chain");
      add(
          lines,
          List.of(
              "`" + row.text("from") + "`",
              "`" + row.text("to") + "`",
              row.text("tokens"),
              row.text("samples"),
              format("%.2f ± %.2f", row.number("kl"), row.number("error")),
              format("%.2f ± %.2f", truth, row.number("chainError")),
              digits(row.number("segments1") / row.number("share1") / truth),
              row.text("segments16").isEmpty()
                  ? ""
                  : digits(row.number("segments16") / row.number("share16") / truth),
              digits(row.number("textVariance") / truth)));
    }
    return lines;
  }

  private double bitsPerByte(double nats) {
    return nats / (bytesPerText * Math.log(2));
  }

  /** Median and range. */
  private static String spread(List<Pair> pairs, ToDoubleFunction<Pair> ratio) {
    double[] ratios = pairs.stream().mapToDouble(ratio).toArray();
    double least = Arrays.stream(ratios).min().orElseThrow();
    double most = Arrays.stream(ratios).max().orElseThrow();
    if (ratios.length == 1) {
      return digits(least);
    }
    return "%s (%s – %s)".formatted(digits(median(ratios)), digits(least), digits(most));
  }

  private static String digits(double ratio) {
    return format(ratio < 10 ? "%.2f" : "%.0f", ratio);
  }

  private static String exponent(double value) {
    return value == 0 ? "0" : format(value < 0.01 ? "%.0e" : "%.2f", value);
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  private static List<String> table(String... columns) {
    List<String> lines = new ArrayList<>();
    add(lines, List.of(columns));
    lines.add("|" + " --- |".repeat(columns.length));
    return lines;
  }

  private static void add(List<String> lines, List<String> cells) {
    lines.add("| " + String.join(" | ", cells) + " |");
  }
}
