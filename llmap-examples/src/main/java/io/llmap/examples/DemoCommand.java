package io.llmap.examples;

import io.llmap.ModelMap;
import io.llmap.distance.KlDistances;
import io.llmap.distance.SegmentMatrix;
import io.llmap.distance.SegmentMatrixBuilder;
import io.llmap.score.ModelSpec;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.text.TextSet;
import io.llmap.view.MapView;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code llmap demo}: the embedded models, scored and mapped. */
@Command(
    name = "demo",
    description =
        "Scores the embedded model zoo on the embedded texts and draws its map. The models are unpacked"
            + " into DIR/zoo; a second run finds the scores in DIR/store.")
final class DemoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--out",
      defaultValue = "llmap-demo",
      paramLabel = "DIR",
      description = "Where files are written (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Override
  public Integer call() {
    PrintWriter console = spec.commandLine().getOut();
    Zoo zoo = Zoo.load();
    Path models = out.resolve("zoo");
    zoo.extract(models);
    TextSet texts = TextSet.readJsonl(models.resolve("texts.jsonl"));
    List<ModelSpec> specs = new ArrayList<>();
    for (Zoo.Model model : zoo.models()) {
      specs.add(new ModelSpec("onnx", models.resolve(model.name()), model.name()));
    }
    ScoreStore store = ScoreStore.at(out.resolve("store"));
    // An older version of llmap may have left other runs of the same models.
    List<Provenance> runs =
        new ScoringRun(
                store,
                texts,
                ScorerOptions.defaults().withTokenLogProbs(true),
                console,
                spec.commandLine().getErr())
            .score(specs);
    ModelMap map = ModelMap.of(store.matrix(runs));
    SegmentMatrixBuilder segments = SegmentMatrix.builder(texts);
    runs.forEach(run -> segments.add(store, run));
    console.print(NearestTable.of(map, KlDistances.of(segments.build())));
    console.flush();
    MapOutput.ofRuns(map, runs).withView(view -> decorate(view, zoo)).writeTo(out);
    console.println("Files are in " + out.toAbsolutePath().normalize());
    console.flush();
    return 0;
  }

  private static MapView decorate(MapView view, Zoo zoo) {
    Map<String, String> corpora = new LinkedHashMap<>();
    List<String> quantised = new ArrayList<>();
    List<MapView.Link> training = new ArrayList<>();
    Map<String, String> latest = new HashMap<>();
    for (Zoo.Model model : zoo.models()) {
      corpora.put(model.name(), model.corpus());
      switch (model.relation()) {
        case "quantised" -> quantised.add(model.name());
        case "fine-tuned" -> training.add(new MapView.Link(model.parent(), model.name()));
        case "checkpoint" -> {
          // Checkpoints are listed in the order of training, behind the model that they led to.
          String before = latest.put(model.parent(), model.name());
          if (before != null) {
            training.add(new MapView.Link(before, model.name()));
          }
        }
        default -> {}
      }
    }
    latest.forEach((end, last) -> training.add(new MapView.Link(last, end)));
    return view.withTitle("The model zoo by training text")
        .withGroups(corpora)
        .withHollow("8-bit weights", quantised)
        .withLinks("further training", training);
  }
}
