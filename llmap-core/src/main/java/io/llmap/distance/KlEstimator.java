package io.llmap.distance;

/** How a KL divergence was estimated; the name travels with every number. */
public enum KlEstimator {
  /**
   * Half the variance over texts of the difference of the texts' log-likelihoods (2502.16173,
   * section 6.1): ‖q_i − q_j‖² / (2N). Ranks pairs well. Its size is right only for models that are
   * close to each other as distributions over whole texts: on long texts, or texts of several
   * domains, it is far above the true divergence (method 8.5 and 8.6).
   */
  TEXT_VARIANCE("text-variance"),

  /**
   * Half the squared distance between segment vectors, centred within each text (method section
   * 11). Needs the log-probability of every token; see {@link SegmentMatrix}.
   *
   * <p>A size to trust for models that are near each other on texts that both know. Elsewhere
   * tokens lie in the tails of both models, where log-probabilities differ by more than the models'
   * divergence says: on the project's zoo it is 0.81 to 1.31 times the truth for near models on
   * texts of a domain that both were trained on, 1.02 in the median, and 0.9 to 4 times, 1.8 in the
   * median, for near models on texts of four domains; at most 7 times for any pair. Of seven small
   * models with one tokenizer on code and prose, the eleven pairs below 0.7 nats a token were
   * estimated, with segments of 16 tokens, at 0.83 to 1.32 times their divergence, 1.02 in the
   * median, where {@link #TEXT_VARIANCE} gave 2.8 to 12.7 times. The ten pairs of 1.7 to 2.1 nats a
   * token came out at 2.9 times, where {@link #TEXT_VARIANCE} gave 58 to 75 times. So it is high by
   * a small factor for far models, and not by the texts' length.
   *
   * <p>The noise of a model that computes in 16 bits counts as divergence and sets a floor: compare
   * a model with itself in another precision or batch order to know it.
   */
  SEGMENTS("segments"),

  /**
   * The squared Hellinger distance of whole next-token distributions, from sketches, times the
   * ratio of KL to it that the texts' tokens show; see {@link SketchMatrix}. Needs models of one
   * tokenizer and scores with {@linkplain io.llmap.score.ScorerOptions#sketches() sketches}.
   *
   * <p>The one to trust for a size, on any texts: on the project's zoo, over texts of four domains
   * of which each model knows one, it is 0.99 to 1.10 times the truth for the 38 near pairs and
   * 0.95 to 1.16 times for the 181 far ones; on a single domain 0.93 to 1.17 and 0.81 to 1.20
   * times. Those are toy models, and what the formula does to large ones is not known: count on 0.9
   * to 1.2 for near models.
   */
  SKETCH("sketch");

  private final String label;

  KlEstimator(String label) {
    this.label = label;
  }

  /**
   * Returns the name used in files.
   *
   * @return lower case, words joined by hyphens
   */
  @Override
  public String toString() {
    return label;
  }
}
