package io.llmap.score;

/**
 * What stands before the first token of a text, and so whether that token has a probability. A
 * prompt stands between the prefix and the content, whose first token then always has one; of
 * {@linkplain OverLengthPolicy#rolling rolling windows} each has the prefix.
 *
 * <p>The policy changes every log-likelihood, so it is stored with the scores, and scores made
 * under different policies are never put into one matrix (method trap 8: a mix of policies shifts
 * some models by the first token's log-probability).
 */
public enum PrefixPolicy {
  /**
   * The BOS token, or the EOS token where the tokenizer has no BOS; every token of the text is
   * scored. A model with neither is refused. A text, or its prompt, whose first token is this very
   * one because it begins with its name ({@code <s>}) gets no second: the token is there once, and
   * not scored.
   */
  DOCUMENT_START("document-start"),
  /**
   * The tokenizer's own special tokens, and the first token of the sequence is not scored: the
   * setting of the model-map paper. A GPT-2 tokenizer adds none, so the text's first token has no
   * score there; a Llama tokenizer adds BOS, so it has. One that begins with the name of BOS then
   * has two.
   */
  TOKENIZER("tokenizer"),
  /** Nothing: the text's first token is not scored. */
  NONE("none");

  private final String label;

  PrefixPolicy(String label) {
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
