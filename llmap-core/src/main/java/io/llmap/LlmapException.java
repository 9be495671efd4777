package io.llmap;

/**
 * The root of every exception that llmap throws on purpose, other than {@link
 * IllegalArgumentException} for an argument that breaks a method's contract.
 *
 * <p>The message is one readable line that quotes the values at fault and says what to do.
 */
public class LlmapException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception.
   *
   * @param message one line: what is wrong, with the values, and what to do
   */
  public LlmapException(String message) {
    super(message);
  }

  /**
   * Creates an exception with a cause.
   *
   * @param message one line: what is wrong, with the values, and what to do
   * @param cause what was caught
   */
  public LlmapException(String message, Throwable cause) {
    super(message, cause);
  }

  /** A text could not be scored: too long for the model, NaN logits, a missing BOS token. */
  public static final class ScoringException extends LlmapException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message one line that names the model and the text
     */
    public ScoringException(String message) {
      super(message);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message one line that names the model and the text
     * @param cause what was caught
     */
    public ScoringException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** A backend, a device or a model file that was asked for cannot be used here. */
  public static final class BackendUnavailableException extends LlmapException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message one line: what is missing and how to get it
     */
    public BackendUnavailableException(String message) {
      super(message);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message one line: what is missing and how to get it
     * @param cause what was caught
     */
    public BackendUnavailableException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * A score store holds something that no version of llmap writes, or belongs to other settings.
   */
  public static final class CorruptStoreException extends LlmapException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message one line that names the file and the line in it
     */
    public CorruptStoreException(String message) {
      super(message);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message one line that names the file and the line in it
     * @param cause what was caught
     */
    public CorruptStoreException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
