package io.llmap.internal;

import io.llmap.LlmapException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** Turns what the file system says into one readable line. */
public final class FileErrors {
  private FileErrors() {}

  /**
   * An exception for a file that could not be used.
   *
   * @param action what was tried, such as {@code read}
   * @param path the file
   * @param e what the file system said
   * @return "cannot ACTION PATH: REASON"
   */
  public static LlmapException cannot(String action, Path path, IOException e) {
    return new LlmapException("cannot " + action + " " + path + ": " + reason(e), e);
  }

  private static String reason(IOException e) {
    // The messages of these are the path alone.
    if (e instanceof NoSuchFileException f) {
      return "there is no " + f.getFile();
    }
    if (e instanceof AccessDeniedException f) {
      return "permission denied for " + f.getFile();
    }
    if (e instanceof FileAlreadyExistsException f) {
      return f.getFile() + " is in the way";
    }
    if (e instanceof NotDirectoryException f) {
      return f.getFile() + " is not a folder";
    }
    if (e instanceof DirectoryNotEmptyException f) {
      return "the folder " + f.getFile() + " is in the way";
    }
    if (e instanceof CharacterCodingException) {
      return "it is not valid UTF-8";
    }
    if (e instanceof FileSystemException f && f.getReason() != null) {
      return f.getReason();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
