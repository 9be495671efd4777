package io.llmap.internal;

import io.llmap.LlmapException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Writes a file so that a reader, or a crash, sees the old content or the new one, never a part.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes everything.
     *
     * @param out buffered; may be closed
     * @throws IOException if the stream does
     */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Creates or replaces a file: written beside it under another name, forced to the disk, moved
   * into place. If anything fails, the other file is removed and the target is as it was.
   *
   * @param target the file; its folder exists
   * @param content what to write
   * @throws LlmapException if the file system refuses
   */
  public static void write(Path target, Content content) {
    Path temporary = target.resolveSibling(target.getFileName() + "." + UUID.randomUUID() + ".tmp");
    Path folder = target.toAbsolutePath().getParent();
    if (folder != null && !Files.isDirectory(folder)) {
      throw new LlmapException("cannot write " + target + ": there is no folder " + folder);
    }
    try {
      try {
        try (FileChannel channel =
            FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
          OutputStream out =
              new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16) {
                @Override
                public void close() throws IOException {
                  // The channel stays open to be forced.
                  flush();
                }
              };
          content.writeTo(out);
          out.flush();
          channel.force(true);
        }
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw FileErrors.cannot("write", target, e);
    }
    forceFolder(target);
  }

  /**
   * Makes the entry of a file in its folder durable, where the system can: Windows cannot open a
   * folder, and there a move is durable by itself.
   *
   * @param file the file whose folder is forced
   */
  public static void forceFolder(Path file) {
    try (FileChannel folder =
        FileChannel.open(file.toAbsolutePath().resolveSibling("."), StandardOpenOption.READ)) {
      folder.force(true);
    } catch (IOException e) {
      System.getLogger(AtomicFile.class.getName())
          .log(System.Logger.Level.DEBUG, "the folder of {0} cannot be forced", file);
    }
  }
}
