package io.llmap.cuda;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/** Programs that a test runs where they are installed. */
final class CommandLine {
  private CommandLine() {}

  record Result(int status, byte[] output, String errors) {}

  /** Skips the calling test, and prints why, where no folder of the PATH has the program. */
  static void assumeAvailable(String program) {
    String path = System.getenv().getOrDefault("PATH", "");
    boolean found =
        Pattern.compile(Pattern.quote(File.pathSeparator))
            .splitAsStream(path)
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    assume(found, "no " + program + " on the PATH");
  }

  static void assume(boolean condition, String reason) {
    if (!condition) {
      System.out.println("skipped: " + reason);
      Assumptions.abort("skipped: " + reason);
    }
  }

  static Result run(List<String> command, byte[] input) {
    try {
      Path errors = Files.createTempFile("llmap-command", ".err");
      try {
        Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        Thread writer = new Thread(() -> write(process, input));
        writer.start();
        byte[] output = process.getInputStream().readAllBytes();
        int status = process.waitFor();
        writer.join();
        return new Result(status, output, Files.readString(errors, StandardCharsets.UTF_8));
      } finally {
        Files.delete(errors);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + command.get(0) + " ran", e);
    }
  }

  private static void write(Process process, byte[] input) {
    try (OutputStream out = process.getOutputStream()) {
      out.write(input);
    } catch (IOException e) {
      // The program has ended early; its status says why.
    }
  }
}
