package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The PTX in the jar is what the source beside it compiles to. */
class CheckedInPtxTest {
  private static final Path TOOLS = Path.of("../tools/gpu");
  private static final Path PTX = Path.of("src/main/resources/io/llmap/cuda/log_prob.ptx.gz");

  @Test
  void ptxIsWhatNvccMakesOfTheSource(@TempDir Path folder) throws IOException {
    assumeTheSameCompiler();
    Path rebuilt = folder.resolve("rebuilt.ptx.gz");
    CommandLine.Result result =
        CommandLine.run(
            List.of(TOOLS.resolve("build_ptx.sh").toString(), rebuilt.toString()), new byte[0]);
    assertThat(result.status()).as(result.errors()).isZero();
    assertThat(text(rebuilt)).isEqualTo(text(PTX));
  }

  @Test
  void noKernelSpillsOrNeedsAStack() {
    CommandLine.assumeAvailable("ptxas");
    CommandLine.Result result =
        CommandLine.run(List.of(TOOLS.resolve("ptxas.sh").toString()), new byte[0]);
    assertThat(result.status()).as(result.errors()).isZero();
  }

  @Test
  void ptxNeedsNoNewerDriverThanTheOldestDevice() throws IOException {
    assertThat(text(PTX)).contains("\n.version 6.3\n.target sm_75\n.address_size 64\n");
  }

  @Test
  void ptxHasNoAtomicsAndNoLocalMemory() throws IOException {
    assertThat(text(PTX)).doesNotContainPattern("(?m)^\\s*(@\\S+\\s+)?(atom|red)\\.|\\.local\\b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"f32", "f16", "bf16"})
  void aRowIsReadByFour128BitLoadsARoundAndNothingElseIsReadTwice(String suffix)
      throws IOException {
    List<String> loads = globalLoads("llmap_log_probs_" + suffix);
    assertThat(loads).filteredOn(load -> load.startsWith("ld.global.cs.v4.u32")).hasSize(4);
    // The target, its logit, head, tail; and the two passes of the slow path.
    assertThat(loads).filteredOn(load -> !load.startsWith("ld.global.cs.v4.u32")).hasSize(6);
    assertThat(globalLoads("llmap_log_probs_split_" + suffix)).hasSize(6);
  }

  private static List<String> globalLoads(String kernel) throws IOException {
    String ptx = text(PTX);
    int start = ptx.indexOf(".entry " + kernel + "(");
    return ptx.substring(start, ptx.indexOf("\n}", start))
        .lines()
        .map(String::strip)
        .filter(line -> line.contains("ld.global"))
        .toList();
  }

  /** Another release of nvcc writes other code for the same source. */
  private static void assumeTheSameCompiler() throws IOException {
    CommandLine.assumeAvailable("nvcc");
    CommandLine.assumeAvailable("ptxas");
    Matcher built = Pattern.compile("release [^\n]*").matcher(text(PTX));
    assertThat(built.find()).isTrue();
    String version =
        new String(
            CommandLine.run(List.of("nvcc", "--version"), new byte[0]).output(),
            StandardCharsets.UTF_8);
    CommandLine.assume(
        version.contains(built.group()), "nvcc is not that of the PTX, " + built.group());
  }

  private static String text(Path ptx) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(ptx))) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }
}
