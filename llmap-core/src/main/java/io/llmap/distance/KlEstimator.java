package io.llmap.distance;

/** How a KL divergence was estimated; the name travels with every number. */
public enum KlEstimator {
  /**
   * Half the variance over texts of the difference of the texts' log-likelihoods (2502.16173,
   * section 6.1): ‖q_i − q_j‖² / (2N). Ranks pairs well. Its size is right only for models that are
   * close to each other as distributions over whole texts: on long texts, or texts of several
   * domains, it is far above the true divergence (method 8.5 and 8.6).
   */
  TEXT_VARIANCE("text-variance");

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
