package io.llmap.score;

/**
 * Whether a provider can be used on this machine, and why not.
 *
 * @param available whether it can
 * @param detail what is available, with its version, or what is missing and how to get it; one line
 */
public record Availability(boolean available, String detail) {
  /**
   * It can be used.
   *
   * @param detail what, with its version
   * @return an availability
   */
  public static Availability yes(String detail) {
    return new Availability(true, detail);
  }

  /**
   * It cannot be used.
   *
   * @param reason what is missing and how to get it
   * @return an availability
   */
  public static Availability no(String reason) {
    return new Availability(false, reason);
  }
}
