package io.llmap.internal;

import io.llmap.LlmapException.BackendUnavailableException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keeps Deep Java Library off the network. Left alone, it reports its first use to its makers and
 * downloads what it misses.
 */
public final class DjlOffline {
  private static final System.Logger LOG = System.getLogger(DjlOffline.class.getName());
  private static final String VARIABLE = "DJL_OFFLINE";
  private static final String PROPERTY = "ai.djl.offline";

  private DjlOffline() {}

  /**
   * Says why DJL cannot be kept off the network.
   *
   * @return one line, or empty where it can be
   */
  public static Optional<String> refusal() {
    return refusal(System.getenv(VARIABLE));
  }

  // It comes before the system property, and a program cannot change it.
  static Optional<String> refusal(@Nullable String variable) {
    return variable == null || Boolean.parseBoolean(variable)
        ? Optional.empty()
        : Optional.of(
            "the environment variable %s=%s lets DJL use the network; unset it"
                .formatted(VARIABLE, variable));
  }

  /**
   * Switches DJL's downloads and its telemetry off for the rest of the process, to be called before
   * any of its classes is used. A system property that asks for the opposite is overridden, and
   * that is logged.
   *
   * @throws BackendUnavailableException if the environment variable {@code DJL_OFFLINE} asks for
   *     the opposite
   */
  public static void enforce() {
    refusal()
        .ifPresent(
            reason -> {
              throw new BackendUnavailableException(reason);
            });
    String before = System.setProperty(PROPERTY, "true");
    if (before != null && !Boolean.parseBoolean(before)) {
      LOG.log(
          System.Logger.Level.WARNING,
          "{0}={1} is overridden: llmap downloads nothing, and what else in this process uses DJL"
              + " no longer can",
          PROPERTY,
          before);
    }
    // Stays off where the program turns downloads on again.
    System.setProperty("OPT_OUT_TRACKING", "true");
  }
}
