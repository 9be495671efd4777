package io.llmap.score.spi;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.PrefixPolicy;
import io.llmap.text.Text;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Turns texts into tokens under a {@link PrefixPolicy}.
 *
 * <p>Prompt and content are tokenized as one string. If the prompt's own tokens come first in it,
 * the others are the content's. Else a token reaches across the border: then prompt and content are
 * tokenized one by one. Either way the content's tokens stand for the content's bytes alone, and
 * their log-probabilities add up to that of the content after the prompt. Tokenizing one by one
 * always would be simpler, but tokenizers that put a space in front of what they are given
 * (SentencePiece's dummy prefix) would put one between prompt and content.
 *
 * <p>Safe for use by many threads. Keeps the tokens of every prompt that it met, so that a prompt
 * that many texts share is tokenized once.
 */
final class TextEncoder {
  /** Any text of at least one token shows what a tokenizer puts around it. */
  private static final String SOME_TEXT = "a";

  private final String model;
  private final Tokenizer tokenizer;
  private final PrefixPolicy policy;
  private final int[] prefix;
  private final Map<String, int[]> heads = new ConcurrentHashMap<>();

  /**
   * Finds out what stands in front of every text.
   *
   * @param model the model's name, for errors
   * @throws ScoringException if the policy needs a token that the tokenizer does not have
   */
  TextEncoder(String model, Tokenizer tokenizer, PrefixPolicy policy) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.policy = policy;
    this.prefix =
        switch (policy) {
          case DOCUMENT_START -> new int[] {documentStart()};
          case TOKENIZER -> specialTokensInFront();
          case NONE -> new int[0];
        };
  }

  /**
   * Tokenizes a text.
   *
   * @throws ScoringException if no token of it can be scored
   */
  TokenSequence encode(Text text) {
    TokenSequence sequence = text.prompt().isEmpty() ? plain(text) : prompted(text);
    int tokens = sequence.ids().length;
    if (sequence.firstTarget() < tokens) {
      return sequence;
    }
    if (!text.prompt().isEmpty()) {
      throw new ScoringException(
          "the content of text \"%s\" has no token for model %s to score after its prompt of %d"
              .formatted(text.id(), model, tokens - prefix.length));
    }
    throw new ScoringException(
        ("text \"%s\" is %d token(s) long for model %s, and the prefix policy \"%s\" scores none of"
                + " them; use the prefix policy \"document-start\", or leave the text out")
            .formatted(text.id(), tokens, model, policy));
  }

  private TokenSequence plain(Text text) {
    Encoding encoding = withPrefix(text.content());
    return new TokenSequence(encoding.ids(), prefix.length, 1, encoding.byteOffsets());
  }

  private TokenSequence prompted(Text text) {
    int[] head = heads.computeIfAbsent(text.prompt(), this::head);
    Encoding whole = withPrefix(text.prompt() + text.content());
    Encoding content = whole;
    int from = head.length;
    int contentStart = text.prompt().getBytes(StandardCharsets.UTF_8).length;
    if (!startsWith(whole.ids(), head)) {
      boolean special = policy == PrefixPolicy.TOKENIZER;
      content =
          special
              ? tokenizer.encodeWithSpecialTokens(text.content())
              : tokenizer.encode(text.content());
      from = special ? prefix.length : 0;
      contentStart = 0;
    }
    int count = content.ids().length - from;
    int[] ids = Arrays.copyOf(head, head.length + count);
    int[] byteOffsets = new int[ids.length];
    for (int t = 0; t < count; t++) {
      ids[head.length + t] = content.ids()[from + t];
      byteOffsets[head.length + t] = Math.max(0, content.byteOffsets()[from + t] - contentStart);
    }
    return new TokenSequence(ids, prefix.length, Math.max(1, head.length), byteOffsets);
  }

  /** Prefix and prompt. */
  private int[] head(String prompt) {
    int[] ids = tokenizer.encode(prompt).ids();
    if (startsDocument(ids)) {
      return ids;
    }
    int[] head = Arrays.copyOf(prefix, prefix.length + ids.length);
    System.arraycopy(ids, 0, head, prefix.length, ids.length);
    return head;
  }

  /** A rendered chat template, say, begins with the name of BOS; the model expects one BOS. */
  private boolean startsDocument(int[] ids) {
    return policy == PrefixPolicy.DOCUMENT_START && startsWith(ids, prefix);
  }

  private static boolean startsWith(int[] ids, int[] head) {
    return ids.length >= head.length && Arrays.equals(ids, 0, head.length, head, 0, head.length);
  }

  private Encoding withPrefix(String text) {
    return switch (policy) {
      case DOCUMENT_START -> {
        Encoding tokens = tokenizer.encode(text);
        yield startsDocument(tokens.ids()) ? tokens : prepend(prefix[0], tokens);
      }
      case TOKENIZER -> tokenizer.encodeWithSpecialTokens(text);
      case NONE -> tokenizer.encode(text);
    };
  }

  private static Encoding prepend(int id, Encoding text) {
    int tokens = text.ids().length;
    int[] ids = new int[tokens + 1];
    int[] byteOffsets = new int[tokens + 1];
    ids[0] = id;
    System.arraycopy(text.ids(), 0, ids, 1, tokens);
    System.arraycopy(text.byteOffsets(), 0, byteOffsets, 1, tokens);
    return new Encoding(ids, byteOffsets);
  }

  private int documentStart() {
    OptionalInt id = tokenizer.bosId().isPresent() ? tokenizer.bosId() : tokenizer.eosId();
    return id.orElseThrow(
        () ->
            new ScoringException(
                ("model %s has neither a BOS nor an EOS token, which the prefix policy"
                        + " \"document-start\" needs; use the prefix policy \"none\"")
                    .formatted(model)));
  }

  private int[] specialTokensInFront() {
    int[] plain = tokenizer.encode(SOME_TEXT).ids();
    int[] whole = tokenizer.encodeWithSpecialTokens(SOME_TEXT).ids();
    for (int front = 0; front + plain.length <= whole.length; front++) {
      if (Arrays.equals(whole, front, front + plain.length, plain, 0, plain.length)) {
        return Arrays.copyOf(whole, front);
      }
    }
    return new int[0];
  }
}
