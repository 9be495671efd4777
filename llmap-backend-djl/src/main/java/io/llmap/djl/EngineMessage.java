package io.llmap.djl;

import ai.djl.engine.Engine;
import io.llmap.internal.OneLine;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What an engine says went wrong, without the trace of its interpreter. */
final class EngineMessage {
  /** The last line of a traceback, as TorchScript's interpreter prints it. */
  private static final Pattern CAUSE = Pattern.compile("(?m)^\\w*Error: (.*)$");

  /** Where TorchScript's compiler begins to quote code. */
  private static final String CODE = "\n:\n";

  /** What PyTorch says of a file that a later version wrote. */
  private static final Pattern NEWER =
      Pattern.compile("maximum supported version|Unknown builtin op|Unknown type name");

  private EngineMessage() {}

  static String of(Throwable e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    Matcher matcher = CAUSE.matcher(message);
    while (matcher.find()) {
      if (!matcher.group(1).isBlank()) {
        message = matcher.group(1);
      }
    }
    int code = message.indexOf(CODE);
    return OneLine.of(code < 0 ? message : message.substring(0, code));
  }

  /**
   * As above, for a model that cannot be loaded; with what to do where a later version wrote it.
   */
  static String ofLoading(Throwable e, Engine engine) {
    String message = of(e);
    return NEWER.matcher(message).find()
        ? "%s (a newer version wrote it than %s %s; convert it with that version)"
            .formatted(message, engine.getEngineName(), engine.getVersion())
        : message;
  }
}
