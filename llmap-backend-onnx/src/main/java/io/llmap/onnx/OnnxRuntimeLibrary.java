package io.llmap.onnx;

import ai.onnxruntime.OrtEnvironment;
import io.llmap.score.Availability;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether the native library can be loaded, and may be. */
final class OnnxRuntimeLibrary {
  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");

  private OnnxRuntimeLibrary() {}

  /** Says which version runs, or why none does. Loads the native library. */
  static Availability availability() {
    String os = System.getProperty("os.name", "");
    // The jar's manifest first: a version that must not run must not be loaded either.
    Optional<String> refusal = jarVersion().flatMap(version -> refusal(version, os));
    if (refusal.isPresent()) {
      return Availability.no(refusal.get());
    }
    try {
      String version = OrtEnvironment.getEnvironment().getVersion();
      return refusal(version, os)
          .map(Availability::no)
          .orElseGet(() -> Availability.yes("ONNX Runtime " + version));
    } catch (LinkageError | IllegalStateException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      return Availability.no(
          "ONNX Runtime's native library cannot be loaded: " + OneLine.of(cause.toString()));
    }
  }

  /** The version in the manifest; empty where the class files were packed into another jar. */
  private static Optional<String> jarVersion() {
    Package jar = OrtEnvironment.class.getPackage();
    String title = jar.getImplementationTitle();
    return title != null && title.startsWith("onnxruntime")
        ? Optional.ofNullable(jar.getImplementationVersion())
        : Optional.empty();
  }

  /** Why a version must not be used on an operating system. */
  static Optional<String> refusal(String version, String os) {
    Matcher matcher = VERSION.matcher(version);
    if (!matcher.matches() || !os.toLowerCase(Locale.ROOT).contains("linux")) {
      return Optional.empty();
    }
    int major = Integer.parseInt(matcher.group(1));
    int minor = Integer.parseInt(matcher.group(2));
    // Seen in 1.29.0: a telemetry store below ~/.cache/Microsoft and connection attempts, which
    // setTelemetry(false) does not stop.
    return major > 1 || minor >= 29
        ? Optional.of(
            "ONNX Runtime "
                + version
                + " reports its use over the network on Linux from 1.29.0 on; use 1.28.0")
        : Optional.empty();
  }
}
