package io.llmap.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Checks that the example in a documentation is code that compiles and runs: the lines between
 * {@code // example} and {@code // end} of a test.
 */
public final class PackageExample {
  private PackageExample() {}

  /**
   * Compares the documentation of the test's package with the marked lines of the test; where lines
   * break does not matter, because the margins differ.
   */
  public static void assertDocumented(Class<?> test) throws IOException {
    Path folder = Path.of(test.getPackageName().replace('.', '/'));
    assertDocumented(Path.of("src/main/java").resolve(folder).resolve("package-info.java"), test);
  }

  /**
   * Compares the first example in a source file's documentation with the marked lines of a test.
   */
  public static void assertDocumented(Path source, Class<?> test) throws IOException {
    Path folder = Path.of(test.getPackageName().replace('.', '/'));
    List<String> documented = between(source, "<pre>{@code", "}</pre>");
    List<String> tested =
        between(
            Path.of("src/test/java").resolve(folder).resolve(test.getSimpleName() + ".java"),
            "// example",
            "// end");
    assertThat(documented).hasSizeGreaterThan(2);
    assertThat(withoutSpaces(documented)).isEqualTo(withoutSpaces(tested));
  }

  private static String withoutSpaces(List<String> lines) {
    return String.join("", lines).replace(" ", "");
  }

  private static List<String> between(Path file, String start, String end) throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .map(line -> line.replaceFirst("^ \\*", "").strip())
          .dropWhile(line -> !line.equals(start))
          .skip(1)
          .takeWhile(line -> !line.equals(end))
          .toList();
    }
  }
}
