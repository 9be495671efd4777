package io.llmap.djl;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which native libraries DJL's PyTorch engine would load, decided as {@code
 * ai.djl.pytorch.jni.LibUtils} and {@code ai.djl.util.Platform} of DJL 0.36 do, from the class
 * path's metadata, without loading or extracting any. Where DJL would go on to download, this
 * refuses.
 *
 * <p>PyTorch itself comes from {@code PYTORCH_LIBRARY_PATH}, else from a {@code pytorch-native}
 * artifact on the class path, else from DJL's cache folder. The bridge to it lies beside it, in the
 * cache folder, or comes from {@code pytorch-jni}.
 */
final class PyTorchNatives {
  static final String ENGINE = "PyTorch";

  private static final String GROUP = "ai.djl.pytorch:";
  private static final Pattern VERSION =
      Pattern.compile("(\\d+\\.\\d+\\.\\d+(-[a-z]+)?)(-SNAPSHOT)?(-\\d+)?");
  private static final Pattern RELEASE = Pattern.compile("\\d+\\.\\d+\\.\\d+");
  private static final Pattern CUDA = Pattern.compile("cu(\\d{3}).*");
  private static final String TORCH = System.mapLibraryName("torch");
  private static final String BRIDGE = System.mapLibraryName("djl_torch");

  private final ClassLoader classPath;
  private final UnaryOperator<@Nullable String> settings;
  private final Path cache;
  private final String platform;
  private final Supplier<String> systemFlavor;

  /**
   * Where to look.
   *
   * @param settings gives the value of an environment variable or system property, or null
   * @param cache where DJL extracts PyTorch's natives to
   * @param platform the system as a Maven classifier, such as {@code linux-x86_64}
   * @param systemFlavor {@code cpu}, or {@code cu} and the version of CUDA where there is a GPU;
   *     asked only where it decides, because DJL loads a native library to know it
   */
  PyTorchNatives(
      ClassLoader classPath,
      UnaryOperator<@Nullable String> settings,
      Path cache,
      String platform,
      Supplier<String> systemFlavor) {
    this.classPath = classPath;
    this.settings = settings;
    this.cache = cache;
    this.platform = platform;
    this.systemFlavor = systemFlavor;
  }

  /** The engine with the natives that it would load, or why it must not be started. */
  EngineState find() {
    try {
      Engine engine = engine();
      Torch torch = torch(engine);
      checkBridge(engine, torch);
      return EngineState.usable(ENGINE, number(torch.version()), torch.flavor());
    } catch (Refusal e) {
      return EngineState.refused(ENGINE, e.reason);
    } catch (IOException e) {
      return EngineState.refused(ENGINE, "the class path cannot be read: " + e);
    }
  }

  /**
   * The artifacts that bring PyTorch for a GPU, as coordinates; empty where there are none for this
   * system.
   */
  List<String> cudaArtifacts() {
    try {
      return nativeArtifacts(engine(), "cu");
    } catch (Refusal | IOException e) {
      return List.of();
    }
  }

  private Engine engine() throws IOException, Refusal {
    Properties engine = first("pytorch-engine.properties");
    String djl = value(engine, "djl_version", GROUP + "pytorch-engine");
    String torch = value(engine, "pytorch_version", GROUP + "pytorch-engine");
    String api = value(first("ai/djl/engine/api.properties"), "djl_version", "ai.djl:api");
    if (!djl.equals(api)) {
      throw new Refusal(
          "%spytorch-engine is of version %s and ai.djl:api of %s; use %spytorch-engine:%s"
              .formatted(GROUP, djl, api, GROUP, api));
    }
    return new Engine(djl, torch);
  }

  private Torch torch(Engine engine) throws IOException, Refusal {
    List<Native> natives = natives();
    Optional<Native> best = best(natives);
    String path = settings.apply("PYTORCH_LIBRARY_PATH");
    if (path != null) {
      return inPath(path, best.map(Native::version).orElse(engine.torch()));
    }
    String version = setting("PYTORCH_VERSION");
    boolean overridden =
        !version.isEmpty() && !best.map(Native::version).orElse(engine.torch()).startsWith(version);
    if (best.isPresent() && !overridden) {
      Native found = best.get();
      return new Torch(folder(found.version(), found.flavor()), found.version(), found.flavor());
    }
    String wanted = overridden ? version : engine.torch();
    Optional<Torch> cached = cached(wanted);
    if (cached.isPresent()) {
      return cached.get();
    }
    if (overridden) {
      throw new Refusal(
          "PYTORCH_VERSION=%s is neither on the class path nor in %s; unset it, or add %s%s"
              .formatted(version, cache, either(nativeArtifacts(engine, "")), found(natives)));
    }
    throw new Refusal(
        "PyTorch's native library for %s is not on the class path; add %s%s"
            .formatted(platform, either(nativeArtifacts(engine, "")), found(natives)));
  }

  private static String found(List<Native> natives) {
    return natives.isEmpty()
        ? ""
        : " (found only "
            + natives.stream()
                .map(n -> n.flavor() + " for " + n.classifier())
                .collect(Collectors.joining(", "))
            + ")";
  }

  private List<Native> natives() throws IOException, Refusal {
    List<Native> natives = new ArrayList<>();
    for (URL url : Collections.list(classPath.getResources("native/lib/pytorch.properties"))) {
      Properties properties = read(url);
      if (properties.getProperty("placeholder") != null) {
        // It stands for a download.
        continue;
      }
      String version = value(properties, "version", url.toString());
      String classifier = value(properties, "classifier", url.toString());
      String flavor = properties.getProperty("flavor");
      if (flavor == null) {
        int dash = classifier.indexOf('-');
        flavor = classifier.substring(0, Math.max(0, dash));
        classifier = classifier.substring(dash + 1);
      }
      natives.add(new Native(version, flavor, classifier));
    }
    return natives;
  }

  /** DJL's order: of the flavors that run here the last by name, of these the latest. */
  private Optional<Native> best(List<Native> natives) {
    return natives.stream()
        .filter(this::runsHere)
        .max(Comparator.comparing(Native::flavor).thenComparing(Native::version));
  }

  private boolean runsHere(Native natives) {
    if (!natives.classifier().equals(platform)) {
      return false;
    }
    Matcher built = CUDA.matcher(natives.flavor());
    if (!built.matches()) {
      return true;
    }
    Matcher system = CUDA.matcher(systemFlavor.get());
    return system.matches()
        && Integer.parseInt(built.group(1)) <= Integer.parseInt(system.group(1));
  }

  private Torch inPath(String path, String assumed) throws IOException, Refusal {
    for (String entry : path.split(File.pathSeparator, -1)) {
      Path file = Path.of(entry).toAbsolutePath();
      Path folder = file.endsWith(TORCH) ? file.getParent() : file;
      if (!entry.isEmpty() && folder != null && Files.isRegularFile(folder.resolve(TORCH))) {
        String given = setting("PYTORCH_VERSION");
        String version = given.isEmpty() ? assumed : given;
        String release = release(folder).orElse(version);
        if (!number(release).equals(number(version))) {
          throw new Refusal(
              "PYTORCH_LIBRARY_PATH=%s has PyTorch %s and DJL would take it for %s; unset it, or set it to PyTorch %s"
                  .formatted(path, release, number(version), number(version)));
        }
        String flavor = setting("PYTORCH_FLAVOR");
        return new Torch(folder, version, flavor.isEmpty() ? flavorInPath() : flavor);
      }
    }
    throw new Refusal(
        "PYTORCH_LIBRARY_PATH=%s has no %s; correct or unset it".formatted(path, TORCH));
  }

  /** The version in the file that libtorch, or Python's package, has beside its libraries. */
  private static Optional<String> release(Path folder) throws IOException {
    for (String name : List.of("build-version", "version.py")) {
      Path file = folder.resolveSibling(name);
      if (Files.isRegularFile(file)) {
        Matcher matcher = RELEASE.matcher(Files.readString(file));
        if (matcher.find()) {
          return Optional.of(matcher.group());
        }
      }
    }
    return Optional.empty();
  }

  private String flavorInPath() {
    String flavor = systemFlavor.get();
    return CUDA.matcher(flavor).matches() || platform.startsWith("linux")
        ? flavor + "-precxx11"
        : flavor;
  }

  private Optional<Torch> cached(String version) {
    String flavor = setting("PYTORCH_FLAVOR");
    if (flavor.isEmpty()) {
      flavor =
          systemFlavor.get()
              + (platform.startsWith("linux") && Boolean.parseBoolean(setting("PYTORCH_PRECXX11"))
                  ? "-precxx11"
                  : "");
    }
    Path folder = folder(version, flavor);
    return Files.exists(folder.resolve(TORCH))
        ? Optional.of(new Torch(folder, version, flavor))
        : Optional.empty();
  }

  private void checkBridge(Engine engine, Torch torch) throws IOException, Refusal {
    String named = engine.djl() + "-" + BRIDGE;
    if (Files.exists(torch.folder().resolve(named))
        || Files.exists(torch.folder().resolve(BRIDGE))
        || Files.exists(folder(torch.version(), torch.flavor()).resolve(named))) {
      return;
    }
    String fitting = number(torch.version()) + "-" + engine.djl();
    Properties bridge = first("jnilib/pytorch.properties");
    if (bridge.isEmpty()) {
      throw new Refusal(
          "the bridge to PyTorch's native library is not on the class path; add %spytorch-jni:%s"
              .formatted(GROUP, fitting));
    }
    String found = value(bridge, "jni_version", GROUP + "pytorch-jni");
    if (!found.startsWith(fitting)) {
      throw new Refusal(
          "PyTorch's native library is of version %s and the bridge to it is %spytorch-jni:%s; use %s"
              .formatted(number(torch.version()), GROUP, found, pair(engine, torch, found)));
    }
    String file = "jnilib/" + platform + "/" + torch.flavor() + "/" + BRIDGE;
    if (classPath.getResource(file) == null) {
      throw new Refusal(
          "%spytorch-jni:%s has no %s; %s"
              .formatted(GROUP, found, file, otherFlavors(bridgeFlavors())));
    }
  }

  private static String otherFlavors(List<String> flavors) {
    return flavors.isEmpty()
        ? "PyTorch does not run on this system"
        : "where PYTORCH_LIBRARY_PATH is set, set PYTORCH_FLAVOR too, to " + either(flavors);
  }

  /** The artifacts to use where the natives and the bridge are of different versions. */
  private String pair(Engine engine, Torch torch, String bridge) {
    String fitting = engine.torch() + "-" + engine.djl();
    List<String> use = new ArrayList<>();
    if (!number(torch.version()).equals(engine.torch())) {
      use.add(nativeArtifact(engine, torch.flavor()));
    }
    if (!bridge.startsWith(fitting)) {
      use.add(GROUP + "pytorch-jni:" + fitting);
    }
    return String.join(" and ", use);
  }

  private List<String> nativeArtifacts(Engine engine, String prefix) throws IOException {
    List<String> flavors = bridgeFlavors();
    return (flavors.isEmpty() ? List.of("cpu") : flavors)
        .stream()
            .filter(flavor -> flavor.startsWith(prefix))
            .map(flavor -> nativeArtifact(engine, flavor))
            .toList();
  }

  private String nativeArtifact(Engine engine, String flavor) {
    return "%spytorch-native-%s:%s:%s".formatted(GROUP, flavor, engine.torch(), platform);
  }

  /** What the bridge on the class path is built for on this system. */
  private List<String> bridgeFlavors() throws IOException {
    URL url = classPath.getResource("jnilib/pytorch.properties");
    if (url == null || !(url.openConnection() instanceof JarURLConnection connection)) {
      return List.of();
    }
    connection.setUseCaches(false);
    Pattern bridge = Pattern.compile("jnilib/" + platform + "/([^/]+)/" + Pattern.quote(BRIDGE));
    try (JarFile jar = connection.getJarFile()) {
      return jar.stream()
          .map(entry -> bridge.matcher(entry.getName()))
          .filter(Matcher::matches)
          .map(matcher -> matcher.group(1))
          .sorted()
          .toList();
    }
  }

  private Path folder(String version, String flavor) {
    return cache.resolve(version + "-" + flavor + "-" + platform);
  }

  private String setting(String name) {
    String value = settings.apply(name);
    return value == null ? "" : value;
  }

  private Properties first(String resource) throws IOException {
    URL url = classPath.getResource(resource);
    return url == null ? new Properties() : read(url);
  }

  private static Properties read(URL url) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = url.openStream()) {
      properties.load(in);
    }
    return properties;
  }

  private static String value(Properties properties, String key, String where) throws Refusal {
    String value = properties.getProperty(key);
    if (value == null) {
      throw new Refusal("%s is missing or has no %s in its properties".formatted(where, key));
    }
    return value;
  }

  /** {@code 2.7.1} of {@code 2.7.1-20250812}. */
  private static String number(String version) {
    Matcher matcher = VERSION.matcher(version);
    return matcher.matches() ? matcher.group(1) : version;
  }

  private static String either(List<String> alternatives) {
    return String.join(" or ", alternatives);
  }

  /** Versions of DJL, and of the PyTorch that it is built for. */
  private record Engine(String djl, String torch) {}

  /** One pytorch-native artifact on the class path. */
  private record Native(String version, String flavor, String classifier) {}

  /** The native library that would be loaded, and where it lies or is extracted to. */
  private record Torch(Path folder, String version, String flavor) {}

  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    private final String reason;

    Refusal(String reason) {
      super(reason);
      this.reason = reason;
    }
  }
}
