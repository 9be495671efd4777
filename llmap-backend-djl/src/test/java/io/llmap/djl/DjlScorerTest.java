package io.llmap.djl;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.LogLikelihoodScorerContract;
import io.llmap.testing.models.TinyModel;
import java.util.OptionalInt;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource
class DjlScorerTest extends LogLikelihoodScorerContract {
  @Parameter TinyModel model;

  @Override
  protected LogLikelihoodScorer open(ScorerOptions options) {
    ModelSpec spec = new ModelSpec("djl", Fixture.folder(model), model.family());
    return new DjlScorerProvider().open(spec, options);
  }

  @Override
  protected OptionalInt contextLength() {
    return OptionalInt.of(TinyModel.CONTEXT);
  }
}
