package io.llmap.djl;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineProvider;
import ai.djl.util.ClassLoaderUtils;
import ai.djl.util.Utils;
import ai.djl.util.cuda.CudaUtils;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.DjlOffline;
import io.llmap.internal.OneLine;
import io.llmap.score.Availability;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * DJL's engines on the class path. The one way to them: it starts an engine only after it has seen
 * that all of it is local, and has switched DJL's network use off.
 */
final class DjlEngines {
  private static final Pattern CUDA = Pattern.compile("cuda:(\\d{1,4})");
  // They come with DJL's API, whose RPC sends tensors to a server, and with the tokenizer.
  private static final Set<String> ALWAYS_THERE = Set.of("RPC", "Rust");

  private DjlEngines() {}

  /** Lists the engines with their versions, from metadata alone: no native library is touched. */
  static Availability availability() {
    Optional<String> network = DjlOffline.refusal();
    if (network.isPresent()) {
      return Availability.no(network.get());
    }
    List<EngineState> engines;
    try {
      engines = engines();
    } catch (BackendUnavailableException e) {
      return Availability.no(String.valueOf(e.getMessage()));
    }
    String usable =
        engines.stream()
            .filter(engine -> engine.refusal().isEmpty())
            .map(EngineState::label)
            .collect(Collectors.joining(", "));
    List<String> parts = new ArrayList<>();
    if (!usable.isEmpty()) {
      parts.add("DJL " + djlVersion() + ": " + usable);
    }
    engines.stream()
        .flatMap(e -> e.refusal().stream().map(reason -> "no " + e.name() + ": " + reason))
        .forEach(parts::add);
    if (parts.isEmpty()) {
      parts.add(
          "no engine of DJL is on the class path; add ai.djl.pytorch:pytorch-engine:"
              + djlVersion());
    }
    return new Availability(!usable.isEmpty(), String.join("; ", parts));
  }

  /**
   * Says what runs a model.
   *
   * @param engineName an engine's name in DJL
   * @return the versions of DJL and of the engine, such as {@code DJL 0.36.0, PyTorch 2.7.1 (cpu)}
   * @throws BackendUnavailableException if the engine is missing or incomplete
   */
  static String describe(String engineName) {
    return "DJL " + djlVersion() + ", " + usable(engineName).label();
  }

  /**
   * Starts an engine. The first start in a process loads its native library, and the first on a
   * machine extracts it.
   *
   * @param engineName an engine's name in DJL
   * @return the engine, the same each time
   * @throws BackendUnavailableException if it is not on the class path, anything of it is missing,
   *     its parts do not belong together, or it cannot be started
   */
  static Engine require(String engineName) {
    DjlOffline.enforce();
    usable(engineName);
    boolean onnx = engineName.equals(OnnxRuntimeNatives.ENGINE);
    if (onnx) {
      spareTheOtherEngine();
    }
    Engine engine;
    try {
      engine = Engine.getEngine(engineName);
    } catch (RuntimeException | LinkageError | AssertionError e) {
      String reason = rootCause(e);
      throw new BackendUnavailableException(
          "DJL's engine %s cannot be started: %s"
              .formatted(engineName, onnx ? OnnxRuntimeNatives.explain(reason) : reason),
          e);
    }
    if (onnx) {
      OnnxRuntimeNatives.checkLoaded();
    }
    return engine;
  }

  /**
   * Finds a device, and starts the engine for it unless it is the CPU.
   *
   * @param device {@code cpu} or {@code cuda:N}
   * @param engineName an engine's name in DJL
   * @throws BackendUnavailableException if the name is unknown, there is no such GPU, or the
   *     engine's natives are not made for it
   */
  static Device device(String device, String engineName) {
    if (device.equals("cpu")) {
      return Device.cpu();
    }
    Matcher cuda = CUDA.matcher(device);
    if (!cuda.matches()) {
      throw new BackendUnavailableException(
          "device \"%s\" is unknown to the djl provider; use \"cpu\" or \"cuda:0\""
              .formatted(device));
    }
    EngineState state = usable(engineName);
    boolean built =
        engineName.equals(PyTorchNatives.ENGINE)
            ? state.flavor().startsWith("cu")
            : require(engineName).hasCapability("CUDA");
    int gpus = CudaUtils.getGpuCount();
    if (!built) {
      throw new BackendUnavailableException(
          "device \"%s\" cannot be used: the natives of %s are not made for CUDA (GPUs found: %d); %s"
              .formatted(device, state.label(), gpus, cudaAdvice(engineName)));
    }
    int number = Integer.parseInt(cuda.group(1));
    if (number >= gpus) {
      throw new BackendUnavailableException(
          "device \"%s\" cannot be used: GPUs found through CUDA's runtime library, cudart: %d"
              .formatted(device, gpus));
    }
    return Device.gpu(number);
  }

  private static String cudaAdvice(String engineName) {
    if (engineName.equals(OnnxRuntimeNatives.ENGINE)) {
      return "put com.microsoft.onnxruntime:onnxruntime_gpu on the class path in place of onnxruntime";
    }
    List<String> artifacts = pyTorch().cudaArtifacts();
    return artifacts.isEmpty()
        ? "there are none with CUDA for this system"
        : "put " + String.join(" or ", artifacts) + " on the class path";
  }

  private static EngineState usable(String engineName) {
    List<EngineState> engines = engines();
    EngineState engine =
        engines.stream()
            .filter(e -> e.name().equals(engineName))
            .findFirst()
            .orElseThrow(
                () ->
                    new BackendUnavailableException(
                        "DJL's engine %s is not on the class path; there are: %s"
                            .formatted(
                                engineName,
                                engines.stream()
                                    .map(EngineState::name)
                                    .collect(Collectors.joining(", ")))));
    engine
        .refusal()
        .ifPresent(
            reason -> {
              throw new BackendUnavailableException(
                  "DJL's engine %s cannot be used: %s".formatted(engineName, reason));
            });
    return engine;
  }

  private static List<EngineState> engines() {
    try {
      // The loader with which DJL looks for engines and natives.
      return ServiceLoader.load(EngineProvider.class, ClassLoaderUtils.getContextClassLoader())
          .stream()
          .map(provider -> provider.get().getEngineName())
          .filter(name -> !ALWAYS_THERE.contains(name))
          .map(DjlEngines::state)
          .toList();
    } catch (ServiceConfigurationError | LinkageError e) {
      // DJL starts none then, not even another.
      throw new BackendUnavailableException("DJL cannot list its engines: " + rootCause(e), e);
    }
  }

  private static EngineState state(String name) {
    return switch (name) {
      case PyTorchNatives.ENGINE -> pyTorch().find();
      case OnnxRuntimeNatives.ENGINE -> OnnxRuntimeNatives.find();
      default ->
          EngineState.refused(
              name,
              "llmap does not know it to be offline, and starts only %s and %s"
                  .formatted(PyTorchNatives.ENGINE, OnnxRuntimeNatives.ENGINE));
    };
  }

  private static PyTorchNatives pyTorch() {
    return new PyTorchNatives(
        ClassLoaderUtils.getContextClassLoader(),
        Utils::getEnvOrSystemProperty,
        Utils.getEngineCacheDir("pytorch"),
        platform(System.getProperty("os.name", ""), System.getProperty("os.arch", "")),
        () -> CudaUtils.getGpuCount() > 0 ? "cu" + CudaUtils.getCudaVersionString() : "cpu");
  }

  /** As {@link Engine#getDjlVersion} gives it, without loading a class that uses the network. */
  private static String djlVersion() {
    Properties properties = new Properties();
    try (InputStream in = Device.class.getResourceAsStream("engine/api.properties")) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties.getProperty("djl_version", "");
  }

  static String platform(String os, String architecture) {
    String prefix = os.startsWith("Win") ? "win" : os.startsWith("Mac") ? "osx" : "linux";
    return prefix + "-" + (architecture.equals("amd64") ? "x86_64" : architecture);
  }

  /**
   * The engine for ONNX looks for a second one that does what it cannot, and starts it with the
   * first tensor; one that must not be started would fail then.
   */
  private static void spareTheOtherEngine() {
    if (pyTorch().find().refusal().isPresent()) {
      System.setProperty("ai.djl.onnx.disable_alternative", "true");
    }
  }

  private static String rootCause(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return OneLine.of(root);
  }
}
