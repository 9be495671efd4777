package io.llmap.onnx;

import ai.onnxruntime.OrtEnvironment;
import io.llmap.internal.OneLine;
import io.llmap.internal.OnnxRuntimeVersion;
import io.llmap.score.Availability;
import java.util.Optional;

/** Whether the native library can be loaded, and may be. */
final class OnnxRuntimeLibrary {
  private OnnxRuntimeLibrary() {}

  /** Says which version runs, or why none does. Loads the native library. */
  static Availability availability() {
    Optional<String> refusal =
        OnnxRuntimeVersion.of(OrtEnvironment.class).flatMap(OnnxRuntimeVersion::refusal);
    if (refusal.isPresent()) {
      return Availability.no(refusal.get());
    }
    try {
      // Not always the jar's: the library can lie elsewhere.
      String version = OrtEnvironment.getEnvironment().getVersion();
      return OnnxRuntimeVersion.refusal(version)
          .map(Availability::no)
          .orElseGet(() -> Availability.yes("ONNX Runtime " + version));
    } catch (LinkageError | IllegalStateException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      return Availability.no(
          "ONNX Runtime's native library cannot be loaded: " + OneLine.of(cause.toString()));
    }
  }
}
