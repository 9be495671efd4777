package io.llmap.examples;

import io.llmap.score.ModelSpec;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.text.TextSet;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llmap score}: log-likelihoods of texts under models, into a store. */
@Command(
    name = "score",
    description = {
      "Scores texts with models. Rows land in STORE/NAME/KEY/scores.jsonl as they come; a run that was"
          + " stopped goes on where it was."
    })
final class ScoreCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "PROVIDER:PATH[:VARIANT][#NAME]",
      description =
          "A model, such as onnx:models/gpt2#gpt2-small; may be repeated. 'llmap models' lists the"
              + " providers. VARIANT chooses among several versions in one folder:"
              + " onnx:models/gpt2:fp16 is models/gpt2/model_fp16.onnx, or the file of that name in"
              + " models/gpt2/onnx.")
  private List<String> models;

  @Option(
      names = "--texts",
      required = true,
      paramLabel = "FILE.jsonl",
      description =
          "One JSON object a line, with \"text\" and, if given, \"id\" and \"prompt\": what stands"
              + " before the text and is not scored.")
  private Path texts;

  @Option(
      names = "--store",
      required = true,
      paramLabel = "DIR",
      description = "Where rows are kept.")
  private Path store;

  @Mixin private ScoringSettings settings;

  @Override
  public Integer call() {
    List<ModelSpec> specs = parseModels();
    ScorerOptions options = settings.toOptions(spec.commandLine());
    TextSet textSet = TextSet.readJsonl(texts);
    ScoringRun run =
        new ScoringRun(
            ScoreStore.at(store),
            textSet,
            options,
            spec.commandLine().getOut(),
            spec.commandLine().getErr());
    run.score(specs);
    return 0;
  }

  private List<ModelSpec> parseModels() {
    List<ModelSpec> specs = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (String model : models) {
      try {
        specs.add(ModelSpec.parse(model));
      } catch (IllegalArgumentException e) {
        throw new ParameterException(spec.commandLine(), e.getMessage(), e);
      }
      String name = specs.get(specs.size() - 1).name();
      if (!names.add(name)) {
        throw new ParameterException(
            spec.commandLine(), "two models are named \"" + name + "\"; add #NAME to one of them");
      }
    }
    return specs;
  }
}
