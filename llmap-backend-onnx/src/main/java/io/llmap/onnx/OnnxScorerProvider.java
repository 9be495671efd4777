package io.llmap.onnx;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.Availability;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScorerProvider;
import io.llmap.score.spi.BatchingScorer;
import io.llmap.tokenizers.HuggingFaceTokenizer;
import io.llmap.tokenizers.ModelConfig;

/**
 * Opens causal language models in ONNX format, {@code onnx:PATH}.
 *
 * <p>The path is a Hugging Face folder with {@code model.onnx} or {@code onnx/model.onnx}, or the
 * {@code .onnx} file with {@code tokenizer.json} and {@code config.json} beside it or one folder
 * up. {@code config.json} gives the context length; without the file, or without a length in it,
 * there is no limit. The fingerprint is SHA-256 over the graph, its weights in other files, {@code
 * tokenizer.json} and the JSON files that name BOS and EOS.
 *
 * <p>{@link ScorerOptions#threads()} threads run a batch each in a small model, and one batch
 * together in a large one. The device is {@code cpu}, or {@code cuda:N} where ONNX Runtime's GPU
 * build is on the class path.
 *
 * <p>Stateless and safe for use by many threads; each scorer belongs to one.
 */
public final class OnnxScorerProvider implements ScorerProvider {
  private static final System.Logger LOG = System.getLogger(OnnxScorerProvider.class.getName());

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
   * Opens a model: loads the graph, runs two short sequences to see that it is causal, and reads
   * all its files once more for the fingerprint.
   *
   * @param spec the model
   * @param options how texts are scored
   * @return a scorer that frees the model and the tokenizer when it is closed
   * @throws BackendUnavailableException if ONNX Runtime or the device cannot be used, a file is
   *     missing or corrupt, or the graph is not a causal language model with supported inputs
   */
  @Override
  public LogLikelihoodScorer open(ModelSpec spec, ScorerOptions options) {
    Availability availability = availability();
    if (!availability.available()) {
      throw new BackendUnavailableException(availability.detail());
    }
    OnnxModelFiles files = OnnxModelFiles.locate(spec);
    HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(files.folder());
    try {
      OnnxCausalLm model =
          OnnxCausalLm.open(files.model(), ModelConfig.read(files.folder()), options);
      try {
        checkVocabulary(files, tokenizer, model);
        for (String warning : tokenizer.warnings(options.prefix())) {
          LOG.log(System.Logger.Level.WARNING, "model {0}: {1}", spec.name(), warning);
        }
        return new BatchingScorer(identify(spec, files, options), tokenizer, model, options);
      } catch (RuntimeException e) {
        model.close();
        throw e;
      }
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  private static void checkVocabulary(
      OnnxModelFiles files, HuggingFaceTokenizer tokenizer, OnnxCausalLm model) {
    if (tokenizer.vocabularySize() > model.vocabularySize()) {
      throw new BackendUnavailableException(
          "the tokenizer in %s has %d tokens, and the model %s gives logits for %d; do they belong together?"
              .formatted(
                  files.folder(),
                  tokenizer.vocabularySize(),
                  files.model(),
                  model.vocabularySize()));
    }
  }
}
