package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.cuda.FakeCudaDriver.FakePointer;
import io.llmap.score.spi.LogitsBlock;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import jcuda.driver.CUstream;
import org.junit.jupiter.api.Test;

/** The Java side against the compiled kernels: the driver checks neither how many nor how large. */
class LaunchedKernelsTest {
  private static final Pattern ENTRY =
      Pattern.compile("\\.entry (llmap_\\w+)\\s*\\(([^)]*)\\)", Pattern.DOTALL);
  private static final Pattern PARAMETER = Pattern.compile("\\.param \\.(\\w+)");

  /** Of each kernel in the jar, the types of its parameters. */
  private static Map<String, List<String>> compiled() throws IOException {
    Map<String, List<String>> kernels = new TreeMap<>();
    try (InputStream resource = CudaContext.class.getResourceAsStream("log_prob.ptx.gz")) {
      String ptx =
          new String(new GZIPInputStream(resource).readAllBytes(), StandardCharsets.US_ASCII);
      Matcher entry = ENTRY.matcher(ptx);
      while (entry.find()) {
        List<String> types = new ArrayList<>();
        PARAMETER.matcher(entry.group(2)).results().forEach(type -> types.add(type.group(1)));
        kernels.put(entry.group(1), types);
      }
    }
    return kernels;
  }

  private static String type(KernelArgument argument) {
    return argument instanceof KernelArgument.Int32 ? "u32" : "u64";
  }

  /** Launches everything there is, with few long rows and with many short ones. */
  private static Map<String, List<String>> launched() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    FakePointer memory = driver.put(0, new byte[1]);
    try (CudaContext context = CudaContext.open(driver, 0, new byte[1])) {
      for (LogitsBlock.Type type : LogitsBlock.Type.values()) {
        // Not closed, which would wait until all had run.
        CudaLogProbs kernels = CudaLogProbs.open(context, new CUstream());
        kernels.logProbs(new CudaLogits(memory, type, 1, 40_000, 40_000), memory, -1, memory);
        kernels.logProbs(new CudaLogits(memory, type, 100, 9, 9), memory, -1, memory);
        kernels.segmentSums(memory, memory, 1, memory);
      }
      CudaPairs pairs = new CudaPairs(context);
      pairs.gram(memory, 1, 1, memory, new CUstream());
      pairs.gramOfFloats(memory, 1, 1, memory, new CUstream());
      pairs.squaredDistances(memory, 1, 1, memory, new CUstream());
    }
    Map<String, List<String>> kernels = new TreeMap<>();
    driver.launches.forEach(
        launch ->
            kernels.put(
                launch.kernel(),
                launch.arguments().stream().map(LaunchedKernelsTest::type).toList()));
    return kernels;
  }

  @Test
  void everyCompiledKernelIsLaunchedWithArgumentsOfItsParametersSizes() throws IOException {
    assertThat(launched()).isEqualTo(compiled()).hasSize(13);
  }

  @Test
  void blocksHaveAsManyThreadsAsTheKernelsAreCompiledFor() throws IOException {
    try (InputStream resource = CudaContext.class.getResourceAsStream("log_prob.ptx.gz")) {
      String ptx =
          new String(new GZIPInputStream(resource).readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(Pattern.compile("\\.maxntid .*").matcher(ptx).results().map(m -> m.group()))
          .hasSize(13)
          .allMatch((".maxntid " + CudaLogProbs.BLOCK + ", 1, 1")::equals);
    }
  }
}
