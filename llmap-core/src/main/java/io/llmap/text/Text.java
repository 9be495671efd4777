package io.llmap.text;

import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * One text of a text set.
 *
 * @param id unique in its set
 * @param prompt what stands before the content and is not scored; empty for plain texts
 * @param content what is scored, never empty
 */
public record Text(String id, String prompt, String content) {

  /**
   * Checks the text.
   *
   * @param id unique in its set
   * @param prompt what stands before the content and is not scored; empty for plain texts
   * @param content what is scored, never empty
   * @throws IllegalArgumentException if the id or the content is empty, or a string is not valid
   *     UTF-16 and so has no UTF-8 form
   */
  public Text {
    if (id.isEmpty()) {
      throw new IllegalArgumentException("a text needs an id");
    }
    if (content.isEmpty()) {
      throw new IllegalArgumentException(
          "text \"" + id + "\" is empty: it has no token to score; leave it out");
    }
    requireUnicode(id, id, "id");
    requireUnicode(id, prompt, "prompt");
    requireUnicode(id, content, "content");
  }

  /**
   * A text without a prompt.
   *
   * @param id unique in its set
   * @param content what is scored
   * @return the text
   */
  public static Text of(String id, String content) {
    return new Text(id, "", content);
  }

  /**
   * The length of the content.
   *
   * @return UTF-8 bytes, at least 1
   */
  public int bytes() {
    int bytes = 0;
    for (int i = 0; i < content.length(); i++) {
      char c = content.charAt(i);
      // A surrogate is half of a four-byte character.
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return bytes;
  }

  private static void requireUnicode(String id, String value, String what) {
    try {
      // The encoder, unlike String.getBytes, refuses a lone surrogate instead of writing '?'.
      StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(value));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          "the " + what + " of text \"" + id + "\" is not valid UTF-16 (a lone surrogate)", e);
    }
  }
}
