package io.llmap.onnx;

import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.CausalLm;
import java.nio.file.Path;

/**
 * The forward pass of the onnx provider's scorers, for tests that need whole next-token
 * distributions and not only the scored token's share.
 */
public final class OnnxForward {
  private OnnxForward() {}

  /**
   * Opens a model as {@link OnnxScorerProvider#open} does, but to give logits, each sequence's in
   * one block.
   */
  public static CausalLm open(Path folder, ScorerOptions options) {
    OnnxModelFiles files = OnnxModelFiles.locate(new ModelSpec("onnx", folder, "model"));
    return OnnxCausalLm.open(
        files.model(),
        files.folder().config(),
        options,
        OnnxCausalLm.Head.LOGITS,
        Integer.MAX_VALUE);
  }
}
