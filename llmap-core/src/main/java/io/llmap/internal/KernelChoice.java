package io.llmap.internal;

import io.llmap.LlmapException.BackendUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Chooses one of several implementations of a kernel: the first that can run, or the one that a
 * system property names.
 *
 * <p>{@code -Dllmap.kernel=scalar} names the kernel of every kind, {@code -Dllmap.kernel.gram=nd4j}
 * that of one kind and wins over the other. A name that a kind does not have is an error there, so
 * that a slip of the pen never runs something else: what only one kind has must be named for that
 * kind.
 *
 * <p>A kernel that was named and cannot run is an error; one that was merely preferred is passed
 * over with a warning that says what to do.
 */
public final class KernelChoice {
  /** The system property that names the kernel of every kind. */
  public static final String PROPERTY = "llmap.kernel";

  private KernelChoice() {}

  /**
   * A kernel that could be chosen.
   *
   * @param <T> the kind
   * @param name as in the system property
   * @param state asked for only when it is this kernel's turn
   * @param maker makes the kernel; asked only if it can run
   */
  public record Candidate<T>(String name, Supplier<State> state, Supplier<T> maker) {}

  /**
   * Whether a kernel can run here.
   *
   * @param available whether it can
   * @param detail what it runs on, or what is missing and how to get it
   */
  public record State(boolean available, String detail) {}

  /**
   * Chooses by the system properties.
   *
   * @param <T> the kind
   * @param kind the end of the property's name, such as {@code gram}
   * @param what the kind in words, such as {@code Gram}
   * @param bestFirst all kernels of the kind
   * @param log told what was chosen and what was passed over
   * @return a kernel that can run
   * @throws BackendUnavailableException if a property names a kernel that is unknown or cannot run
   */
  public static <T> T choose(
      String kind, String what, List<Candidate<T>> bestFirst, System.Logger log) {
    String property = property(kind);
    return choose(property, System.getProperty(property, ""), what, bestFirst, log);
  }

  /**
   * Whether a system property names the kernel of a kind.
   *
   * @param kind the end of the property's name, such as {@code gram}
   * @return whether the choice was made by the user
   */
  public static boolean isNamed(String kind) {
    return !System.getProperty(property(kind), "").isEmpty();
  }

  private static String property(String kind) {
    String own = PROPERTY + "." + kind;
    return System.getProperty(own, "").isEmpty() ? PROPERTY : own;
  }

  static <T> T choose(
      String property,
      String forced,
      String what,
      List<Candidate<T>> bestFirst,
      System.Logger log) {
    List<String> refusals = new ArrayList<>();
    for (Candidate<T> candidate : bestFirst) {
      if (!forced.isEmpty() && !forced.equals(candidate.name())) {
        continue;
      }
      State state = candidate.state().get();
      if (state.available()) {
        for (String refusal : refusals) {
          log.log(System.Logger.Level.WARNING, "{0}", refusal);
        }
        log.log(
            System.Logger.Level.INFO,
            "{0} kernel: {1} ({2})",
            what,
            candidate.name(),
            state.detail());
        return candidate.maker().get();
      }
      if (!forced.isEmpty()) {
        throw new BackendUnavailableException(
            "-D%s=%s cannot be met: %s".formatted(property, forced, state.detail()));
      }
      refusals.add(
          "the faster %s kernel \"%s\" is not used: %s"
              .formatted(what, candidate.name(), state.detail()));
    }
    List<String> known = bestFirst.stream().map(Candidate::name).toList();
    if (forced.isEmpty()) {
      throw new IllegalStateException("no " + what + " kernel among " + known);
    }
    throw new BackendUnavailableException(
        "-D%s=%s names no %s kernel; there are %s".formatted(property, forced, what, known));
  }

  /**
   * Whether this JVM was started with the Vector API.
   *
   * @return what to do if not
   */
  public static State vectorModule() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
        ? new State(true, "Vector API of Java " + Runtime.version().feature())
        : new State(false, "start java with --add-modules jdk.incubator.vector");
  }
}
