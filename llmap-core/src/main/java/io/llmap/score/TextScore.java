package io.llmap.score;

import java.util.Optional;

/**
 * The log-likelihood of one text under one model.
 *
 * @param logLikelihood sum over the scored tokens of log p(token | what precedes it): natural
 *     logarithm, summed in double precision, at most 0
 * @param scoredTokens how many tokens the sum has
 * @param bytes the UTF-8 length of the text's content
 * @param truncated whether the model's context cut something off the text, its prompt included
 * @param windows in how many windows the text was scored: 1 unless it was too long for the model
 *     and the {@link OverLengthPolicy} is rolling
 * @param tokenLogProbs the summands, when {@link ScorerOptions#tokenLogProbs()} asks for them
 */
public record TextScore(
    double logLikelihood,
    int scoredTokens,
    int bytes,
    boolean truncated,
    int windows,
    Optional<TokenLogProbs> tokenLogProbs) {

  /**
   * Checks what can be checked without the model.
   *
   * @param logLikelihood sum over the scored tokens of log p(token | what precedes it): natural
   *     logarithm, summed in double precision, at most 0
   * @param scoredTokens how many tokens the sum has
   * @param bytes the UTF-8 length of the text's content
   * @param truncated whether the model's context cut something off the text, its prompt included
   * @param windows in how many windows the text was scored: 1 unless it was too long for the model
   *     and the {@link OverLengthPolicy} is rolling
   * @param tokenLogProbs the summands, when {@link ScorerOptions#tokenLogProbs()} asks for them
   * @throws IllegalArgumentException if the log-likelihood is not finite, a count is negative, or
   *     there is no window
   */
  public TextScore {
    if (!Double.isFinite(logLikelihood)) {
      throw new IllegalArgumentException("the log-likelihood is " + logLikelihood);
    }
    if (scoredTokens < 0 || bytes < 0) {
      throw new IllegalArgumentException(
          "negative count: " + scoredTokens + " scored tokens, " + bytes + " bytes");
    }
    if (windows < 1) {
      throw new IllegalArgumentException("a text is scored in at least 1 window, got " + windows);
    }
  }

  /**
   * The score of a text that was scored in one window.
   *
   * @param logLikelihood natural logarithm, summed over the tokens
   * @param scoredTokens how many tokens the sum has
   * @param bytes the UTF-8 length of the text's content
   * @param truncated whether the model's context cut something off the text
   * @param tokenLogProbs the summands, if they are kept
   * @throws IllegalArgumentException if the log-likelihood is not finite, or a count is negative
   */
  public TextScore(
      double logLikelihood,
      int scoredTokens,
      int bytes,
      boolean truncated,
      Optional<TokenLogProbs> tokenLogProbs) {
    this(logLikelihood, scoredTokens, bytes, truncated, 1, tokenLogProbs);
  }

  /**
   * A score without per-token values, of a text that was not cut.
   *
   * @param logLikelihood natural logarithm, summed over the tokens
   * @param scoredTokens how many tokens the sum has
   * @param bytes the UTF-8 length of the text
   * @return the score
   */
  public static TextScore of(double logLikelihood, int scoredTokens, int bytes) {
    return new TextScore(logLikelihood, scoredTokens, bytes, false, Optional.empty());
  }
}
