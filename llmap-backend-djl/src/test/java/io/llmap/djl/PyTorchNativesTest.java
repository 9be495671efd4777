package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Class paths, cache folders and settings of every kind that DJL tells apart. */
class PyTorchNativesTest {
  private static final String PLATFORM = "linux-x86_64";
  private static final String TORCH = System.mapLibraryName("torch");
  private static final String BRIDGE = System.mapLibraryName("djl_torch");

  @TempDir Path folder;
  private final List<URL> classPath = new ArrayList<>();
  private final Map<String, String> settings = new TreeMap<>();
  private Supplier<String> systemFlavor =
      () -> {
        throw new AssertionError("GPUs are counted only where it matters");
      };

  @BeforeEach
  void engine() throws IOException {
    jar(
        "engine",
        Map.of(
            "ai/djl/engine/api.properties",
            "djl_version=0.40.0",
            "pytorch-engine.properties",
            "djl_version=0.40.0\npytorch_version=2.9.1"));
  }

  @Test
  void nativesAndBridgeThatFitAreTaken() throws IOException {
    natives("2.9.1-20260101", "cpu", PLATFORM);
    bridge("2.9.1-0.40.0", "cpu");
    assertThat(find()).isEqualTo(EngineState.usable("PyTorch", "2.9.1", "cpu"));
  }

  @Test
  void anOlderPairThatFitsIsTaken() throws IOException {
    natives("2.5.1", "cpu", PLATFORM);
    bridge("2.5.1-0.40.0", "cpu");
    assertThat(find()).isEqualTo(EngineState.usable("PyTorch", "2.5.1", "cpu"));
  }

  @Test
  void theWantedVersionIsReadFromTheEngine() throws IOException {
    systemFlavor = () -> "cpu";
    bridge("2.9.1-0.40.0", "cpu", "cu130");
    assertThat(refusal())
        .endsWith(
            "add ai.djl.pytorch:pytorch-native-cpu:2.9.1:linux-x86_64 or"
                + " ai.djl.pytorch:pytorch-native-cu130:2.9.1:linux-x86_64");
    assertThat(natives().cudaArtifacts())
        .containsExactly("ai.djl.pytorch:pytorch-native-cu130:2.9.1:linux-x86_64");
  }

  @Test
  void aBridgeOfAnotherVersionIsRefused() throws IOException {
    natives("2.9.1", "cpu", PLATFORM);
    bridge("2.9.1-0.36.0", "cpu");
    assertThat(refusal())
        .contains("of version 2.9.1", "pytorch-jni:2.9.1-0.36.0")
        .endsWith("use ai.djl.pytorch:pytorch-jni:2.9.1-0.40.0");
  }

  @Test
  void whereNeitherFitsBothAreNamed() throws IOException {
    natives("2.5.1", "cpu", PLATFORM);
    bridge("2.7.1-0.40.0", "cpu");
    assertThat(refusal())
        .endsWith(
            "use ai.djl.pytorch:pytorch-native-cpu:2.9.1:linux-x86_64 and"
                + " ai.djl.pytorch:pytorch-jni:2.9.1-0.40.0");
  }

  @Test
  void ofSeveralNativesThoseForTheGpuComeFirst() throws IOException {
    natives("2.9.1", "cpu", PLATFORM);
    natives("2.9.1", "cu130", PLATFORM);
    natives("2.9.1", "cu130", "win-x86_64");
    bridge("2.9.1-0.40.0", "cpu", "cu130");
    systemFlavor = () -> "cu131";
    assertThat(find().flavor()).isEqualTo("cu130");
    systemFlavor = () -> "cu128";
    assertThat(find().flavor()).isEqualTo("cpu");
    systemFlavor = () -> "cpu";
    assertThat(find().flavor()).isEqualTo("cpu");
  }

  @Test
  void nativesForAGpuAloneNeedOne() throws IOException {
    natives("2.9.1", "cu130", PLATFORM);
    bridge("2.9.1-0.40.0", "cpu", "cu130");
    systemFlavor = () -> "cpu";
    assertThat(refusal())
        .contains("pytorch-native-cpu:2.9.1:linux-x86_64")
        .endsWith("(found only cu130 for linux-x86_64)");
  }

  @Test
  void aPropertiesFileOfOldNamesItsFlavorInTheClassifier() throws IOException {
    jar(
        "old",
        Map.of("native/lib/pytorch.properties", "version=1.9.1\nclassifier=cpu-linux-x86_64"));
    bridge("1.9.1-0.40.0", "cpu");
    assertThat(find()).isEqualTo(EngineState.usable("PyTorch", "1.9.1", "cpu"));
  }

  @Test
  void aPlaceholderForADownloadIsNotANativeLibrary() throws IOException {
    jar("auto", Map.of("native/lib/pytorch.properties", "version=2.9.1\nplaceholder=true"));
    bridge("2.9.1-0.40.0", "cpu");
    systemFlavor = () -> "cpu";
    assertThat(refusal()).contains("is not on the class path; add");
  }

  @Test
  void whatWasDownloadedBeforeIsTaken() throws IOException {
    systemFlavor = () -> "cpu";
    file("cache/2.9.1-cpu-linux-x86_64/" + TORCH);
    assertThat(refusal()).endsWith("add ai.djl.pytorch:pytorch-jni:2.9.1-0.40.0");
    file("cache/2.9.1-cpu-linux-x86_64/0.40.0-" + BRIDGE);
    assertThat(find()).isEqualTo(EngineState.usable("PyTorch", "2.9.1", "cpu"));
    settings.put("PYTORCH_PRECXX11", "true");
    assertThat(refusal()).contains("is not on the class path; add");
    settings.put("PYTORCH_FLAVOR", "cpu");
    assertThat(find().refusal()).isEmpty();
  }

  @Test
  void anExtractedBridgeServesWithoutItsJar() throws IOException {
    natives("2.9.1-20260101", "cpu", PLATFORM);
    assertThat(refusal()).endsWith("add ai.djl.pytorch:pytorch-jni:2.9.1-0.40.0");
    file("cache/2.9.1-20260101-cpu-linux-x86_64/0.40.0-" + BRIDGE);
    assertThat(find().refusal()).isEmpty();
  }

  @Test
  void aVersionThatIsAskedForMustBeThere() throws IOException {
    natives("2.9.1-20260101", "cpu", PLATFORM);
    bridge("2.9.1-0.40.0", "cpu");
    settings.put("PYTORCH_VERSION", "2.9.1");
    assertThat(find().refusal()).isEmpty();
    settings.put("PYTORCH_VERSION", "2.5.1");
    systemFlavor = () -> "cpu";
    assertThat(refusal()).startsWith("PYTORCH_VERSION=2.5.1 is neither on the class path nor in ");
    file("cache/2.5.1-cpu-linux-x86_64/" + TORCH);
    assertThat(refusal()).contains("of version 2.5.1", "pytorch-jni:2.9.1-0.40.0");
  }

  @Test
  void aLibraryPathNeedsTheFlavorOfItsBridge() throws IOException {
    bridge("2.9.1-0.40.0", "cpu", "cu130");
    file("torch/lib/" + TORCH);
    settings.put("PYTORCH_LIBRARY_PATH", folder.resolve("torch/lib").toString());
    systemFlavor = () -> "cpu";
    assertThat(refusal())
        .contains("has no jnilib/linux-x86_64/cpu-precxx11/")
        .endsWith("set PYTORCH_FLAVOR too, to cpu or cu130");
    settings.put("PYTORCH_FLAVOR", "cpu");
    assertThat(find()).isEqualTo(EngineState.usable("PyTorch", "2.9.1", "cpu"));
    settings.put("PYTORCH_LIBRARY_PATH", folder.resolve("torch/lib").resolve(TORCH).toString());
    assertThat(find().refusal()).isEmpty();
    settings.put("PYTORCH_LIBRARY_PATH", folder.resolve("torch").toString());
    assertThat(refusal()).contains(" has no " + TORCH);
  }

  @Test
  void aLibraryPathToAnotherVersionIsRefused() throws IOException {
    bridge("2.9.1-0.40.0", "cpu");
    file("torch/lib/" + TORCH);
    settings.put("PYTORCH_LIBRARY_PATH", folder.resolve("torch/lib").toString());
    settings.put("PYTORCH_FLAVOR", "cpu");
    Files.writeString(folder.resolve("torch/version.py"), "__version__ = '2.13.0+cpu'\n");
    assertThat(refusal()).contains("has PyTorch 2.13.0 and DJL would take it for 2.9.1");
    Files.writeString(folder.resolve("torch/build-version"), "2.9.1+cpu\n");
    assertThat(find().refusal()).isEmpty();
  }

  @Test
  void whereTheBridgeIsNotBuiltForThePlatformThereIsNoPyTorch() throws IOException {
    jar(
        "mac",
        Map.of(
            "jnilib/pytorch.properties",
            "jni_version=2.9.1-0.40.0",
            "jnilib/osx-aarch64/cpu/" + BRIDGE,
            ""));
    natives("2.9.1", "cpu", PLATFORM);
    assertThat(refusal()).endsWith("PyTorch does not run on this system");
  }

  @Test
  void brokenMetadataIsReported() throws IOException {
    jar("broken", Map.of("native/lib/pytorch.properties", "classifier=linux-x86_64"));
    assertThat(refusal()).contains("native/lib/pytorch.properties", "has no version");
  }

  private EngineState find() {
    return natives().find();
  }

  private String refusal() {
    return find().refusal().orElseThrow();
  }

  private PyTorchNatives natives() {
    return new PyTorchNatives(
        new URLClassLoader(classPath.toArray(new URL[0]), null),
        settings::get,
        folder.resolve("cache"),
        PLATFORM,
        () -> systemFlavor.get());
  }

  private void natives(String version, String flavor, String platform) throws IOException {
    jar(
        "native" + classPath.size(),
        Map.of(
            "native/lib/pytorch.properties",
            "version=%s\nflavor=%s\nclassifier=%s\nlibraries=a,b"
                .formatted(version, flavor, platform)));
  }

  private void bridge(String version, String... flavors) throws IOException {
    Map<String, String> files = new TreeMap<>();
    files.put("jnilib/pytorch.properties", "jni_version=" + version);
    for (String flavor : flavors) {
      files.put("jnilib/" + PLATFORM + "/" + flavor + "/" + BRIDGE, "");
    }
    jar("jni", files);
  }

  private void file(String path) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.createFile(file);
  }

  private void jar(String name, Map<String, String> files) throws IOException {
    Path jar = folder.resolve(name + ".jar");
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, String> file : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(file.getKey()));
        zip.write(file.getValue().getBytes(StandardCharsets.UTF_8));
        zip.closeEntry();
      }
    }
    classPath.add(jar.toUri().toURL());
  }
}
