package io.llmap.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Recognizes what a clone without Git LFS leaves in place of a large file. */
public final class GitLfs {
  private static final byte[] POINTER =
      "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.US_ASCII);

  private GitLfs() {}

  /**
   * Looks at the beginning of a file.
   *
   * @param path a file
   * @return what is wrong and what to do, if it is a pointer to the file itself
   * @throws IOException if it cannot be read
   */
  public static Optional<String> pointer(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      return Arrays.equals(in.readNBytes(POINTER.length), POINTER)
          ? Optional.of(
              path
                  + " is a Git LFS pointer in place of the file; run \"git lfs pull\" in its folder,"
                  + " or download the file itself")
          : Optional.empty();
    }
  }
}
