package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineProvider;
import ai.onnxruntime.OrtEnvironment;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.OnnxRuntimeVersion;
import io.llmap.score.Availability;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In JVMs whose class path lacks something, with an empty cache and no way to the network. */
class MissingNativesTest {
  private static final String DJL = "0.36.0";
  private static final String TORCH = "2.7.1";
  private static final String PLATFORM =
      DjlEngines.platform(System.getProperty("os.name"), System.getProperty("os.arch"));

  @TempDir Path cache;
  @TempDir Path classes;

  @Test
  void nativesThatAreMissingAreNamed() throws Exception {
    assertRefused(
        child().without("pytorch-native"),
        "PyTorch's native library for " + PLATFORM + " is not on the class path; add",
        "ai.djl.pytorch:pytorch-native-cpu:" + TORCH + ":" + PLATFORM);
  }

  @Test
  void aBridgeThatIsMissingIsNamed() throws Exception {
    assertRefused(
        child().without("pytorch-jni"),
        "not on the class path; add ai.djl.pytorch:pytorch-jni:" + TORCH + "-" + DJL);
  }

  @Test
  void nativesOfAnotherVersionAreRefused() throws Exception {
    natives("2.5.1", PLATFORM);
    assertRefused(
        child().without("pytorch-native").with(classes),
        "PyTorch's native library is of version 2.5.1",
        "ai.djl.pytorch:pytorch-jni:"
            + TORCH
            + "-"
            + DJL
            + "; use ai.djl.pytorch:pytorch-native-cpu:"
            + TORCH
            + ":"
            + PLATFORM);
  }

  @Test
  void nativesOfAnotherPlatformAreRefused() throws Exception {
    natives(TORCH, "plan9-mips");
    assertRefused(
        child().without("pytorch-native").with(classes),
        "ai.djl.pytorch:pytorch-native-cpu:" + TORCH + ":" + PLATFORM,
        "(found only cpu for plan9-mips)");
  }

  @Test
  void aLibraryPathToNowhereIsRefused() throws Exception {
    assertRefused(
        child().option("-DPYTORCH_LIBRARY_PATH=" + cache),
        "PYTORCH_LIBRARY_PATH=" + cache + " has no " + System.mapLibraryName("torch"));
  }

  @Test
  void anotherVersionThatIsAskedForIsRefused() throws Exception {
    assertRefused(
        child().option("-DPYTORCH_VERSION=1.13.1"),
        "PYTORCH_VERSION=1.13.1 is neither",
        "unset it");
  }

  @Test
  void withoutPyTorchTheOnnxEngineStillStarts() throws Exception {
    assertThat(child().without("pytorch-native").run(Engines.class, "OnnxRuntime", "start"))
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .startsWith(
                        "true DJL "
                            + DJL
                            + ": OnnxRuntime "
                            + OnnxRuntimeVersion.TESTED
                            + "; no PyTorch: "),
            line -> assertThat(line).isEqualTo("started OnnxRuntime"));
  }

  @Test
  void onnxRuntimeThatIsMissingIsNamed() throws Exception {
    assertThat(child().without("onnxruntime-1").run(Engines.class, "OnnxRuntime"))
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .startsWith(
                        "true DJL " + DJL + ": PyTorch " + TORCH + " (cpu); no OnnxRuntime: "),
            line ->
                assertThat(line)
                    .startsWith("refused: ")
                    .endsWith(
                        "add com.microsoft.onnxruntime:onnxruntime:" + OnnxRuntimeVersion.TESTED));
  }

  @Test
  void onnxRuntimeThatRunsAlreadyIsExplained() throws Exception {
    assertThat(child().run(Engines.class, "OnnxRuntime", "second"))
        .last()
        .asString()
        .startsWith(
            "refused: DJL's engine OnnxRuntime cannot be started: ONNX Runtime already runs");
  }

  @Test
  void enginesThatMayUseTheNetworkAreListedAndNotStarted() throws Exception {
    service("io.llmap.djl.MissingNativesTest$OtherEngine");
    assertThat(child().with(classes).run(Engines.class, "Other"))
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .startsWith("true DJL " + DJL + ": ")
                    .contains("; no Other: llmap does not know it to be offline"),
            line -> assertThat(line).startsWith("refused: DJL's engine Other cannot be used"));
  }

  @Test
  void aBrokenListOfEnginesIsReported() throws Exception {
    service("io.llmap.djl.NoSuchEngine");
    assertThat(child().with(classes).run(Engines.class, "PyTorch"))
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .startsWith("false DJL cannot list its engines: ")
                    .contains("NoSuchEngine"),
            line -> assertThat(line).startsWith("refused: DJL cannot list its engines: "));
  }

  @Test
  void gpusNeedNativesThatAreMadeForThem() throws Exception {
    assertThat(child().run(Engines.class, "PyTorch", "cuda:7"))
        .last()
        .asString()
        .startsWith(
            "refused: device \"cuda:7\" cannot be used: the natives of PyTorch " + TORCH + " (cpu)")
        .containsPattern("GPUs found: \\d+")
        .contains("ai.djl.pytorch:pytorch-native-");
    assertThat(child().run(Engines.class, "OnnxRuntime", "cuda:0"))
        .last()
        .asString()
        .startsWith("refused: device \"cuda:0\" cannot be used: the natives of OnnxRuntime")
        .contains("com.microsoft.onnxruntime:onnxruntime_gpu");
    assertThat(child().run(Engines.class, "PyTorch", "gpu"))
        .last()
        .isEqualTo(
            "refused: device \"gpu\" is unknown to the djl provider; use \"cpu\" or \"cuda:0\"");
  }

  @Test
  void engineAndApiOfDifferentVersionsAreRefused() throws Exception {
    Files.writeString(
        classes.resolve("pytorch-engine.properties"),
        "djl_version=0.34.0\npytorch_version=" + TORCH + "\n");
    assertRefused(
        child().with(classes),
        "pytorch-engine is of version 0.34.0 and ai.djl:api of "
            + DJL
            + "; use"
            + " ai.djl.pytorch:pytorch-engine:"
            + DJL);
  }

  private void assertRefused(ChildJvm child, String... parts) throws Exception {
    List<String> lines = child.run(Engines.class, "PyTorch");
    assertThat(lines)
        .satisfiesExactly(
            line ->
                assertThat(line).startsWith("true DJL " + DJL + ": OnnxRuntime").contains(parts),
            line -> assertThat(line).startsWith("refused: DJL's engine PyTorch").contains(parts));
    try (Stream<Path> extracted = Files.list(cache)) {
      assertThat(extracted).isEmpty();
    }
  }

  private ChildJvm child() {
    return new ChildJvm().option(NetworkTrap.OPTION).option("-DDJL_CACHE_DIR=" + cache);
  }

  private void natives(String version, String platform) throws Exception {
    Path file =
        Files.createDirectories(classes.resolve("native/lib")).resolve("pytorch.properties");
    Files.writeString(
        file, "version=%s\nflavor=cpu\nclassifier=%s\nlibraries=a\n".formatted(version, platform));
  }

  private void service(String provider) throws Exception {
    Path folder = Files.createDirectories(classes.resolve("META-INF/services"));
    Files.writeString(folder.resolve("ai.djl.engine.EngineProvider"), provider + "\n");
  }

  /** Prints what there is, and what comes of asking for one. */
  static final class Engines {
    private Engines() {}

    public static void main(String[] args) throws Exception {
      NetworkTrap.install();
      Availability availability = DjlEngines.availability();
      System.out.println(availability.available() + " " + availability.detail());
      String what = args.length == 1 ? "start" : args[1];
      try {
        if (what.matches("cuda.*|gpu")) {
          System.out.println("found " + DjlEngines.device(what, args[0]));
          return;
        }
        if (what.equals("second")) {
          OrtEnvironment.getEnvironment();
        }
        // The first tensor starts a second engine, if any.
        DjlEngines.require(args[0]).newBaseManager().close();
        System.out.println("started " + args[0]);
      } catch (BackendUnavailableException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
  }

  /** An engine of somebody else. */
  public static final class OtherEngine implements EngineProvider {
    /** Created by the service loader. */
    public OtherEngine() {}

    @Override
    public String getEngineName() {
      return "Other";
    }

    @Override
    public int getEngineRank() {
      return Integer.MAX_VALUE;
    }

    @Override
    public Engine getEngine() {
      throw new AssertionError("it must not be started");
    }
  }
}
