package io.llmap.distance;

import io.llmap.LlmapException;
import io.llmap.internal.Parallel;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Builds a {@link SketchMatrix} from scores with sketches.
 *
 * <p>Every model's scores are read once, the first one's twice, one text at a time. Models are read
 * in parallel, in the ForkJoinPool of the caller. Memory beyond the result: the byte offsets of all
 * tokens.
 *
 * <p>Not safe for use by several threads.
 */
public final class SketchMatrixBuilder {
  private final TextSet texts;
  private final int[] textBytes;
  private final List<TokenSource> models = new ArrayList<>();
  private int tokensPerSketch = 1;

  SketchMatrixBuilder(TextSet texts) {
    this.texts = texts;
    this.textBytes = texts.texts().stream().mapToInt(Text::bytes).toArray();
  }

  /**
   * Sets how many neighbouring tokens of a text have their sketches summed. The estimate stays
   * unbiased, because the signs of different tokens are independent; memory and time for distances
   * shrink, and the noise grows with the root: about 1.5 divided by the root of the number of
   * sketches, such as 1.6 % with 9,000.
   *
   * @param value at least 1, which is the default
   * @return this
   * @throws IllegalArgumentException if it is less than 1
   */
  public SketchMatrixBuilder tokensPerSketch(int value) {
    if (value < 1) {
      throw new IllegalArgumentException("a sketch is of at least 1 token, got " + value);
    }
    tokensPerSketch = value;
    return this;
  }

  /**
   * Adds a model whose scores are at hand.
   *
   * @param name different from the other models'
   * @param scores one for each text, in the text set's order, with sketches
   * @return this
   * @throws IllegalArgumentException if there is another number of scores than of texts, or a model
   *     of this name
   */
  public SketchMatrixBuilder add(String name, List<TextScore> scores) {
    return add(TokenSource.of(name, scores, texts));
  }

  /**
   * Adds a model whose scores are read.
   *
   * @param name different from the other models'
   * @param scores hands the same scores, one for each text with sketches, to the listener at every
   *     call; different models may be read at the same time
   * @return this
   * @throws IllegalArgumentException if there is a model of this name
   */
  public SketchMatrixBuilder add(String name, Consumer<ScoringListener> scores) {
    return add(new TokenSource(name, "", Map.of(), scores));
  }

  /**
   * Adds a stored model.
   *
   * @param store where it is stored
   * @param run one of {@link ScoreStore#sketchRuns}
   * @return this
   * @throws IllegalArgumentException if the run is of other texts, or there is a model of this name
   * @throws LlmapException if the run has no sketches
   */
  public SketchMatrixBuilder add(ScoreStore store, Provenance run) {
    if (!"true".equals(run.options().get("sketches"))) {
      throw new LlmapException(
          "model \"%s\" was scored without sketches; score it with sketches"
              .formatted(run.model().name()));
    }
    return add(TokenSource.of(store, run, texts));
  }

  private SketchMatrixBuilder add(TokenSource model) {
    if (models.stream().anyMatch(other -> other.name().equals(model.name()))) {
      throw new IllegalArgumentException("two models are named \"" + model.name() + "\"");
    }
    models.add(model);
    return this;
  }

  /**
   * Reads all scores and builds the matrix.
   *
   * @return the matrix
   * @throws IllegalArgumentException if no model was added
   * @throws LlmapException if a model lacks the score of a text or its sketches, cut a text into
   *     other tokens than another model, scored another text than the set's or was scored with
   *     another prefix policy; the message names the models and the text
   */
  public SketchMatrix build() {
    if (models.isEmpty()) {
      throw new IllegalArgumentException("a sketch matrix needs at least one model");
    }
    Map<String, String> options = TokenSource.commonOptions(models, Map.of(), "");
    int[][] bounds = new int[texts.size()][];
    models.get(0).read(texts, textBytes, (n, tokens, ends) -> bounds[n] = ends);
    long[] firstTokens = new long[bounds.length + 1];
    int[] starts = new int[bounds.length + 1];
    long bytes = 0;
    for (int n = 0; n < bounds.length; n++) {
      int tokens = bounds[n].length - 1;
      firstTokens[n + 1] = firstTokens[n] + tokens;
      starts[n + 1] = Math.addExact(starts[n], (tokens + tokensPerSketch - 1) / tokensPerSketch);
      bytes += bounds[n][tokens] - bounds[n][0];
    }
    long tokens = firstTokens[bounds.length];
    if (tokens == 0) {
      throw new LlmapException("none of the %d texts has a scored token".formatted(bounds.length));
    }
    int step =
        Math.toIntExact((tokens + SketchMatrix.RATIO_TOKENS - 1) / SketchMatrix.RATIO_TOKENS);
    float[][] sketches = new float[models.size()][starts[bounds.length]];
    float[][] logProbs = new float[models.size()][(int) ((tokens + step - 1) / step)];
    Parallel.forEach(
        models.size(),
        i ->
            models
                .get(i)
                .read(
                    texts,
                    textBytes,
                    (n, score, ends) -> {
                      requireSameTokens(i, n, bounds[n], ends);
                      fill(sketches[i], starts[n], sketchesOf(i, n, score), ends.length - 1);
                      for (int t = firstSampled(firstTokens[n], step);
                          t < ends.length - 1;
                          t += step) {
                        logProbs[i][(int) ((firstTokens[n] + t) / step)] =
                            (float) score.logProbs()[t];
                      }
                    }));
    return new SketchMatrix(
        models.stream().map(TokenSource::name).toList(),
        models.stream().map(TokenSource::fingerprint).toList(),
        options,
        new SketchLayout(starts, tokens, tokensPerSketch, step, (double) bytes / bounds.length),
        sketches,
        logProbs);
  }

  private static int firstSampled(long firstToken, int step) {
    return (int) ((step - firstToken % step) % step);
  }

  private float[] sketchesOf(int i, int n, TokenLogProbs tokens) {
    return tokens
        .sketches()
        .orElseThrow(
            () ->
                new LlmapException(
                    "model \"%s\" has no sketches of text \"%s\"; score it with sketches"
                        .formatted(models.get(i).name(), texts.get(n).id())));
  }

  private void requireSameTokens(int i, int n, int[] expected, int[] actual) {
    if (expected.length != actual.length) {
      throw otherTokens(i, n, expected.length - 1 + " tokens", actual.length - 1 + "");
    }
    int t = Arrays.mismatch(expected, actual);
    if (t >= 0) {
      throw otherTokens(
          i, n, "token %d at byte %d".formatted(t, expected[t]), "at byte " + actual[t]);
    }
  }

  private LlmapException otherTokens(int i, int n, String first, String other) {
    return new LlmapException(
        ("model \"%s\" has %s of text \"%s\", but \"%s\" %s: sketches compare models of one tokenizer"
                + " that scored the same tokens; use segments for others")
            .formatted(
                models.get(0).name(), first, texts.get(n).id(), models.get(i).name(), other));
  }

  private void fill(float[] target, int start, float[] sketches, int tokens) {
    for (int from = 0, g = start; from < tokens; from += tokensPerSketch, g++) {
      double sum = 0;
      for (int t = from; t < Math.min(tokens, from + tokensPerSketch); t++) {
        sum += sketches[t];
      }
      target[g] = (float) sum;
    }
  }
}
