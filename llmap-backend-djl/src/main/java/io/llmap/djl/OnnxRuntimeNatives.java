package io.llmap.djl;

import ai.onnxruntime.OrtEnvironment;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.OnnxRuntimeVersion;

/** ONNX Runtime, as DJL's engine for it would load it. */
final class OnnxRuntimeNatives {
  static final String ENGINE = "OnnxRuntime";

  private OnnxRuntimeNatives() {}

  static EngineState find() {
    String version;
    try {
      version = OnnxRuntimeVersion.of(OrtEnvironment.class).orElse("");
    } catch (NoClassDefFoundError e) {
      return EngineState.refused(
          ENGINE,
          "ONNX Runtime is not on the class path; add com.microsoft.onnxruntime:onnxruntime:"
              + OnnxRuntimeVersion.TESTED);
    }
    return new EngineState(ENGINE, version, "", OnnxRuntimeVersion.refusal(version));
  }

  /** Says what to do about the one error that another user of ONNX Runtime causes. */
  static String explain(String reason) {
    return reason.endsWith("one already exists.")
        ? "ONNX Runtime already runs in this process; open the models of DJL's engine for it before"
            + " those of others, such as the provider onnx"
        : reason;
  }

  /** Looks again once it runs: the library need not be the jar's. */
  static void checkLoaded() {
    OnnxRuntimeVersion.refusal(OrtEnvironment.getEnvironment().getVersion())
        .ifPresent(
            reason -> {
              throw new BackendUnavailableException(reason);
            });
  }
}
