package io.llmap.djl;

import java.util.Optional;

/**
 * One of DJL's engines on the class path, as the metadata beside it describes it.
 *
 * @param name its name in DJL
 * @param version of what it runs; empty where that is not known
 * @param flavor what its natives are built for, such as {@code cpu} or {@code cu128}; empty where
 *     that is not known
 * @param refusal why it must not be started, and what to do; one line
 */
record EngineState(String name, String version, String flavor, Optional<String> refusal) {
  static EngineState refused(String name, String reason) {
    return new EngineState(name, "", "", Optional.of(reason));
  }

  static EngineState usable(String name, String version, String flavor) {
    return new EngineState(name, version, flavor, Optional.empty());
  }

  /** Such as {@code PyTorch 2.7.1 (cpu)}. */
  String label() {
    return name
        + (version.isEmpty() ? "" : " " + version)
        + (flavor.isEmpty() ? "" : " (" + flavor + ")");
  }
}
