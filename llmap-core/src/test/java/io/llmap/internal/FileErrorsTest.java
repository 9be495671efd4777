package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FileErrorsTest {
  static Stream<Arguments> errors() {
    return Stream.of(
        Arguments.of(new NoSuchFileException("x"), "there is no x"),
        Arguments.of(new AccessDeniedException("x"), "permission denied for x"),
        Arguments.of(new FileAlreadyExistsException("x"), "x is in the way"),
        Arguments.of(new NotDirectoryException("x"), "x is not a folder"),
        Arguments.of(new DirectoryNotEmptyException("x"), "the folder x is in the way"),
        Arguments.of(new MalformedInputException(1), "it is not valid UTF-8"),
        Arguments.of(new FileSystemException("x", null, "Read-only"), "Read-only"),
        Arguments.of(new FileSystemException("x"), "x"),
        Arguments.of(new IOException("No space left"), "No space left"),
        Arguments.of(new IOException(), "IOException"));
  }

  @ParameterizedTest
  @MethodSource("errors")
  void messageIsTheActionThePathAndTheReason(IOException cause, String reason) {
    assertThat(FileErrors.cannot("read", Path.of("f"), cause))
        .hasMessage("cannot read f: " + reason)
        .hasCause(cause);
  }
}
