package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.LlmapException;
import io.llmap.embed.Embedding;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Draws in a second Java runtime that lacks something. */
class OtherRuntimeTest {
  @TempDir Path folder;

  /** What the second runtime runs: writes the file that it is told to, and prints what fails. */
  static final class Draw {
    private Draw() {}

    public static void main(String[] args) {
      Path file = Path.of(args[0]);
      MapView view = MapView.of(Embedding.of(List.of("a"), new double[1][2], "t"));
      try {
        if (file.toString().endsWith(".svg")) {
          view.writeSvg(file);
        } else {
          view.writePng(file);
        }
      } catch (LlmapException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void svgNeedsNoAwt() throws Exception {
    Path file = folder.resolve("map.svg");
    assertThat(run(List.of(), List.of("--limit-modules", "java.base"), file)).isEmpty();
    assertThat(file).content().startsWith("<?xml").endsWith("</svg>\n");
  }

  @Test
  void pngWithoutAwtSaysSoAndPointsToSvg() throws Exception {
    Path file = folder.resolve("map.png");
    assertThat(run(List.of(), List.of("--limit-modules", "java.base"), file))
        .startsWith("this Java runtime cannot draw text (java.lang.NoClassDefFoundError")
        .contains("write SVG");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void pngWithFontsThatCannotBeLoadedSaysSoAndPointsToSvg() throws Exception {
    // AWT unpacks a font into a temporary file.
    Path missing = folder.resolve("none");
    Path file = folder.resolve("map.png");
    assertThat(run(List.of(), List.of("-Djava.io.tmpdir=" + missing), file))
        .contains("this Java runtime cannot draw text (java.")
        .contains("write SVG");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void diskThatFillsUpLeavesTheOldFileAndNothingElse() throws Exception {
    Path shell = Path.of("/bin/sh");
    Assumptions.assumeTrue(Files.isExecutable(shell), "skipped: no /bin/sh to limit file sizes");
    Path svg = Files.writeString(folder.resolve("map.svg"), "old");
    // A limit of 1 block, 512 or 1024 bytes, on every file that the runtime writes.
    List<String> limited = List.of(shell.toString(), "-c", "ulimit -f 1; exec \"$@\"", "sh");
    assertThat(run(limited, List.of("-XX:-UsePerfData"), svg))
        .isEqualToIgnoringNewLines("cannot write " + svg + ": File too large");
    assertThat(svg).hasContent("old");
    assertThat(folder.toFile().list()).containsExactly("map.svg");
  }

  private static String run(List<String> before, List<String> options, Path file)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(
        List.of(
            "-Djava.awt.headless=true", "-cp", classPath(), Draw.class.getName(), file.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  private static String classPath() {
    return System.getProperty(
        "surefire.test.class.path", System.getProperty("java.class.path", "") + File.pathSeparator);
  }
}
