package io.llmap.examples;

import io.llmap.LlmapException;
import io.llmap.ModelMap;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.text.TextSet;
import io.llmap.view.MapView;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code llmap demo}: the embedded models, scored and mapped. */
@Command(
    name = "demo",
    description =
        "Scores the embedded model zoo on the embedded texts and draws its map. A second run finds"
            + " the scores in DIR/store.")
final class DemoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--out",
      defaultValue = "llmap-demo",
      paramLabel = "DIR",
      description = "Where files are written (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Override
  public Integer call() throws IOException {
    PrintWriter console = spec.commandLine().getOut();
    Zoo zoo = Zoo.load();
    ScoreStore store = ScoreStore.at(out.resolve("store"));
    TextSet texts;
    Path unpacked = Files.createTempDirectory("llmap-zoo");
    try {
      zoo.extract(unpacked);
      texts = TextSet.readJsonl(unpacked.resolve("texts.jsonl"));
      List<ModelSpec> specs = new ArrayList<>();
      for (Zoo.Model model : zoo.models()) {
        specs.add(new ModelSpec("onnx", unpacked.resolve(model.name()), model.name()));
      }
      new ScoringRun(store, texts, ScorerOptions.defaults(), console, spec.commandLine().getErr())
          .score(specs);
    } finally {
      delete(unpacked);
    }
    List<String> names = zoo.models().stream().map(Zoo.Model::name).toList();
    ModelMap map = ModelMap.of(store.matrix(texts, names));
    MapOutput.of(map, store.runs()).withView(view -> decorate(view, zoo)).writeTo(out);
    console.print(NearestTable.of(map));
    console.println("Files are in " + out.toAbsolutePath().normalize());
    console.flush();
    return 0;
  }

  private static MapView decorate(MapView view, Zoo zoo) {
    Map<String, String> corpora = new LinkedHashMap<>();
    List<String> quantised = new ArrayList<>();
    List<MapView.Link> kin = new ArrayList<>();
    for (Zoo.Model model : zoo.models()) {
      corpora.put(model.name(), model.corpus());
      if (model.relation().equals("quantised")) {
        quantised.add(model.name());
      } else if (!model.parent().isEmpty()) {
        kin.add(new MapView.Link(model.parent(), model.name()));
      }
    }
    return view.withTitle("The model zoo by training text")
        .withGroups(corpora)
        .withHollow("8-bit weights", quantised)
        .withLinks("fine-tuned or trained on", kin);
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new LlmapException("cannot remove the unpacked models in " + folder + ": " + e, e);
    }
  }
}
