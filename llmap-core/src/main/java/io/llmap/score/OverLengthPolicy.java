package io.llmap.score;

/** What happens to a text with more tokens than the model's context holds. */
public enum OverLengthPolicy {
  /** The run ends with an error that names the text, its length and the context. */
  FAIL("fail"),
  /**
   * The text is cut at the context's end, and its {@link TextScore#truncated()} is set. The cut
   * text is another text: its log-likelihood is not comparable with that of a model with a longer
   * context.
   */
  TRUNCATE("truncate");

  private final String label;

  OverLengthPolicy(String label) {
    this.label = label;
  }

  /**
   * Returns the name used in files and on the command line.
   *
   * @return lower case, words joined by hyphens
   */
  @Override
  public String toString() {
    return label;
  }
}
