package io.llmap.onnx;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.Availability;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScorerProvider;
import io.llmap.tokenizers.HuggingFaceTokenizer;

/**
 * Opens causal language models in ONNX format, {@code onnx:PATH} or {@code onnx:PATH:VARIANT}.
 *
 * <p><b>The graph.</b> The path is a Hugging Face folder with graphs in it or in its subfolder
 * {@code onnx}, or a {@code .onnx} file itself. Where a folder holds several, such as {@code
 * model.onnx}, {@code model_fp16.onnx} and {@code model_quantized.onnx}, {@linkplain
 * ModelSpec#variant() the variant} {@code fp16} is {@code model_fp16.onnx}; the name of a graph
 * without {@code .onnx} is a variant too. Without a variant {@code model.onnx} is taken, else
 * {@code decoder_model.onnx}, else {@code decoder_model_merged.onnx}, else the only graph; the
 * folder's own graphs come before its subfolder's. {@link ModelSource#location()} names the graph
 * that was taken.
 *
 * <p><b>The other files.</b> {@code tokenizer.json} and {@code config.json} lie in the folder,
 * beside the graph or one folder up. {@code config.json} gives the context length; without the
 * file, or without a length in it, there is no limit. Weights outside the graph must lie in its
 * folder or below it; that they are there and long enough is checked before the runtime reads them.
 * The fingerprint is SHA-256 over the names and contents of the graph, its weights in other files,
 * {@code tokenizer.json} and the JSON files that name BOS and EOS.
 *
 * <p><b>Warnings.</b> A model that was made for BOS and gets none under the prefix policy, and
 * other {@linkplain HuggingFaceTokenizer#warnings contradictions} in the tokenizer's files, are
 * logged when it is opened.
 *
 * <p>{@link ScorerOptions#threads()} threads run a batch each in a small model, and one batch
 * together in a large one. The device is {@code cpu}, or {@code cuda:N} where ONNX Runtime's GPU
 * build is on the class path.
 *
 * <p>Stateless and safe for use by many threads; each scorer belongs to one.
 */
public final class OnnxScorerProvider implements ScorerProvider {
  /** Creates the provider; {@link java.util.ServiceLoader} does. */
  public OnnxScorerProvider() {}

  @Override
  public String name() {
    return "onnx";
  }

  /**
   * Loads ONNX Runtime's native library.
   *
   * @return its version, or why it cannot or must not be loaded
   */
  @Override
  public Availability availability() {
    return OnnxRuntimeLibrary.availability();
  }

  @Override
  public ModelSource identify(ModelSpec spec, ScorerOptions options) {
    return identify(spec, OnnxModelFiles.locate(spec), options);
  }

  private ModelSource identify(ModelSpec spec, OnnxModelFiles files, ScorerOptions options) {
    return new ModelSource(
        spec.name(),
        files.model().toString(),
        files.fingerprint(),
        "onnx (%s, %s)".formatted(availability().detail(), options.device()));
  }

  /**
   * Opens a model: reads all its files for the fingerprint, loads the graph, and runs two short
   * sequences to see that it is causal.
   *
   * @param spec the model
   * @param options how texts are scored
   * @return a scorer that frees the model and the tokenizer when it is closed
   * @throws BackendUnavailableException if ONNX Runtime or the device cannot be used, a file is
   *     missing or corrupt, a folder has several graphs and none is chosen, the graph is not a
   *     causal language model with supported inputs, or the tokenizer's own vocabulary is larger
   *     than the model's
   */
  @Override
  public LogLikelihoodScorer open(ModelSpec spec, ScorerOptions options) {
    Availability availability = availability();
    if (!availability.available()) {
      throw new BackendUnavailableException(availability.detail());
    }
    OnnxModelFiles files = OnnxModelFiles.locate(spec);
    return files
        .folder()
        .scorer(
            identify(spec, files, options),
            options,
            () -> OnnxCausalLm.open(files.model(), files.folder().config(), options));
  }
}
