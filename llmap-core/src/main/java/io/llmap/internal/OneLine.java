package io.llmap.internal;

/** Messages of libraries, fit for an error of one line. */
public final class OneLine {
  private OneLine() {}

  /**
   * Joins the lines of a message.
   *
   * @param message any text
   * @return the same words with single spaces between them
   */
  public static String of(String message) {
    return message.strip().replaceAll("\\s+", " ");
  }

  /**
   * What an exception says.
   *
   * @param e an exception, with a message or without
   * @return its message, else its class
   */
  public static String of(Throwable e) {
    return of(e.getMessage() == null ? e.toString() : e.getMessage());
  }
}
