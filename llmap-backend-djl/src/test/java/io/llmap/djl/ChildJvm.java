package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A JVM of its own, because an engine is started once in a process, and not undone. */
final class ChildJvm {
  private static final Pattern DECIDES =
      Pattern.compile("DJL_OFFLINE|DJL_DEFAULT_ENGINE|OPT_OUT_TRACKING|PYTORCH_.*");

  private final List<String> before = new ArrayList<>();
  private final List<String> options = new ArrayList<>();
  private final Map<String, String> environment = new TreeMap<>();
  private final List<Path> added = new ArrayList<>();
  private Predicate<String> kept = entry -> true;

  ChildJvm under(String... command) {
    before.addAll(List.of(command));
    return this;
  }

  ChildJvm option(String option) {
    options.add(option);
    return this;
  }

  ChildJvm variable(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /** Leaves out jars whose file name begins with this. */
  ChildJvm without(String artifact) {
    kept = kept.and(entry -> !String.valueOf(Path.of(entry).getFileName()).startsWith(artifact));
    return this;
  }

  ChildJvm with(Path entry) {
    added.add(entry);
    return this;
  }

  /** Runs to the end, which must be a good one, and gives the lines of standard output. */
  List<String> run(Class<?> main, String... arguments) throws IOException, InterruptedException {
    String classPath =
        Stream.concat(
                added.stream().map(Path::toString),
                Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                    .filter(kept))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> DECIDES.matcher(name).matches());
    builder.environment().putAll(environment);
    Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (InputStream out = process.getInputStream()) {
      List<String> lines = new String(out.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      assertThat(process.waitFor()).as("exit code, after %s", lines).isZero();
      return lines;
    }
  }
}
