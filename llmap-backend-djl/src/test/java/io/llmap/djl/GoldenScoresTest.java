package io.llmap.djl;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.models.GoldenScoresContract;
import io.llmap.testing.models.TinyModel;

class GoldenScoresTest extends GoldenScoresContract {
  @Override
  protected LogLikelihoodScorer open(TinyModel model, ScorerOptions options) {
    ModelSpec spec = new ModelSpec("djl", Fixture.folder(model), model.family());
    return new DjlScorerProvider().open(spec, options);
  }
}
