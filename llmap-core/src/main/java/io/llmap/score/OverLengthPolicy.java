package io.llmap.score;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a text with more tokens, prefix and prompt included, than the model's context
 * holds. Immutable; equal policies do the same.
 */
public final class OverLengthPolicy {
  /** The run ends with an error that names the text, its length and the context. */
  public static final OverLengthPolicy FAIL = new OverLengthPolicy("fail", OptionalInt.empty());

  /**
   * The text is cut to the context, and its {@link TextScore#truncated()} is set. A prompt loses
   * its first tokens, as many as it takes; content that does not fit even without a prompt is cut
   * at its end. Cut content is another text: its log-likelihood is not comparable with that of a
   * model with a longer context.
   */
  public static final OverLengthPolicy TRUNCATE =
      new OverLengthPolicy("truncate", OptionalInt.empty());

  /** {@linkplain #rolling(int) Rolling windows} with a stride of half the model's context. */
  public static final OverLengthPolicy ROLLING =
      new OverLengthPolicy("rolling", OptionalInt.empty());

  private final String kind;
  private final OptionalInt stride;

  private OverLengthPolicy(String kind, OptionalInt stride) {
    this.kind = kind;
    this.stride = stride;
  }

  /**
   * The text is scored in several windows of the context's length, every token once, and {@link
   * TextScore#windows()} is their number. The first window scores all of its tokens; each later one
   * scores the {@code stride} tokens that follow (the last one those that are left) and reads as
   * many tokens before them as fit, so at least the context without the stride and the prefix. A
   * smaller stride gives tokens more context and takes more windows.
   *
   * <p>What the {@link PrefixPolicy} puts in front of a text stands in front of every window:
   * models that were trained with BOS first are far off in a window without it. A prompt stands
   * where it stands, and moves out of the window with the tokens after it; of one that leaves no
   * room for content, the first window reads the end, and {@link TextScore#truncated()} is set.
   *
   * <p>These are the rolling windows of EleutherAI's lm-evaluation-harness, where a window has the
   * prefix only if it is the first, and those of Hugging Face's guide to perplexity.
   *
   * @param stride tokens, at least 1; refused with a model whose context, less one token or the
   *     prefix, is shorter
   * @return the policy
   * @throws IllegalArgumentException if the stride is not positive
   */
  public static OverLengthPolicy rolling(int stride) {
    if (stride < 1) {
      throw new IllegalArgumentException("a stride must be at least 1, got " + stride);
    }
    return new OverLengthPolicy(ROLLING.kind, OptionalInt.of(stride));
  }

  /**
   * Whether over-long texts are scored in windows.
   *
   * @return true for {@link #ROLLING} and every {@link #rolling(int)}
   */
  public boolean isRolling() {
    return kind.equals(ROLLING.kind);
  }

  /**
   * How many tokens a window after the first scores in a model.
   *
   * @param contextLength the model's context, in tokens
   * @return the stride that was given, else half of the context
   * @throws IllegalStateException if the policy has no windows
   */
  public int stride(int contextLength) {
    if (!isRolling()) {
      throw new IllegalStateException("the over-length policy \"" + this + "\" has no windows");
    }
    return stride.orElse(contextLength / 2);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof OverLengthPolicy policy && toString().equals(policy.toString());
  }

  @Override
  public int hashCode() {
    return toString().hashCode();
  }

  /**
   * Returns the name used in files.
   *
   * @return {@code fail}, {@code truncate}, {@code rolling}, or {@code rolling:512} with a stride
   */
  @Override
  public String toString() {
    return stride.isPresent() ? kind + ":" + stride.getAsInt() : kind;
  }
}
