package io.llmap.examples;

import io.llmap.LlmapException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The {@code llmap} command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
@Command(
    name = "llmap",
    description = "Draws maps of language models from their log-likelihood vectors.",
    mixinStandardHelpOptions = true,
    versionProvider = Llmap.Version.class,
    scope = ScopeType.INHERIT,
    usageHelpAutoWidth = true,
    subcommands = {DemoCommand.class, ScoreCommand.class, MapCommand.class, ModelsCommand.class})
public final class Llmap {
  // java.util.logging holds loggers weakly: without these references their levels would be lost.
  private static final Logger LOG = Logger.getLogger("io.llmap");
  private static final Logger TOKENIZER_LIBRARY_LOG = Logger.getLogger("ai.djl");

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Log what is chosen and why; show the stack trace of an error.")
  private boolean verbose;

  private Llmap() {}

  /**
   * Runs the command and exits with its code.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    // From Java 22 on System.console() exists without a terminal unless the JDK's own one is asked
    // for.
    System.setProperty("jdk.console", "java.base");
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    System.exit(run(out, err, args));
  }

  /**
   * Runs the command.
   *
   * @param out takes results
   * @param err takes errors and progress
   * @param args the command line
   * @return 0 done, 1 failed, 2 wrong usage
   */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    Llmap top = new Llmap();
    CommandLine line =
        new CommandLine(top)
            .setOut(out)
            .setErr(err)
            .setParameterExceptionHandler(Llmap::usageError)
            .setExecutionExceptionHandler((e, command, parsed) -> top.failure(e, command));
    line.setExecutionStrategy(
        parsed -> {
          LOG.setLevel(top.verbose ? Level.INFO : Level.WARNING);
          // It warns of missing GPUs, which it would not use.
          TOKENIZER_LIBRARY_LOG.setLevel(top.verbose ? Level.INFO : Level.SEVERE);
          return new CommandLine.RunLast().execute(parsed);
        });
    return line.execute(args);
  }

  private static int usageError(CommandLine.ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    command.getErr().println("llmap: " + oneLine(e));
    command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    return CommandLine.ExitCode.USAGE;
  }

  private int failure(Exception e, CommandLine command) {
    if (verbose) {
      e.printStackTrace(command.getErr());
    } else {
      boolean explained = e instanceof LlmapException || e instanceof IllegalArgumentException;
      command.getErr().println("llmap: " + (explained ? oneLine(e) : e.toString()));
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  private static String oneLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  /** The version in the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Llmap.class.getPackage().getImplementationVersion();
      return new String[] {"llmap " + (version == null ? "(not packaged)" : version)};
    }
  }
}
