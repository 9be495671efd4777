package io.llmap.examples;

import io.llmap.ModelMap;
import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.distance.SegmentMatrix;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.score.Scorers;
import io.llmap.text.TextSet;
import io.llmap.view.MapView;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** The example of the README: is the 8-bit model still the same model? */
public final class QuickStart {
  private QuickStart() {}

  /**
   * Scores three models and says how far apart they are.
   *
   * @param folder holds the models' folders and {@code texts.jsonl}, and receives the scores and
   *     the map
   * @param out takes the answer
   */
  public static void run(Path folder, PrintStream out) {
    // README
    TextSet texts = TextSet.readJsonl(folder.resolve("texts.jsonl"));
    ScoreStore store = ScoreStore.at(folder.resolve("store"));
    ScorerOptions options = ScorerOptions.defaults().withTokenLogProbs(true);
    List<String> names = List.of("gpt2-general-a", "gpt2-general-a-int8", "gpt2-general-b");
    for (String name : names) {
      ModelSpec spec = new ModelSpec("onnx", folder.resolve(name), name);
      try (LogLikelihoodScorer scorer = Scorers.open(spec, options)) {
        store.score(scorer, texts, options, (n, score) -> {});
      }
    }
    KlDistances kl = KlDistances.of(SegmentMatrix.of(store, texts));
    DistanceMatrix bits = kl.in(KlUnit.BITS_PER_BYTE);
    out.printf("8-bit twin:   %.6f %s%n", bits.get(0, 1), KlUnit.BITS_PER_BYTE);
    out.printf("another seed: %.6f %s%n", bits.get(0, 2), KlUnit.BITS_PER_BYTE);
    ModelMap map = ModelMap.builder(store.matrix(texts, names)).distances(kl).build();
    MapView.of(map.embedding()).writeSvg(folder.resolve("map.svg"));
    // end
  }
}
