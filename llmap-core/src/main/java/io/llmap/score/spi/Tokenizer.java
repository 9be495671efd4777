package io.llmap.score.spi;

import java.util.OptionalInt;

/**
 * Text to token ids.
 *
 * <p>The two methods that tokenize are called by several threads at once; {@link #close} after all
 * of them have returned.
 */
public interface Tokenizer extends AutoCloseable {
  /**
   * Tokenizes a text as it is: nothing added in front or behind. A special token's name that occurs
   * in the text is treated as the tokenizer's own configuration says.
   *
   * @param text any string of valid UTF-16; may be empty
   * @return the tokens of the text
   */
  Encoding encode(String text);

  /**
   * Tokenizes a text with the special tokens that the tokenizer adds by itself.
   *
   * @param text any string of valid UTF-16; may be empty
   * @return the tokens, special ones included
   */
  Encoding encodeWithSpecialTokens(String text);

  /**
   * The token that starts a document.
   *
   * @return BOS, or empty when the tokenizer has none
   */
  OptionalInt bosId();

  /**
   * The token that ends a document.
   *
   * @return EOS, or empty when the tokenizer has none
   */
  OptionalInt eosId();

  @Override
  void close();
}
