package io.llmap.examples;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.distance.SegmentMatrix;
import io.llmap.distance.SegmentMatrixBuilder;
import io.llmap.distance.SketchMatrix;
import io.llmap.distance.SketchMatrixBuilder;
import io.llmap.internal.Parallel;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.Scorers;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Scores with token log-probabilities of several models on the same texts, and all estimators. */
final class TokenScores {
  private final TextSet texts;
  private final Map<String, List<TextScore>> byModel = new LinkedHashMap<>();

  TokenScores(TextSet texts) {
    this.texts = texts;
  }

  /** The scores of the beginnings of sampled texts, each of so many tokens. */
  static TokenScores ofBeginnings(List<String> models, List<TeacherForcedKl> samples, int tokens) {
    List<Text> standIns = new ArrayList<>();
    for (int n = 0; n < samples.size(); n++) {
      // A sample need not be valid UTF-8; what counts is how many bytes it has.
      standIns.add(Text.of(Integer.toString(n), "x".repeat(samples.get(n).bounds()[tokens])));
    }
    TokenScores scores = new TokenScores(TextSet.of(standIns));
    for (int i = 0; i < models.size(); i++) {
      int model = i;
      scores.add(
          models.get(i), samples.stream().map(sample -> sample.beginning(model, tokens)).toList());
    }
    return scores;
  }

  /** Scores texts as the command does. */
  static List<TextScore> score(Path zoo, String model, TextSet texts, ScorerOptions options) {
    TextScore[] scores = new TextScore[texts.size()];
    try (LogLikelihoodScorer scorer =
        Scorers.open(new ModelSpec("onnx", zoo.resolve(model), model), options)) {
      scorer.score(texts.texts(), (n, score) -> scores[n] = score);
    }
    return List.of(scores);
  }

  TokenScores add(String model, List<TextScore> scores) {
    byModel.put(model, scores);
    return this;
  }

  /** The same models on a part of the texts. */
  TokenScores on(TextPart part, List<String> models) {
    List<Text> beginnings = new ArrayList<>();
    for (int n : part.texts()) {
      byte[] utf8 = texts.get(n).content().getBytes(StandardCharsets.UTF_8);
      int bytes = beginning(scoresOf(models.get(0)).get(n), part).bytes();
      beginnings.add(
          Text.of(texts.get(n).id(), new String(utf8, 0, bytes, StandardCharsets.UTF_8)));
    }
    TokenScores scores = new TokenScores(TextSet.of(beginnings));
    for (String model : models) {
      List<TextScore> all = scoresOf(model);
      scores.add(
          model, Arrays.stream(part.texts()).mapToObj(n -> beginning(all.get(n), part)).toList());
    }
    return scores;
  }

  private List<TextScore> scoresOf(String model) {
    List<TextScore> scores = byModel.get(model);
    if (scores == null) {
      throw new IllegalArgumentException("no scores of " + model);
    }
    return scores;
  }

  private static TextScore beginning(TextScore score, TextPart part) {
    if (part.whole()) {
      return score;
    }
    TokenLogProbs all = score.tokenLogProbs().orElseThrow();
    int[] bounds = Arrays.copyOf(all.byteOffsets(), all.byteOffsets().length + 1);
    bounds[bounds.length - 1] = score.bytes();
    int tokens = TextPart.tokens(bounds, part.limit());
    return beginning(
        all.logProbs(), bounds, all.sketches().map(h -> Arrays.copyOf(h, tokens)), tokens);
  }

  /**
   * The score of the first tokens of a text.
   *
   * @param bounds the byte at which each token starts, and the length of the text
   * @param sketches of these tokens
   */
  static TextScore beginning(
      double[] logProbs, int[] bounds, Optional<float[]> sketches, int tokens) {
    double[] first = Arrays.copyOf(logProbs, tokens);
    return new TextScore(
        Arrays.stream(first).sum(),
        tokens,
        bounds[tokens],
        false,
        Optional.of(new TokenLogProbs(first, Arrays.copyOf(bounds, tokens), sketches)));
  }

  /** The estimator of the paper with clipping at its quantile, nats per text. */
  DistanceMatrix textVariance() {
    return textVariance(Clipping.DEFAULT_QUANTILE);
  }

  /** The estimator of the paper, nats per text; a quantile of 0 clips nothing. */
  DistanceMatrix textVariance(double quantile) {
    double[][] sums =
        byModel.values().stream()
            .map(row -> row.stream().mapToDouble(TextScore::logLikelihood).toArray())
            .toArray(double[][]::new);
    LogLikelihoodMatrix matrix =
        LogLikelihoodMatrix.of(
            List.copyOf(byModel.keySet()),
            texts.ids(),
            texts.texts().stream().mapToInt(Text::bytes).toArray(),
            sums);
    Clipping clipping = Clipping.atQuantile(matrix, quantile);
    return KlDistances.of(CenteredMatrix.of(matrix, clipping)).in(KlUnit.NATS_PER_TEXT);
  }

  SegmentMatrix segmentMatrix(int tokens) {
    SegmentMatrixBuilder builder = SegmentMatrix.builder(texts).targetTokens(tokens);
    byModel.forEach(builder::add);
    return builder.build();
  }

  /** The calibrated estimator, nats per text. */
  DistanceMatrix segments(int tokens) {
    return KlDistances.of(segmentMatrix(tokens)).in(KlUnit.NATS_PER_TEXT);
  }

  /** The sketches of some models, which have one tokenizer. */
  SketchMatrix sketchMatrix(List<String> models) {
    SketchMatrixBuilder builder = SketchMatrix.builder(texts);
    models.forEach(model -> builder.add(model, scoresOf(model)));
    return builder.build();
  }

  /**
   * The mean of both directions of KL by an identity that holds for differences d of any size, if
   * the tokens come from the mixture m of both models; nats per text.
   *
   * <pre>Σ m d tanh(d / 2) = ½ Σ (p_i − p_j) (log p_i − log p_j),    m = (p_i + p_j) / 2</pre>
   *
   * <p>d is taken over the shortest segments that all models have in common, without centring. It
   * is no squared Euclidean distance: O(K²·G) time.
   */
  DistanceMatrix mixture() {
    SegmentMatrix segments = segmentMatrix(1);
    int k = segments.models();
    double[][] values = new double[k][k];
    Parallel.forEach(
        k,
        i -> {
          for (int j = 0; j < k; j++) {
            double sum = 0;
            for (int g = 0; g < segments.segments(); g++) {
              double d = segments.get(i, g) - segments.get(j, g);
              sum += d * Math.tanh(d / 2);
            }
            values[i][j] = sum / segments.texts();
          }
        });
    return DistanceMatrix.of(segments.names(), values);
  }
}
