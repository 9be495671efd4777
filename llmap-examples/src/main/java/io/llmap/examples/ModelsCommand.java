package io.llmap.examples;

import io.llmap.score.Availability;
import io.llmap.score.ScorerProvider;
import io.llmap.score.Scorers;
import io.llmap.score.spi.LogProbKernelProvider;
import io.llmap.score.spi.LogProbKernels;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code llmap models}: what can score here, and why the rest cannot. */
@Command(
    name = "models",
    description =
        "Lists the providers of models and the log-probability kernels: available, or why not.")
final class ModelsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    out.println("Providers (the name before the colon in --model PROVIDER:PATH):");
    for (ScorerProvider provider : Scorers.providers()) {
      print(out, provider.name(), provider.availability());
    }
    out.println("Log-probability kernels, best first:");
    for (LogProbKernelProvider provider : LogProbKernels.providers()) {
      print(out, provider.name(), provider.availability());
    }
    out.flush();
    return 0;
  }

  private static void print(PrintWriter out, String name, Availability availability) {
    out.printf(
        "  %-8s %s: %s%n",
        name, availability.available() ? "available" : "not available", availability.detail());
  }
}
