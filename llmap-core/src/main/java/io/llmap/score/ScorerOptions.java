package io.llmap.score;

import java.util.Map;
import java.util.TreeMap;

/**
 * How texts are scored. Immutable; start from {@link #defaults()} and change what differs.
 *
 * @param prefix what stands before a text's first token
 * @param overLength what happens to a text that does not fit the model's context
 * @param tokenLogProbs whether the log-probability of every token is kept, with its byte offset
 * @param sketches whether a sketch of the whole distribution over each token is kept as well, for
 *     {@link io.llmap.distance.SketchMatrix}; needs a backend that hands over logits
 * @param tokenBudget the most tokens, padding included, in one forward pass; a longer text goes
 *     alone
 * @param threads the threads of one scorer
 * @param device where the model runs: {@code cpu}, or {@code cuda:0} with a backend that has it
 */
public record ScorerOptions(
    PrefixPolicy prefix,
    OverLengthPolicy overLength,
    boolean tokenLogProbs,
    boolean sketches,
    int tokenBudget,
    int threads,
    String device) {

  /**
   * Checks the numbers.
   *
   * @param prefix what stands before a text's first token
   * @param overLength what happens to a text that does not fit the model's context
   * @param tokenLogProbs whether the log-probability of every token is kept, with its byte offset
   * @param sketches whether a sketch of the whole distribution over each token is kept as well
   * @param tokenBudget the most tokens, padding included, in one forward pass; a longer text goes
   *     alone
   * @param threads the threads of one scorer
   * @param device where the model runs: {@code cpu}, or {@code cuda:0} with a backend that has it
   * @throws IllegalArgumentException if the token budget or the thread count is not positive, or
   *     the device is blank, or there are sketches without token log-probabilities
   */
  public ScorerOptions {
    if (sketches && !tokenLogProbs) {
      throw new IllegalArgumentException(
          "sketches need token log-probabilities, with which divergences are estimated from them");
    }
    if (tokenBudget < 1) {
      throw new IllegalArgumentException("tokenBudget must be at least 1, got " + tokenBudget);
    }
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, got " + threads);
    }
    if (device.isBlank()) {
      throw new IllegalArgumentException("device must not be blank; use \"cpu\"");
    }
  }

  /**
   * Document-start prefix, over-long texts refused, no per-token output, 512 tokens a pass, one
   * thread a processor, on the CPU. Processors gain nothing from larger passes, which only mix
   * texts of more different lengths and leave the caches; a GPU does.
   *
   * @return the defaults
   */
  public static ScorerOptions defaults() {
    return new ScorerOptions(
        PrefixPolicy.DOCUMENT_START,
        OverLengthPolicy.FAIL,
        false,
        false,
        512,
        Runtime.getRuntime().availableProcessors(),
        "cpu");
  }

  /**
   * The setting of the model-map paper's code (shimo-lab/modelmap, likelihood.py): the tokenizer's
   * own special tokens, the first token unscored, over-long texts cut at the context.
   *
   * @return the paper's preset; everything else as in {@link #defaults()}
   */
  public static ScorerOptions modelMapPaper() {
    return defaults().withPrefix(PrefixPolicy.TOKENIZER).withOverLength(OverLengthPolicy.TRUNCATE);
  }

  /**
   * Returns a copy with another prefix policy.
   *
   * @param value the new value
   * @return a copy
   */
  public ScorerOptions withPrefix(PrefixPolicy value) {
    return new ScorerOptions(
        value, overLength, tokenLogProbs, sketches, tokenBudget, threads, device);
  }

  /**
   * Returns a copy with another over-length policy.
   *
   * @param value the new value
   * @return a copy
   */
  public ScorerOptions withOverLength(OverLengthPolicy value) {
    return new ScorerOptions(prefix, value, tokenLogProbs, sketches, tokenBudget, threads, device);
  }

  /**
   * Returns a copy that keeps, or does not keep, per-token log-probabilities.
   *
   * @param value the new value
   * @return a copy
   * @throws IllegalArgumentException if it is false and sketches are kept
   */
  public ScorerOptions withTokenLogProbs(boolean value) {
    return new ScorerOptions(prefix, overLength, value, sketches, tokenBudget, threads, device);
  }

  /**
   * Returns a copy that keeps, or does not keep, sketches of the distributions over tokens: with
   * them the log-probabilities of tokens, in any case.
   *
   * <p>Four bytes a token in memory, and three quarters longer for the log-softmax. A backend whose
   * output head could give log-probabilities by itself has to hand over logits. Log-probabilities
   * are not the same bits as without, since other roundings lead to them.
   *
   * @param value the new value
   * @return a copy
   */
  public ScorerOptions withSketches(boolean value) {
    return new ScorerOptions(
        prefix, overLength, tokenLogProbs || value, value, tokenBudget, threads, device);
  }

  /**
   * Returns a copy with another token budget.
   *
   * @param value the new value, at least 1
   * @return a copy
   */
  public ScorerOptions withTokenBudget(int value) {
    return new ScorerOptions(prefix, overLength, tokenLogProbs, sketches, value, threads, device);
  }

  /**
   * Returns a copy with another thread count.
   *
   * @param value the new value, at least 1
   * @return a copy
   */
  public ScorerOptions withThreads(int value) {
    return new ScorerOptions(
        prefix, overLength, tokenLogProbs, sketches, tokenBudget, value, device);
  }

  /**
   * Returns a copy for another device.
   *
   * @param value the new value, such as {@code cpu}
   * @return a copy
   */
  public ScorerOptions withDevice(String value) {
    return new ScorerOptions(
        prefix, overLength, tokenLogProbs, sketches, tokenBudget, threads, value);
  }

  /**
   * The options that change what a score means, as they are written into provenance. Threads are
   * left out because they change no bit of a result; the token budget and the device are in because
   * another batch shape or processor rounds differently.
   *
   * @return option name to value, sorted by name
   */
  public Map<String, String> asMap() {
    Map<String, String> map = new TreeMap<>();
    map.put("device", device);
    map.put("over-length", overLength.toString());
    map.put("prefix", prefix.toString());
    if (sketches) {
      // Left out where there are none, so that runs from before there were any are found again.
      map.put("sketches", "true");
    }
    map.put("token-budget", Integer.toString(tokenBudget));
    map.put("token-log-probs", Boolean.toString(tokenLogProbs));
    return map;
  }
}
