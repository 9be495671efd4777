package io.llmap.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which versions of ONNX Runtime may run, whoever loads it. */
public final class OnnxRuntimeVersion {
  /** The version that llmap is tested with. */
  public static final String TESTED = "1.28.0";

  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");
  private static final Pattern IN_POM =
      Pattern.compile("<artifactId>onnxruntime\\w*</artifactId>\\s*<version>([^<]+)</version>");

  private OnnxRuntimeVersion() {}

  /**
   * The version of the jar, known without loading its native library: a version that must not run
   * must not be loaded either.
   *
   * @param type a class of ONNX Runtime
   * @return the version in the jar's manifest, else in its pom, which stays where the class files
   *     are packed into another jar
   */
  public static Optional<String> of(Class<?> type) {
    Package jar = type.getPackage();
    String title = jar.getImplementationTitle();
    String version = jar.getImplementationVersion();
    return title != null && title.startsWith("onnxruntime") && version != null
        ? Optional.of(version)
        : List.of("onnxruntime", "onnxruntime_gpu").stream()
            .flatMap(artifact -> pom(type, artifact).stream())
            .findFirst();
  }

  private static Optional<String> pom(Class<?> type, String artifact) {
    String pom = "/META-INF/maven/com.microsoft.onnxruntime/" + artifact + "/pom.xml";
    try (InputStream in = type.getResourceAsStream(pom)) {
      if (in == null) {
        return Optional.empty();
      }
      Matcher matcher = IN_POM.matcher(new String(in.readAllBytes(), StandardCharsets.UTF_8));
      return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * Says why a version must not run on this operating system.
   *
   * @param version a version of ONNX Runtime
   * @return one line, or empty where it may
   */
  public static Optional<String> refusal(String version) {
    return refusal(version, System.getProperty("os.name", ""));
  }

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
                + " reports its use over the network on Linux from 1.29.0 on; use "
                + TESTED)
        : Optional.empty();
  }
}
