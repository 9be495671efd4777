package io.llmap.distance;

import io.llmap.matrix.CenteredMatrix;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/**
 * Resamples the texts to say how far the distances would move if other texts of the same kind had
 * been taken: N texts are drawn with replacement, every row is centred anew within the draw (unless
 * it is centred within each text), and all distances are computed again (method 3.3 and 9.17).
 *
 * <pre>D²[i,j] = N · Var(l_i − l_j)    over the N drawn texts, with their repetitions</pre>
 *
 * <p>It measures what the choice of the texts adds, not the estimator's bias: an interval around a
 * {@link KlEstimator#TEXT_VARIANCE} is an interval for the variance of the log-likelihood
 * difference, which may itself be far from the KL divergence. Texts are taken as independent;
 * passages of one document are not.
 *
 * <p>Immutable and safe for use by many threads. Replicate r depends on the matrix, the seed and r
 * alone, and has the same bits on any number of threads.
 */
public final class Bootstrap {
  private final KlDistances estimate;
  private final UnaryOperator<DistanceMatrix> calibration;
  private final RowSource rows;
  private final int[] textStarts;
  private final boolean recentre;
  private final GramKernel kernel;
  private final long seed;
  private final long[] seeds;

  /**
   * A bootstrap of any estimate that is a squared distance of rows in which a text is one or more
   * neighbouring columns.
   *
   * @param estimate the divergences from all texts, in the order of the rows
   * @param calibration what makes such an estimate of the squared distances of the rows
   * @param textStarts the first column of each of the N texts, then the number of columns
   * @param recentre whether rows are centred over the texts, so that a draw centres them anew; rows
   *     that are centred within each text stay so in every draw
   */
  Bootstrap(
      KlDistances estimate,
      UnaryOperator<DistanceMatrix> calibration,
      RowSource rows,
      int[] textStarts,
      boolean recentre,
      GramKernel kernel,
      int replicates,
      long seed) {
    if (replicates < 2) {
      throw new IllegalArgumentException(
          "a bootstrap needs at least 2 replicates, got " + replicates);
    }
    this.estimate = estimate;
    this.calibration = calibration;
    this.rows = rows;
    this.textStarts = textStarts;
    this.recentre = recentre;
    this.kernel = kernel;
    this.seed = seed;
    // Streams seeded with neighbouring numbers would be shifted copies of one stream.
    this.seeds = new SplittableRandom(seed).longs(replicates).toArray();
  }

  /**
   * Prepares a bootstrap of the paper's estimator.
   *
   * @param coordinates Q, K × N; kept, not copied
   * @param replicates how many times the texts are drawn, at least 2; 200 give a standard error, an
   *     interval of 95 % wants 1000
   * @param seed the same seed gives the same draws
   * @return the bootstrap; O(K²·N) time for the estimate from all texts
   * @throws IllegalArgumentException if there are fewer than 2 replicates, or a cell is missing
   */
  public static Bootstrap of(CenteredMatrix coordinates, int replicates, long seed) {
    return of(coordinates, GramKernels.best(), replicates, seed);
  }

  /**
   * Prepares a bootstrap of the paper's estimator with a Gram kernel of the caller's choice.
   *
   * @param coordinates Q, K × N; kept, not copied
   * @param kernel multiplies coordinates by their transpose
   * @param replicates how many times the texts are drawn, at least 2
   * @param seed the same seed gives the same draws
   * @return the bootstrap; O(K²·N) time for the estimate from all texts
   * @throws IllegalArgumentException if there are fewer than 2 replicates, or a cell is missing
   */
  public static Bootstrap of(
      CenteredMatrix coordinates, GramKernel kernel, int replicates, long seed) {
    coordinates.requireComplete("a bootstrap");
    int[] starts = new int[coordinates.texts() + 1];
    for (int n = 0; n < starts.length; n++) {
      starts[n] = n;
    }
    return new Bootstrap(
        KlDistances.of(coordinates, kernel),
        UnaryOperator.identity(),
        new CenteredRows(coordinates),
        starts,
        true,
        kernel,
        replicates,
        seed);
  }

  /**
   * Prepares a bootstrap of the calibrated estimator: a text is drawn with all its segments.
   *
   * @param segments K models on N texts; kept, not copied
   * @param replicates how many times the texts are drawn, at least 2
   * @param seed the same seed gives the same draws
   * @return the bootstrap; O(K²·G) time for the estimate from all texts
   * @throws IllegalArgumentException if there are fewer than 2 replicates
   */
  public static Bootstrap of(SegmentMatrix segments, int replicates, long seed) {
    return of(segments, GramKernels.best(), replicates, seed);
  }

  /**
   * Prepares a bootstrap of the calibrated estimator with a Gram kernel of the caller's choice.
   *
   * @param segments K models on N texts; kept, not copied
   * @param kernel multiplies segment vectors with each other
   * @param replicates how many times the texts are drawn, at least 2
   * @param seed the same seed gives the same draws
   * @return the bootstrap; O(K²·G) time for the estimate from all texts
   * @throws IllegalArgumentException if there are fewer than 2 replicates
   */
  public static Bootstrap of(SegmentMatrix segments, GramKernel kernel, int replicates, long seed) {
    return new Bootstrap(
        KlDistances.of(segments, kernel),
        UnaryOperator.identity(),
        segments.coordinates(),
        segments.layout().starts(),
        false,
        kernel,
        replicates,
        seed);
  }

  /**
   * Prepares a bootstrap of the estimator by sketches: a text is drawn with all its sketches. The
   * noise of the sketches is in the intervals; the ratio of KL to the Hellinger distance is not
   * drawn again but stays that of all texts.
   *
   * @param sketches K models on N texts; kept, not copied
   * @param replicates how many times the texts are drawn, at least 2
   * @param seed the same seed gives the same draws
   * @return the bootstrap; O(K²·(G + S)) time for the estimate from all texts
   * @throws IllegalArgumentException if there are fewer than 2 replicates
   */
  public static Bootstrap of(SketchMatrix sketches, int replicates, long seed) {
    return of(sketches, GramKernels.best(), replicates, seed);
  }

  /**
   * Prepares a bootstrap of the estimator by sketches with a Gram kernel of the caller's choice.
   *
   * @param sketches K models on N texts; kept, not copied
   * @param kernel multiplies sketches with each other
   * @param replicates how many times the texts are drawn, at least 2
   * @param seed the same seed gives the same draws
   * @return the bootstrap; O(K²·(G + S)) time for the estimate from all texts
   * @throws IllegalArgumentException if there are fewer than 2 replicates
   */
  public static Bootstrap of(SketchMatrix sketches, GramKernel kernel, int replicates, long seed) {
    DistanceMatrix ratios = sketches.ratios();
    return new Bootstrap(
        KlDistances.of(sketches, ratios, kernel),
        squared -> squared.times(ratios),
        sketches.coordinates(),
        sketches.starts(),
        false,
        kernel,
        replicates,
        seed);
  }

  /**
   * The divergences from all texts, without resampling.
   *
   * @return the estimate that the replicates vary around
   */
  public KlDistances estimate() {
    return estimate;
  }

  /**
   * The number of replicates, R.
   *
   * @return at least 2
   */
  public int replicates() {
    return seeds.length;
  }

  /**
   * The seed of the draws.
   *
   * @return as given
   */
  public long seed() {
    return seed;
  }

  /**
   * How often each text is drawn in a replicate: N draws by {@link SplittableRandom#nextInt(int)},
   * from a generator whose seed is the r-th {@code nextLong()}, from 0, of {@code new
   * SplittableRandom(seed)}.
   *
   * @param r 0 to R − 1
   * @return N counts that sum to N, a new array
   * @throws IndexOutOfBoundsException if there is no such replicate
   */
  public int[] counts(int r) {
    int n = textStarts.length - 1;
    int[] counts = new int[n];
    SplittableRandom random = new SplittableRandom(seeds[Objects.checkIndex(r, seeds.length)]);
    for (int draw = 0; draw < n; draw++) {
      counts[random.nextInt(n)]++;
    }
    return counts;
  }

  /**
   * The divergences from one draw of the texts, such as the input of a resampled map.
   *
   * <p>Only the texts that were drawn are multiplied, about 0.632 N of them. The mean length of a
   * text in {@link KlUnit#BITS_PER_BYTE} stays that of all texts.
   *
   * @param r 0 to R − 1
   * @return K × K; O(0.632·K²·N) time, O(K²) memory
   * @throws IndexOutOfBoundsException if there is no such replicate
   */
  public KlDistances replicate(int r) {
    int[] counts = counts(r);
    double[] importance = new double[rows.columns()];
    for (int n = 0; n < counts.length; n++) {
      for (int column = textStarts[n]; column < textStarts[n + 1]; column++) {
        importance[column] = counts[n];
      }
    }
    RowSource drawn = ResampledRows.of(rows, importance, recentre);
    return estimate.resampled(
        calibration.apply(SquaredDistances.of(estimate.squaredEuclidean().names(), drawn, kernel)));
  }

  /**
   * Computes all replicates, one after the other, and keeps of each pair what an interval and a
   * standard error need, and of each model its neighbours.
   *
   * <p>Time O(0.632·R·K²·N). Memory: no replicate is kept; an interval's ends are order statistics,
   * so each pair keeps its smallest and largest ⌊(1 − level)/2 · (R − 1)⌋ + 2 values and two sums:
   * for 1018 models and 95 %, 58 MB with 200 replicates and 224 MB with 1000.
   *
   * @param level the intervals' nominal coverage, between 0 and 1, such as 0.95
   * @param neighbours how many nearest models of a model are followed, k; from 1, at most K − 1 are
   * @return intervals and stability
   * @throws IllegalArgumentException if the level is not between 0 and 1, k is below 1, or there is
   *     only one model
   */
  public BootstrapSummary summarize(double level, int neighbours) {
    int models = rows.rows();
    if (!(level > 0 && level < 1) || neighbours < 1 || models < 2) {
      throw new IllegalArgumentException(
          "a summary needs a level in (0, 1), at least 1 neighbour and 2 models, got "
              + "%s, %d and %d".formatted(level, neighbours, models));
    }
    int k = Math.min(neighbours, models - 1);
    BootstrapMoments moments =
        new BootstrapMoments(estimate.squaredEuclidean(), replicates(), level);
    int[][] nearest = new int[replicates()][];
    for (int r = 0; r < replicates(); r++) {
      DistanceMatrix squared = replicate(r).squaredEuclidean();
      moments.add(squared);
      nearest[r] = Neighbours.ofAll(squared, k);
    }
    return new BootstrapSummary(estimate, level, replicates(), seed, moments, nearest, k);
  }
}
