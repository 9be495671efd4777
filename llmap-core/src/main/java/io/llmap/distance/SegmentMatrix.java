package io.llmap.distance;

import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.text.TextSet;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * Log-likelihoods s[i,n,g] of K models on the segments g of N texts: sums of token
 * log-probabilities between bytes at which every model begins a token (method section 11).
 *
 * <p><b>Segments.</b> Where a token of every model begins, a text can be cut; such bytes are mostly
 * the spaces between words. From the left, pieces between them are joined as long as no model has
 * more than {@link #targetTokens()} tokens in the segment. A stretch without a common boundary is
 * one segment however long it is. A boundary is as exact as the tokenizers' byte offsets: to a
 * character.
 *
 * <p><b>What is covered.</b> The same bytes for all models: from the first common boundary at or
 * after every model's first scored token, to the text's end, or the last common boundary that every
 * model reaches where {@linkplain io.llmap.score.TextScore#truncated() a text was cut}. A special
 * token that a tokenizer puts behind a text belongs to no segment. A text with fewer than two
 * segments has nothing within it to compare: it is {@linkplain #leftOut() left out}, and N does not
 * count it.
 *
 * <p><b>No clipping.</b> Method section 11 has none: what a text's bad luck adds to the sum of a
 * whole text is spread over its segments. A model that is broken on some texts is far from all
 * others.
 *
 * <p><b>Precision.</b> Values are stored in single precision, which moves the Euclidean distance of
 * models i and j by at most c · 2⁻²⁴ · (‖s_i‖ + ‖s_j‖), where c is the largest √(1 + (standard
 * deviation / mean)²) of the segment lengths within a text. For texts of 27 segments of 50 nats
 * that is 4·10⁻⁵ · √N nats: nothing beside the noise of a model that computes in 16 bits.
 *
 * <p>Immutable and safe for use by many threads. 4·K·G bytes for G segments in all.
 */
public final class SegmentMatrix {
  /** The target of about 16 tokens a segment that method section 11 was checked with. */
  public static final int DEFAULT_TARGET_TOKENS = 16;

  private final SegmentLayout layout;
  private final List<String> names;
  private final List<String> modelFingerprints;
  private final Map<String, String> options;
  private final float[][] values;

  /** Takes arrays without copying them. */
  SegmentMatrix(
      SegmentLayout layout,
      List<String> names,
      List<String> modelFingerprints,
      Map<String, String> options,
      float[][] values) {
    if (names.isEmpty()
        || values.length != names.size()
        || modelFingerprints.size() != names.size()) {
      throw new IllegalArgumentException(
          "%d names, %d fingerprints and %d rows"
              .formatted(names.size(), modelFingerprints.size(), values.length));
    }
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < values.length; i++) {
      if (!seen.add(names.get(i))) {
        throw new IllegalArgumentException("two models are named \"" + names.get(i) + "\"");
      }
      if (values[i].length != layout.bytes().length) {
        throw new IllegalArgumentException(
            "model \"%s\" has %d values for %d segments"
                .formatted(names.get(i), values[i].length, layout.bytes().length));
      }
      for (int n = 0; n < layout.textIds().size(); n++) {
        for (int g = layout.starts()[n]; g < layout.starts()[n + 1]; g++) {
          if (!Float.isFinite(values[i][g])) {
            throw new IllegalArgumentException(
                "the log-likelihood of segment %d of text \"%s\" under model \"%s\" is %s"
                    .formatted(
                        g - layout.starts()[n],
                        layout.textIds().get(n),
                        names.get(i),
                        values[i][g]));
          }
        }
      }
    }
    this.layout = layout;
    this.names = List.copyOf(names);
    this.modelFingerprints = List.copyOf(modelFingerprints);
    this.options = Collections.unmodifiableMap(new TreeMap<>(options));
    this.values = values;
  }

  /**
   * The segments of all models whose token log-probabilities are stored for a text set, by name in
   * natural order, with {@value #DEFAULT_TARGET_TOKENS} tokens a segment.
   *
   * @param store holds runs with {@link io.llmap.score.ScorerOptions#tokenLogProbs()}
   * @param texts the texts
   * @return the matrix; reads every run twice, one text at a time
   * @throws io.llmap.LlmapException as {@link ScoreStore#tokenRuns} and {@link
   *     SegmentMatrixBuilder#build()} do
   */
  public static SegmentMatrix of(ScoreStore store, TextSet texts) {
    SegmentMatrixBuilder builder = builder(texts);
    for (Provenance run : store.tokenRuns(texts)) {
      builder.add(store, run);
    }
    return builder.build();
  }

  /**
   * Starts a matrix without models.
   *
   * @param texts the texts
   * @return a builder
   */
  public static SegmentMatrixBuilder builder(TextSet texts) {
    return new SegmentMatrixBuilder(texts);
  }

  /**
   * Starts a matrix that has this one's models first; they are not scored again, and need no token
   * log-probabilities. Segments between whose parts a new model has no boundary are joined, and
   * bytes that it did not score are dropped, for all models.
   *
   * <p>Where a new model's tokens are those of a model that is there, the result has the same bits
   * as building all at once. Otherwise segments can be longer than the target, and distances change
   * as with another target: they are estimates of the same divergences (method section 11 has a
   * table). All distances of one matrix are from the same segments, so they can be compared.
   *
   * @param texts the texts that this matrix was built from
   * @return a builder for the new models
   * @throws IllegalArgumentException if they are other texts
   */
  public SegmentMatrixBuilder extend(TextSet texts) {
    return new SegmentMatrixBuilder(texts, this);
  }

  /**
   * The models' names.
   *
   * @return K different names
   */
  public List<String> names() {
    return names;
  }

  /**
   * The number of models, K.
   *
   * @return at least 1
   */
  public int models() {
    return values.length;
  }

  /**
   * The ids of the texts, in the text set's order, without those {@link #leftOut()}.
   *
   * @return N different ids
   */
  public List<String> textIds() {
    return layout.textIds();
  }

  /**
   * The number of texts that have segments, N.
   *
   * @return at least 1
   */
  public int texts() {
    return layout.textIds().size();
  }

  /**
   * The ids of the texts of the set that are not among the N: they have fewer than two segments,
   * and so say nothing, or were not {@linkplain #selectTexts selected}.
   *
   * @return none in the usual case
   */
  public List<String> leftOut() {
    return layout.leftOut();
  }

  /**
   * The number of segments of all texts, G.
   *
   * @return at least 2·N
   */
  public int segments() {
    return layout.bytes().length;
  }

  /**
   * The first segment of a text, for example to draw texts with all their segments: text n has the
   * columns {@code firstSegment(n)} up to, not including, {@code firstSegment(n + 1)}.
   *
   * @param n 0 to N
   * @return a column; G for n = N
   */
  public int firstSegment(int n) {
    return layout.starts()[n];
  }

  /**
   * The length of a segment.
   *
   * @param g 0 to G − 1
   * @return UTF-8 bytes, at least 1
   */
  public int segmentBytes(int g) {
    return layout.bytes()[g];
  }

  /**
   * The size of a segment: the most tokens that a model has in it. More than {@link
   * #targetTokens()} where the models share no boundary for so long.
   *
   * @param g 0 to G − 1
   * @return at least 1; where {@link #extend} joined segments, the sum of theirs
   */
  public int segmentTokens(int g) {
    return layout.tokens()[g];
  }

  /**
   * How many segments are longer than the target, for want of a common boundary. Where they are
   * many, a model's tokenizer fits badly to the others', and the estimate is that of longer
   * segments.
   *
   * @return at most G
   */
  public int longSegments() {
    return (int) Arrays.stream(layout.tokens()).filter(t -> t > targetTokens()).count();
  }

  /**
   * The number of tokens up to which segments were joined.
   *
   * @return at least 1
   */
  public int targetTokens() {
    return layout.targetTokens();
  }

  /**
   * The length of a text.
   *
   * @param n 0 to N − 1
   * @return UTF-8 bytes
   */
  public int textBytes(int n) {
    return layout.textBytes()[n];
  }

  /**
   * The byte of a text at which its first segment begins; 0 where every model scored its first
   * token.
   *
   * @param n 0 to N − 1
   * @return less than {@link #textBytes}
   */
  public int firstByte(int n) {
    return layout.firstBytes()[n];
  }

  /**
   * The bytes of a text that its segments cover.
   *
   * @param n 0 to N − 1
   * @return at most {@link #textBytes}
   */
  public int coveredBytes(int n) {
    return layout.coveredBytes(n);
  }

  /**
   * The same models on some of the texts, such as those that the models know: there the sizes of
   * near models' divergences are right ({@link KlEstimator#SEGMENTS}). Distances name how many
   * texts are left out.
   *
   * @param indices positions of texts, each in 0 to N − 1, ascending
   * @return a new matrix; the other texts are among its {@link #leftOut()}
   * @throws IllegalArgumentException if there is no index, or they do not ascend
   * @throws IndexOutOfBoundsException if an index is out of range
   */
  public SegmentMatrix selectTexts(int[] indices) {
    int last = -1;
    for (int n : indices) {
      if (Objects.checkIndex(n, texts()) <= last) {
        throw new IllegalArgumentException(
            "text " + n + " is selected after text " + last + "; indices must ascend");
      }
      last = n;
    }
    if (indices.length == 0) {
      throw new IllegalArgumentException("no text is selected");
    }
    int[] columns = layout.columns(indices);
    float[][] selected = new float[models()][columns.length];
    for (int i = 0; i < selected.length; i++) {
      for (int g = 0; g < columns.length; g++) {
        selected[i][g] = values[i][columns[g]];
      }
    }
    return new SegmentMatrix(layout.select(indices), names, modelFingerprints, options, selected);
  }

  /**
   * The mean over texts of the covered bytes: B̄ in the unit bits per byte. Not the whole texts'
   * length, because bytes without a segment add nothing to the divergence.
   *
   * @return UTF-8 bytes per text
   */
  public double meanCoveredBytes() {
    return (double) Arrays.stream(layout.bytes()).asLongStream().sum() / texts();
  }

  /**
   * The share of a divergence that within-text centring leaves, if each segment's part of it is
   * independent and proportional to its length: Σ_n B_n f_n / Σ_n B_n with f_n = 1 − Σ_g b[n,g]² /
   * B_n² and B_n = Σ_g b[n,g]. For G_n equal segments f_n = (G_n − 1) / G_n.
   *
   * <p>Divergences are not divided by it: method section 11 has no such correction. Where a model's
   * mean gap to another is the same throughout a text, they are low by this share. In real text the
   * gap drifts, which adds to them: of 27 segments a text, where the share is 0.96, they were 1.015
   * times the truth in the median. Divide where texts have few segments.
   *
   * @return more than 0, less than 1
   */
  public double centredShare() {
    double left = 0;
    double all = 0;
    for (int n = 0; n < texts(); n++) {
      double covered = layout.coveredBytes(n);
      double squares = 0;
      for (int g = firstSegment(n); g < firstSegment(n + 1); g++) {
        squares += (double) segmentBytes(g) * segmentBytes(g);
      }
      left += covered - squares / covered;
      all += covered;
    }
    return left / all;
  }

  /**
   * One log-likelihood.
   *
   * @param i 0 to K − 1
   * @param g 0 to G − 1
   * @return s[i,n,g] in nats, of the text n that the segment belongs to
   */
  public double get(int i, int g) {
    return values[i][Objects.checkIndex(g, segments())];
  }

  /**
   * The segment vectors: within-text centring, proportional to length, then minus the mean over the
   * models, which changes no distance and no difference of two rows.
   *
   * <pre>u[i,n,g] = s[i,n,g] − b[n,g] · Σ_g s[i,n,g] / Σ_g b[n,g]
   * row i = u_i − mean_k u_k</pre>
   *
   * @return K × G, computed as it is read; O(K·G) time once, and K·N + G doubles
   */
  public RowSource coordinates() {
    return new SegmentRows(values, layout.starts(), layout.bytes());
  }

  /**
   * Identifies the text set that was cut.
   *
   * @return {@link TextSet#fingerprint()}
   */
  public String textSetFingerprint() {
    return layout.textSetFingerprint();
  }

  /**
   * The fingerprint of a model.
   *
   * @param i 0 to K − 1
   * @return {@link io.llmap.score.ModelSource#fingerprint()}; empty where it was added without
   */
  public String modelFingerprint(int i) {
    return modelFingerprints.get(i);
  }

  /**
   * The scoring options that are the same for all models that came with their provenance.
   *
   * @return {@link Provenance#options()}, sorted by name
   */
  public Map<String, String> options() {
    return options;
  }

  /**
   * Describes the matrix for a log line.
   *
   * @return what the segments are, and how much of the texts they cover
   */
  @Override
  public String toString() {
    long all = Arrays.stream(layout.textBytes()).asLongStream().sum();
    long covered = Arrays.stream(layout.bytes()).asLongStream().sum();
    return ("%d models, %d texts and %d left out, %d segments of up to %d tokens and %d longer ones,"
            + " %d of %d bytes covered")
        .formatted(
            models(),
            texts(),
            leftOut().size(),
            segments() - longSegments(),
            targetTokens(),
            longSegments(),
            covered,
            all);
  }

  SegmentLayout layout() {
    return layout;
  }

  float[][] values() {
    return values;
  }

  /**
   * How distances between these vectors are estimated, with the settings.
   *
   * @return such as {@code segments (16 tokens)}
   */
  String description() {
    int all = texts() + leftOut().size();
    return "%s (%d tokens%s)"
        .formatted(
            KlEstimator.SEGMENTS,
            targetTokens(),
            leftOut().isEmpty()
                ? ""
                : "; %d of %d texts left out".formatted(leftOut().size(), all));
  }
}
