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
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Builds a {@link SegmentMatrix} from token log-probabilities.
 *
 * <p>Every model's scores are read twice, one text at a time: first for the tokens' boundaries,
 * then for the sums. Models are read in parallel, in the ForkJoinPool of the caller. Memory beyond
 * the result: for each text one array of token offsets for each different tokenization of it.
 *
 * <p>Not safe for use by several threads.
 */
public final class SegmentMatrixBuilder {
  private final TextSet texts;
  private final int[] textBytes;
  private final @Nullable SegmentMatrix base;
  private int targetTokens = SegmentMatrix.DEFAULT_TARGET_TOKENS;
  private final List<TokenSource> models = new ArrayList<>();

  SegmentMatrixBuilder(TextSet texts) {
    this.texts = texts;
    this.textBytes = texts.texts().stream().mapToInt(Text::bytes).toArray();
    this.base = null;
  }

  SegmentMatrixBuilder(TextSet texts, SegmentMatrix base) {
    if (!texts.fingerprint().equals(base.textSetFingerprint())) {
      throw new IllegalArgumentException(
          "the segments are of the text set %s, but the texts are %s"
              .formatted(base.textSetFingerprint(), texts.fingerprint()));
    }
    this.texts = texts;
    this.textBytes = texts.texts().stream().mapToInt(Text::bytes).toArray();
    this.base = base;
    targetTokens = base.targetTokens();
  }

  /**
   * Sets the number of tokens up to which segments are joined.
   *
   * @param value at least 1; shorter segments follow the tokens' own divergence more closely,
   *     longer ones let models with different tokenizers be compared
   * @return this
   * @throws IllegalArgumentException if it is less than 1
   * @throws IllegalStateException if a matrix is being extended, whose cuts are made already
   */
  public SegmentMatrixBuilder targetTokens(int value) {
    if (value < 1) {
      throw new IllegalArgumentException("a segment's target is at least 1 token, got " + value);
    }
    if (base != null && value != base.targetTokens()) {
      throw new IllegalStateException(
          "the matrix to extend was cut at %d tokens, not %d"
              .formatted(base.targetTokens(), value));
    }
    targetTokens = value;
    return this;
  }

  /**
   * Adds a model whose scores are at hand.
   *
   * @param name different from the other models'
   * @param scores one for each text, in the text set's order, with token log-probabilities
   * @return this
   * @throws IllegalArgumentException if there is another number of scores than of texts, or a model
   *     of this name
   */
  public SegmentMatrixBuilder add(String name, List<TextScore> scores) {
    return add(TokenSource.of(name, scores, texts));
  }

  /**
   * Adds a model whose scores are read twice.
   *
   * @param name different from the other models'
   * @param scores hands the same scores, one for each text with token log-probabilities, to the
   *     listener at every call; different models may be read at the same time
   * @return this
   * @throws IllegalArgumentException if there is a model of this name
   */
  public SegmentMatrixBuilder add(String name, Consumer<ScoringListener> scores) {
    return add(new TokenSource(name, "", Map.of(), scores));
  }

  private SegmentMatrixBuilder add(TokenSource model) {
    if ((base != null && base.names().contains(model.name()))
        || models.stream().anyMatch(other -> other.name().equals(model.name()))) {
      throw new IllegalArgumentException("two models are named \"" + model.name() + "\"");
    }
    models.add(model);
    return this;
  }

  /**
   * Adds a stored model.
   *
   * @param store where it is stored
   * @param run one of {@link ScoreStore#tokenRuns}
   * @return this
   * @throws IllegalArgumentException if the run is of other texts, or there is a model of this name
   */
  public SegmentMatrixBuilder add(ScoreStore store, Provenance run) {
    return add(TokenSource.of(store, run, texts));
  }

  /**
   * Reads all scores and builds the matrix.
   *
   * @return the matrix
   * @throws IllegalArgumentException if no model was added, or the texts of a matrix to extend
   *     stand in another order
   * @throws LlmapException if a model lacks the score of a text or its token log-probabilities,
   *     scored another text than the set's, was scored with another prefix policy than another one,
   *     or no text has two segments; the message names the model and the text
   */
  public SegmentMatrix build() {
    if (models.isEmpty()) {
      throw new IllegalArgumentException("a segment matrix needs at least one model");
    }
    Map<String, String> options =
        base == null
            ? TokenSource.commonOptions(models, Map.of(), "")
            : TokenSource.commonOptions(models, base.options(), base.names().get(0));
    SegmentCuts[] boundaries = new SegmentCuts[texts.size()];
    Arrays.setAll(boundaries, n -> new SegmentCuts());
    Parallel.forEach(
        models.size(),
        i ->
            models.get(i).read(texts, textBytes, (n, tokens, bounds) -> boundaries[n].add(bounds)));
    List<SegmentCuts.Cuts> cuts = cut(boundaries);
    SegmentLayout layout = layout(cuts);
    int old = base == null ? 0 : base.models();
    float[][] values = new float[old + models.size()][layout.bytes().length];
    int[] columns = columns(cuts);
    if (base != null) {
      SegmentMatrix finer = base;
      Parallel.forEach(old, i -> joinRow(finer, i, layout, values[i]));
    }
    Parallel.forEach(
        models.size(),
        i ->
            models
                .get(i)
                .read(
                    texts,
                    textBytes,
                    (n, tokens, bounds) -> {
                      if (columns[n] >= 0) {
                        sum(
                            models.get(i),
                            n,
                            tokens,
                            cuts.get(n).bytes(),
                            values[old + i],
                            columns[n]);
                      }
                    }));
    return new SegmentMatrix(
        layout,
        append(base == null ? List.of() : base.names(), TokenSource::name),
        append(fingerprintsOf(base), TokenSource::fingerprint),
        options,
        values);
  }

  private static List<String> fingerprintsOf(@Nullable SegmentMatrix matrix) {
    return matrix == null
        ? List.of()
        : IntStream.range(0, matrix.models()).mapToObj(matrix::modelFingerprint).toList();
  }

  private List<String> append(List<String> old, Function<TokenSource, String> property) {
    List<String> all = new ArrayList<>(old);
    models.forEach(model -> all.add(property.apply(model)));
    return all;
  }

  private String id(int n) {
    return texts.get(n).id();
  }

  /** For each text of the set its cuts; fewer than three where it is left out. */
  private List<SegmentCuts.Cuts> cut(SegmentCuts[] boundaries) {
    SegmentCuts.Cuts[] cuts = new SegmentCuts.Cuts[boundaries.length];
    SegmentMatrix finer = base;
    if (finer == null) {
      Parallel.forEach(cuts.length, n -> cuts[n] = boundaries[n].join(targetTokens));
    } else {
      Arrays.fill(cuts, new SegmentCuts.Cuts(new int[0], new int[0]));
      SegmentLayout old = finer.layout();
      int[] positions = positions(old);
      Parallel.forEach(
          old.textIds().size(),
          t ->
              cuts[positions[t]] =
                  boundaries[positions[t]].coarsen(
                      new SegmentCuts.Cuts(
                          old.cuts(t),
                          Arrays.copyOfRange(old.tokens(), old.starts()[t], old.starts()[t + 1]))));
    }
    return List.of(cuts);
  }

  /** Where the texts of an older layout stand in the text set: in the same order. */
  private int[] positions(SegmentLayout old) {
    int[] positions = new int[old.textIds().size()];
    int n = -1;
    for (int t = 0; t < positions.length; t++) {
      do {
        n++;
      } while (n < texts.size() && !id(n).equals(old.textIds().get(t)));
      if (n == texts.size() || textBytes[n] != old.textBytes()[t]) {
        throw new IllegalArgumentException(
            "text \"%s\" of the matrix to extend, of %d bytes, is not in its place in the text set"
                .formatted(old.textIds().get(t), old.textBytes()[t]));
      }
      positions[t] = n;
    }
    return positions;
  }

  private static boolean isUsed(SegmentCuts.Cuts cuts) {
    return cuts.tokens().length >= 2;
  }

  /** The column of each text's first segment; negative where the text is left out. */
  private static int[] columns(List<SegmentCuts.Cuts> cuts) {
    int[] columns = new int[cuts.size()];
    int next = 0;
    for (int n = 0; n < columns.length; n++) {
      columns[n] = isUsed(cuts.get(n)) ? next : -1;
      next += isUsed(cuts.get(n)) ? cuts.get(n).tokens().length : 0;
    }
    return columns;
  }

  private SegmentLayout layout(List<SegmentCuts.Cuts> cuts) {
    int[] used = IntStream.range(0, texts.size()).filter(n -> isUsed(cuts.get(n))).toArray();
    if (used.length == 0) {
      throw new LlmapException(
          ("none of the %d texts has two segments of up to %d tokens; use longer texts or a smaller"
                  + " target")
              .formatted(texts.size(), targetTokens));
    }
    int[] starts = new int[used.length + 1];
    for (int t = 0; t < used.length; t++) {
      starts[t + 1] = Math.addExact(starts[t], cuts.get(used[t]).tokens().length);
    }
    int[] bytes = new int[starts[used.length]];
    int[] tokens = new int[bytes.length];
    for (int t = 0; t < used.length; t++) {
      SegmentCuts.Cuts of = cuts.get(used[t]);
      for (int g = 0; g < of.tokens().length; g++) {
        bytes[starts[t] + g] = of.bytes()[g + 1] - of.bytes()[g];
        tokens[starts[t] + g] = of.tokens()[g];
      }
    }
    return new SegmentLayout(
        texts.fingerprint(),
        Arrays.stream(used).mapToObj(this::id).toList(),
        Arrays.stream(used).map(n -> textBytes[n]).toArray(),
        Arrays.stream(used).map(n -> cuts.get(n).bytes()[0]).toArray(),
        starts,
        bytes,
        tokens,
        IntStream.range(0, texts.size())
            .filter(n -> !isUsed(cuts.get(n)))
            .mapToObj(this::id)
            .toList(),
        targetTokens);
  }

  private void sum(
      TokenSource model, int n, TokenLogProbs tokens, int[] cuts, float[] target, int column) {
    int[] offsets = tokens.byteOffsets();
    int t = 0;
    while (t < offsets.length && offsets[t] < cuts[0]) {
      t++;
    }
    for (int g = 0; g + 1 < cuts.length; g++) {
      if (t == offsets.length || offsets[t] != cuts[g]) {
        throw new LlmapException(
            ("model \"%s\" has no token at byte %d of text \"%s\" any more: its scores changed while"
                    + " they were read")
                .formatted(model.name(), cuts[g], id(n)));
      }
      double sum = 0;
      for (; t < offsets.length && offsets[t] < cuts[g + 1]; t++) {
        sum += tokens.logProbs()[t];
      }
      target[column + g] = (float) sum;
    }
  }

  private static void joinRow(SegmentMatrix finer, int i, SegmentLayout layout, float[] target) {
    SegmentLayout old = finer.layout();
    int oldText = 0;
    for (int n = 0; n < layout.textIds().size(); n++) {
      while (!old.textIds().get(oldText).equals(layout.textIds().get(n))) {
        oldText++;
      }
      int[] oldCuts = old.cuts(oldText);
      int[] cuts = layout.cuts(n);
      int part = Arrays.binarySearch(oldCuts, cuts[0]);
      for (int g = 0; g + 1 < cuts.length; g++) {
        double sum = 0;
        for (; oldCuts[part] < cuts[g + 1]; part++) {
          sum += finer.values()[i][old.starts()[oldText] + part];
        }
        target[layout.starts()[n] + g] = (float) sum;
      }
    }
  }
}
