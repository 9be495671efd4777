package io.llmap.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Resident memory of this process, from Linux's /proc. */
public final class ResidentMemory {
  /**
   * Options of a JVM whose heap is fixed and touched beforehand, so that what grows later is
   * native.
   */
  public static final List<String> FIXED_HEAP =
      List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");

  private ResidentMemory() {}

  /** Bytes, after a collection: native memory behind garbage is the collector's to free. */
  public static long bytes() throws IOException {
    System.gc();
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("no VmRSS in /proc/self/status");
  }
}
