package io.llmap.examples;

import java.io.PrintWriter;
import java.io.StringWriter;

/** One run of the llmap command: its exit code and what it printed. */
record Command(int exit, String out, String err) {
  static Command run(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] line = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      line[i] = args[i].toString();
    }
    int exit = Llmap.run(new PrintWriter(out, true), new PrintWriter(err, true), line);
    return new Command(exit, out.toString(), err.toString());
  }
}
