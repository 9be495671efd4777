package io.llmap.distance;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Texts drawn by a {@link TextSampling}, and the distances of all N texts estimated from these
 * alone (2505.15428; method 3.1).
 *
 * <p>Only the d different ones need to be scored, also for models added later. Immutable.
 */
public final class TextSample {
  private final List<String> textIds;
  private final int[] indices;
  private final int[] counts;
  private final double[] importance;
  private final int draws;
  private final int texts;
  private final double meanBytes;
  private final Clipping clipping;

  TextSample(
      List<String> textIds,
      int[] indices,
      int[] counts,
      double[] importance,
      int draws,
      int texts,
      double meanBytes,
      Clipping clipping) {
    this.textIds = textIds;
    this.indices = indices;
    this.counts = counts;
    this.importance = importance;
    this.draws = draws;
    this.texts = texts;
    this.meanBytes = meanBytes;
    this.clipping = clipping;
  }

  /**
   * The ids of the texts to score.
   *
   * @return d different ids, in the order of the text set
   */
  public List<String> textIds() {
    return textIds;
  }

  /**
   * The positions of the texts to score.
   *
   * @return d different numbers from 0 to N − 1, ascending, a new array
   */
  public int[] indices() {
    return indices.clone();
  }

  /**
   * The number of draws, n, repetitions included.
   *
   * @return at least d
   */
  public int draws() {
    return draws;
  }

  /**
   * How often a text was drawn, c.
   *
   * @param t 0 to d − 1
   * @return at least 1
   */
  public int count(int t) {
    return counts[t];
  }

  /**
   * What a text's centred log-likelihoods are multiplied by: the square root of its importance
   * weight, w = √(c / (n·π)).
   *
   * @param t 0 to d − 1
   * @return more than 0
   */
  public double weight(int t) {
    return Math.sqrt(importance[t]);
  }

  /**
   * Estimates the divergences over all N texts from the sampled ones.
   *
   * @param scored log-likelihoods of any models, existing and new, on at least the sampled texts,
   *     in any order; more texts are ignored
   * @return the estimate of what {@link KlDistances#of(CenteredMatrix)} gives from all N texts, in
   *     the same units; see {@link #distances(LogLikelihoodMatrix, GramKernel)}
   * @throws IllegalArgumentException if a sampled text was not scored, by any model or by all
   */
  public KlDistances distances(LogLikelihoodMatrix scored) {
    return distances(scored, GramKernels.best());
  }

  /**
   * Estimates the divergences over all N texts from the sampled ones, with a Gram kernel of the
   * caller's choice.
   *
   * <p>Rows are clipped at the threshold of the existing models, then centred by their weighted
   * means. Estimating the means costs a bias of about −1/n, relative; before it, the squared
   * distances are unbiased.
   *
   * @param scored log-likelihoods of any models, existing and new, on at least the sampled texts,
   *     in any order; more texts are ignored
   * @param kernel multiplies rows by their transpose
   * @return the estimate; O(K²·d) time
   * @throws IllegalArgumentException if a sampled text was not scored, by any model or by all
   */
  public KlDistances distances(LogLikelihoodMatrix scored, GramKernel kernel) {
    Map<String, Integer> columns = new HashMap<>();
    for (int s = 0; s < scored.texts(); s++) {
      columns.put(scored.textIds().get(s), s);
    }
    int[] selected = new int[indices.length];
    for (int t = 0; t < selected.length; t++) {
      Integer column = columns.get(textIds.get(t));
      if (column == null) {
        throw new IllegalArgumentException(
            "text \"%s\" was sampled but is not among the %d scored texts"
                .formatted(textIds.get(t), scored.texts()));
      }
      selected[t] = column;
    }
    CenteredMatrix sampled = CenteredMatrix.of(scored.selectTexts(selected), clipping);
    sampled.requireComplete("a sample of texts");
    RowSource rows = ResampledRows.of(new CenteredRows(sampled), importance, true);
    return new KlDistances(
        KlEstimator.TEXT_VARIANCE,
        "%s (%d of %d texts sampled)".formatted(KlEstimator.TEXT_VARIANCE, selected.length, texts),
        SquaredDistances.of(sampled.names(), rows, kernel),
        texts,
        meanBytes);
  }
}
