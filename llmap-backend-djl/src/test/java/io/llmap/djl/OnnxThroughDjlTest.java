package io.llmap.djl;

import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.models.GoldenScoresContract;
import io.llmap.testing.models.TinyModel;
import java.nio.file.Path;

/** DJL's ONNX Runtime engine, with the models of the ONNX backend. */
class OnnxThroughDjlTest extends GoldenScoresContract {
  @Override
  protected LogLikelihoodScorer open(TinyModel model, ScorerOptions options) {
    Path folder =
        model.folder(OnnxThroughDjlTest.class, "/io/llmap/onnx/" + model.family() + "/model.onnx");
    return new DjlScorerProvider().open(new ModelSpec("djl", folder, model.family()), options);
  }
}
