package io.llmap.examples;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScorerProvider;
import io.llmap.score.Scorers;
import io.llmap.text.TextSet;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Scores models one after another into a store and says how far it is. */
final class ScoringRun {
  private final ScoreStore store;
  private final TextSet texts;
  private final ScorerOptions options;
  private final PrintWriter out;
  private final PrintWriter err;

  ScoringRun(
      ScoreStore store, TextSet texts, ScorerOptions options, PrintWriter out, PrintWriter err) {
    this.store = store;
    this.texts = texts;
    this.options = options;
    this.out = out;
    this.err = err;
  }

  /**
   * Scores what the store does not have yet; a model whose scores are complete is not even loaded.
   *
   * @param specs the models
   * @return the runs that hold their scores, in the same order
   */
  List<Provenance> score(List<ModelSpec> specs) {
    long total = (long) specs.size() * texts.size();
    long[] now = {0};
    List<Provenance> runs = new ArrayList<>();
    try (Progress progress = new Progress(total, err)) {
      for (ModelSpec spec : specs) {
        long before = now[0];
        ScorerProvider provider = Scorers.provider(spec.provider());
        Provenance run = Provenance.of(provider.identify(spec, options), texts, options);
        runs.add(run);
        if (!store.isComplete(run)) {
          try (LogLikelihoodScorer scorer = provider.open(spec, options)) {
            store.score(
                scorer,
                texts,
                options,
                (index, score) -> {
                  now[0]++;
                  progress.step();
                });
          }
        }
        progress.skip(texts.size() - (now[0] - before));
      }
    }
    out.printf(
        "%d models on %d texts: %d scores computed, %d were in the store%n",
        specs.size(), texts.size(), now[0], total - now[0]);
    out.flush();
    return runs;
  }
}
