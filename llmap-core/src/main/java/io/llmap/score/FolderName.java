package io.llmap.score;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Names of folders for names of models: different names, different folders. On a file system that
 * does not tell upper case from lower, names that differ in nothing else share one; their runs do
 * not.
 */
final class FolderName {
  /** Well under the 255 bytes that file systems allow. */
  private static final int LONGEST = 160;

  private FolderName() {}

  /**
   * Keeps ASCII letters, digits, hyphens, underscores, and dots that are neither first nor last;
   * every other byte of the UTF-8 form becomes a percent sign and two digits. A long result is cut
   * and gets a hash of the name behind a tilde, which stands in no other.
   */
  static String of(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    StringBuilder folder = new StringBuilder(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      char c = (char) (bytes[i] & 0xFF);
      boolean inner = i > 0 && i < bytes.length - 1;
      if (isPlain(c) || (c == '.' && inner)) {
        folder.append(c);
      } else {
        folder.append('%').append(HexFormat.of().withUpperCase().toHexDigits(bytes[i]));
      }
    }
    if (folder.length() <= LONGEST) {
      return folder.toString();
    }
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return folder.substring(0, LONGEST) + "~" + HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  private static boolean isPlain(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '-'
        || c == '_';
  }
}
