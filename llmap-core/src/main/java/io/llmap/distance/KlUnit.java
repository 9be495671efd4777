package io.llmap.distance;

/** The unit of a KL divergence between two models over texts. */
public enum KlUnit {
  /** Natural logarithm, per text of the text set. */
  NATS_PER_TEXT("nats/text"),
  /** Base-2 logarithm, per text of the text set: nats per text / ln 2. */
  BITS_PER_TEXT("bits/text"),
  /** Base-2 logarithm, per UTF-8 byte of text: nats per text / (mean bytes per text · ln 2). */
  BITS_PER_BYTE("bits/byte");

  private final String label;

  KlUnit(String label) {
    this.label = label;
  }

  /**
   * Returns the unit as it stands beside a number.
   *
   * @return such as {@code bits/byte}
   */
  @Override
  public String toString() {
    return label;
  }
}
