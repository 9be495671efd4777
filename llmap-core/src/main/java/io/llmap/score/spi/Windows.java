package io.llmap.score.spi;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.OverLengthPolicy;
import io.llmap.text.Text;
import java.util.List;

/** Cuts texts into what one model reads in one forward pass. */
final class Windows {
  private final String model;
  private final int context;
  private final OverLengthPolicy policy;

  /**
   * Rules of one model.
   *
   * @param model its name, for errors
   * @param context the longest sequence that it takes
   * @param policy what happens to a longer text
   */
  Windows(String model, int context, OverLengthPolicy policy) {
    this.model = model;
    this.context = context;
    this.policy = policy;
  }

  /**
   * The windows of a text, which score every token that is to be scored once.
   *
   * @param n the text's position in the list that is being scored
   * @throws ScoringException if the text is too long and the policy has no answer
   */
  List<Window> of(int n, Text text, TokenSequence tokens) {
    int length = tokens.ids().length;
    if (length <= context) {
      return List.of(Window.whole(n, tokens));
    }
    if (policy.equals(OverLengthPolicy.FAIL)) {
      throw new ScoringException(
          ("text \"%s\" is %d tokens long with its prefix%s, but the context of model %s is %d;"
                  + " shorten it or use the over-length policy \"truncate\" or \"rolling\"")
              .formatted(
                  text.id(),
                  length,
                  text.prompt().isEmpty() ? "" : " and its prompt",
                  model,
                  context));
    }
    int prefix = tokens.prefix();
    // Something must stand before the first scored token.
    int room = context - Math.max(1, prefix);
    if (room < 1) {
      throw new ScoringException(
          "the context of model %s, %d token(s), has no room for a token behind the prefix of %d"
              .formatted(model, context, prefix));
    }
    if (policy.equals(OverLengthPolicy.TRUNCATE)) {
      return List.of(Window.truncated(n, tokens, context));
    }
    int stride = policy.stride(context);
    if (stride > room) {
      throw new ScoringException(
          ("a stride of %d tokens is too long for model %s: with a context of %d and a prefix of %d a"
                  + " window scores at most %d")
              .formatted(stride, model, context, prefix, room));
    }
    return Window.rolling(n, tokens, context, stride);
  }
}
