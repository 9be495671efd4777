package io.llmap.djl;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An argument of a TorchScript method.
 *
 * @param name as in the method
 * @param type as in the code: {@code Tensor}, {@code Optional[Tensor]}
 * @param optional whether it has a default and may be left out
 */
record TorchScriptArgument(String name, String type, boolean optional) {
  private static final Pattern CLASS_OR_FORWARD =
      Pattern.compile("(?m)^class (\\w+)\\(|^  def forward\\(");

  private static final Pattern ARGUMENT =
      Pattern.compile("\\s*(\\w+)\\s*:\\s*([^=]*[^=\\s])\\s*(=.*)?", Pattern.DOTALL);

  /** Whether it takes a tensor. */
  boolean isTensor() {
    return type.equals("Tensor") || type.equals("Optional[Tensor]");
  }

  /**
   * Reads the arguments of a class's method {@code forward}, without {@code self}.
   *
   * @param code of a file in an archive: classes, each with its methods, as TorchScript prints them
   * @throws IOException if there is no such class or method, or the code is cut
   */
  static List<TorchScriptArgument> ofForward(String code, String className) throws IOException {
    Matcher matcher = CLASS_OR_FORWARD.matcher(code);
    boolean inClass = false;
    while (matcher.find()) {
      if (matcher.group(1) != null) {
        inClass = matcher.group(1).equals(className);
      } else if (inClass) {
        List<String> parts = split(code, matcher.end());
        List<TorchScriptArgument> arguments = new ArrayList<>();
        for (String part : parts.subList(1, parts.size())) {
          arguments.add(of(part));
        }
        return arguments;
      }
    }
    throw new IOException("its class " + className + " has no method forward");
  }

  private static TorchScriptArgument of(String code) throws IOException {
    Matcher matcher = ARGUMENT.matcher(code);
    if (!matcher.matches()) {
      throw new IOException("the arguments of its method forward cannot be read");
    }
    return new TorchScriptArgument(matcher.group(1), matcher.group(2), matcher.group(3) != null);
  }

  /** What lies between the commas, up to the parenthesis that closes. */
  private static List<String> split(String code, int start) throws IOException {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    int from = start;
    boolean quoted = false;
    for (int i = start; i < code.length(); i++) {
      char c = code.charAt(i);
      if (quoted) {
        if (c == '\\') {
          i++;
        } else if (c == '"') {
          quoted = false;
        }
      } else if (c == '"') {
        quoted = true;
      } else if ((c == ',' || c == ')') && depth == 0) {
        parts.add(code.substring(from, i));
        from = i + 1;
        if (c == ')') {
          return parts;
        }
      } else if (c == '(' || c == '[' || c == '{') {
        depth++;
      } else if (c == ')' || c == ']' || c == '}') {
        depth--;
      }
    }
    throw new IOException("its method forward is cut");
  }
}
