package io.llmap.distance;

import io.llmap.internal.Parallel;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.text.TextSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Sketches h[i,t] of the whole next-token distributions of K models of one tokenizer at the tokens
 * of N texts: the size of a divergence without the whole distributions, from one number a token.
 *
 * <pre>h[i,t] = Σ_v r_t(v) √p_i(v | y_&lt;t)               r_t(v) = ±1, the same for all models
 * H(i,j) = 2/N Σ_t (h[i,t] − h[j,t])²               nats per text
 * KL(i,j) ≈ H(i,j) · Σ_t d tanh(d/2) / Σ_t 4 (1 − sech(d/2))        d = log p_i(y_t) − log p_j(y_t)
 * </pre>
 *
 * <p><b>The distance.</b> The signs are independent, so that the expectation of (h_i − h_j)² over
 * them is Σ_v (√p_i − √p_j)², the squared Hellinger distance of the distributions, times 2. H is
 * unbiased for twice that, summed over the tokens, at any size of the vocabulary; its relative
 * standard error is √2 · √(Σ H_t²) / Σ H_t at most, about √(2/T) for T tokens, and {@link
 * #sketchError} estimates it. That is second order the same as KL, and always less: H is a lower
 * bound of the mean of KL(p_i, p_j) and KL(p_j, p_i), up to that error. Random signs for squared
 * distances are Alon, Matias and Szegedy's (1999) and Achlioptas' (2003).
 *
 * <p><b>The ratio.</b> If y_t came from the mixture (p_i + p_j)/2, the mean of d·tanh(d/2) would be
 * that mean KL, and the mean of 4(1 − sech(d/2)) would be twice the squared Hellinger distance,
 * both for d of any size. Text is not such a sample, which spoils both, but nearly in the same way:
 * their ratio survives, and the size comes from the sketch. It is the ratio estimator of survey
 * sampling (Cochran 1977, chapter 6), 1 for near models and below 2 for any of the project's zoo.
 * Both are llmap's own estimate of KL; docs/estimator.md has what is known about it.
 *
 * <p><b>What is covered.</b> The tokens that every model scored, which must be the same: the byte
 * offsets and the number of tokens of every text are compared. Special tokens behind a text, and
 * the last token of a {@linkplain io.llmap.score.TextScore#truncated() cut} one, do not count.
 *
 * <p>Immutable and safe for use by many threads. 4·K·(G + S) bytes for G sketches, one a token
 * unless they are {@linkplain SketchMatrixBuilder#tokensPerSketch summed}, and S ≤ {@value
 * #RATIO_TOKENS} log-probabilities.
 */
public final class SketchMatrix {
  /** The most tokens that the ratio is taken from: of more, every second, third and so on. */
  public static final int RATIO_TOKENS = 20_000;

  /** Columns whose roots of probabilities are held for all models at a time. */
  private static final int PIECE = 1 << 10;

  private final List<String> names;
  private final List<String> modelFingerprints;
  private final Map<String, String> options;
  private final SketchLayout layout;
  private final float[][] sketches;
  private final float[][] logProbs;

  /**
   * Takes arrays without copying them.
   *
   * @param sketches K × G
   * @param logProbs K × S
   */
  SketchMatrix(
      List<String> names,
      List<String> modelFingerprints,
      Map<String, String> options,
      SketchLayout layout,
      float[][] sketches,
      float[][] logProbs) {
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw new IllegalArgumentException("two models are named \"" + name + "\"");
      }
    }
    this.names = List.copyOf(names);
    this.modelFingerprints = List.copyOf(modelFingerprints);
    this.options = Map.copyOf(options);
    this.layout = layout;
    this.sketches = sketches;
    this.logProbs = logProbs;
  }

  /**
   * All models whose sketches are stored for a text set, by name in natural order, with a sketch
   * for every token.
   *
   * @param store holds runs with {@link io.llmap.score.ScorerOptions#sketches()}
   * @param texts the texts
   * @return the matrix; reads every run once, one text at a time
   * @throws io.llmap.LlmapException as {@link ScoreStore#sketchRuns} and {@link
   *     SketchMatrixBuilder#build()} do
   */
  public static SketchMatrix of(ScoreStore store, TextSet texts) {
    SketchMatrixBuilder builder = builder(texts);
    for (Provenance run : store.sketchRuns(texts)) {
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
  public static SketchMatrixBuilder builder(TextSet texts) {
    return new SketchMatrixBuilder(texts);
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
    return sketches.length;
  }

  /**
   * The number of texts, N.
   *
   * @return at least 1
   */
  public int texts() {
    return layout.starts().length - 1;
  }

  /**
   * The number of tokens of all texts, T.
   *
   * @return at least 1
   */
  public long tokens() {
    return layout.tokens();
  }

  /**
   * The number of sketches a model, G.
   *
   * @return T, or less where sketches of several tokens are summed
   */
  public int sketches() {
    return layout.starts()[texts()];
  }

  /**
   * The number of neighbouring tokens whose sketches are summed.
   *
   * @return 1 unless the builder was told otherwise
   */
  public int tokensPerSketch() {
    return layout.tokensPerSketch();
  }

  /**
   * Which tokens the ratio of KL to H is taken from.
   *
   * @return s: every s-th token of all, from the first; 1 for all
   */
  public int ratioStep() {
    return layout.ratioStep();
  }

  /**
   * One sketch.
   *
   * @param i 0 to K − 1
   * @param g 0 to G − 1
   * @return h
   */
  public double get(int i, int g) {
    return sketches[i][Objects.checkIndex(g, sketches())];
  }

  /**
   * The mean over texts of the bytes that the tokens cover: B̄ in the unit bits per byte.
   *
   * @return UTF-8 bytes per text
   */
  public double meanCoveredBytes() {
    return layout.meanCoveredBytes();
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
   * @return {@link Provenance#options()}
   */
  public Map<String, String> options() {
    return options;
  }

  /**
   * Points whose half squared distance, divided by N, is H: twice the sketches, minus the mean over
   * the models, which changes no distance and no difference of two rows.
   *
   * @return K × G, computed as it is read; G doubles
   */
  public RowSource coordinates() {
    return new SketchRows(sketches);
  }

  /**
   * The summed squared Hellinger distances, times 2, for a map that is exactly Euclidean or as a
   * lower bound of the divergences: on the project's zoo 0.85 to 1.01 times the truth for near
   * models, 0.54 to 0.90 times for far ones. {@link KlDistances#of(SketchMatrix)} has the size.
   *
   * @return H in nats per text, K × K; O(K²·G) time
   */
  public DistanceMatrix hellinger() {
    return hellinger(GramKernels.best());
  }

  /**
   * As {@link #hellinger()}, with a Gram kernel of the caller's choice.
   *
   * @param kernel multiplies the sketches with each other
   * @return H in nats per text, K × K; O(K²·G) time
   */
  public DistanceMatrix hellinger(GramKernel kernel) {
    double scale = 1 / (2.0 * texts());
    return SquaredDistances.of(names, coordinates(), kernel).map(d -> d * scale);
  }

  /**
   * What the signs alone add to H, from the sketches themselves: √(8/3 Σ_t (h_i − h_j)⁴) / N, as
   * the variance of a squared normal number is two thirds of its fourth moment. On the large side,
   * as few large differences are less random than normal ones. Other texts would change H by more;
   * see {@link Bootstrap}.
   *
   * @param i 0 to K − 1
   * @param j 0 to K − 1
   * @return a standard error of H, nats per text; O(G) time
   */
  public double sketchError(int i, int j) {
    double sum = 0;
    for (int g = 0; g < sketches(); g++) {
      double squared = Math.pow((double) sketches[i][g] - sketches[j][g], 2);
      sum += squared * squared;
    }
    return Math.sqrt(8 * sum / 3) / texts();
  }

  /**
   * The ratios of KL to H: of the sums of d·tanh(d/2) and of 4(1 − sech(d/2)) over every {@link
   * #ratioStep()}-th token. Same input, same bits, on any number of threads.
   *
   * @return K × K, each at least 1; 1 where two models give all these tokens the same probability.
   *     O(K²·S) time, a division and a square for each; O(K²) memory
   */
  public DistanceMatrix ratios() {
    int k = models();
    double[][] divergence = new double[k][];
    double[][] hellinger = new double[k][];
    double[][] roots = new double[k][PIECE];
    for (int i = 0; i < k; i++) {
      divergence[i] = new double[i];
      hellinger[i] = new double[i];
    }
    for (int from = 0; from < logProbs[0].length; from += PIECE) {
      int first = from;
      int count = Math.min(PIECE, logProbs[0].length - from);
      Parallel.forEach(
          k,
          i -> {
            for (int t = 0; t < count; t++) {
              roots[i][t] = Math.exp((double) logProbs[i][first + t] / 2);
            }
          });
      Parallel.forEach(
          k,
          i -> {
            for (int j = 0; j < i; j++) {
              double divergences = 0;
              double distances = 0;
              for (int t = 0; t < count; t++) {
                double d = (double) logProbs[i][first + t] - logProbs[j][first + t];
                double sum = roots[i][t] + roots[j][t];
                // tanh(d/4); both roots underflow below −1490 nats.
                double q = sum > 0 ? (roots[i][t] - roots[j][t]) / sum : Math.tanh(d / 4);
                double tanh = 2 * q / (1 + q * q);
                divergences += d * tanh;
                distances += 4 * q * tanh;
              }
              divergence[i][j] += divergences;
              hellinger[i][j] += distances;
            }
          });
    }
    double[] triangle = new double[Math.toIntExact((long) k * (k - 1) / 2)];
    int pair = 0;
    for (int i = 0; i < k; i++) {
      for (int j = 0; j < i; j++) {
        triangle[pair++] = hellinger[i][j] > 0 ? divergence[i][j] / hellinger[i][j] : 1;
      }
    }
    return DistanceMatrix.wrap(names, triangle);
  }

  /**
   * Describes the matrix for a log line.
   *
   * @return what is in it
   */
  @Override
  public String toString() {
    return "%d models, %d tokens of %d texts, %d sketches a model, %s"
        .formatted(models(), tokens(), texts(), sketches(), description());
  }

  /** The first column of each text, then the number of columns. */
  int[] starts() {
    return layout.starts();
  }

  /**
   * How distances between these sketches are estimated, with the settings.
   *
   * @return such as {@code sketch (every token)}
   */
  String description() {
    String summed =
        tokensPerSketch() == 1
            ? "every token"
            : "sums of up to %d tokens".formatted(tokensPerSketch());
    return "%s (%s%s)"
        .formatted(
            KlEstimator.SKETCH, summed, ratioStep() == 1 ? "" : "; ratio from 1 in " + ratioStep());
  }
}
