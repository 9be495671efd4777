package io.llmap.score.spi;

import io.llmap.text.Text;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The signs r_t(v) of a sketch: a hash of the text, the token's place in it and the token id, and
 * of nothing else. So all models of a tokenizer have the same ones, in any batch, window or kernel.
 *
 * <pre>key    = first 8 bytes of SHA-256(length of the prompt, prompt, content)
 * row    = upper half of mix64(key + (t + 1) · 0x9e3779b97f4a7c15)         SplitMix64's finaliser
 * r_t(v) = − where the top bit of fmix32(row xor v · 0x9e3779b1) is set    MurmurHash3's finaliser
 * </pre>
 */
final class RandomSigns {
  /** 2³² divided by the golden ratio, odd: neighbouring ids are far apart. */
  static final int ID_FACTOR = 0x9e3779b1;

  static final int FIRST_FACTOR = 0x85ebca6b;
  static final int SECOND_FACTOR = 0xc2b2ae35;

  private RandomSigns() {}

  /** The key of a text with its prompt; its id and its place among others do not matter. */
  static long key(Text text) {
    byte[] prompt = text.prompt().getBytes(StandardCharsets.UTF_8);
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(prompt.length).flip());
      sha.update(prompt);
      return ByteBuffer.wrap(sha.digest(text.content().getBytes(StandardCharsets.UTF_8))).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /**
   * What the signs of one token of a text are drawn from.
   *
   * @param position counted from the text's first scored token
   */
  static int row(long key, int position) {
    long z = key + (position + 1L) * 0x9e3779b97f4a7c15L;
    z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return (int) ((z ^ z >>> 31) >>> 32);
  }

  /** The finaliser without its last step, which does not reach the top bit. */
  static boolean isNegative(int row, int id) {
    int h = row ^ id * ID_FACTOR;
    h = (h ^ h >>> 16) * FIRST_FACTOR;
    h = (h ^ h >>> 13) * SECOND_FACTOR;
    return h < 0;
  }
}
