package io.llmap.djl;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import io.llmap.LlmapException;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.Availability;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScorerProvider;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.Optional;

/**
 * Opens causal language models that Deep Java Library runs, {@code djl:PATH} or {@code
 * djl:PATH:VARIANT}.
 *
 * <p><b>The model.</b> The path is a folder with a TorchScript file in it, as DJL's converter
 * writes it, or the file itself: {@code .pt} for PyTorch, {@code .onnx} for DJL's ONNX Runtime
 * engine. In a folder {@code model.pt} is taken, else the file with the folder's name, else the
 * only one, and TorchScript before ONNX; the variant {@code fp16} is {@code fp16.pt} or {@code
 * model_fp16.pt}.
 *
 * <p><b>The other files.</b> {@code tokenizer.json} and {@code config.json} lie in the folder,
 * beside the model or one folder up. {@code config.json} gives the context length; without the
 * file, or without a length in it, there is no limit. The fingerprint is SHA-256 over the names and
 * contents of the model, files whose names begin with its name, {@code tokenizer.json} and the JSON
 * files that name BOS and EOS.
 *
 * <p>{@link ScorerOptions#threads()} threads run a batch each in a small model, and one batch
 * together in a large one. The device is {@code cpu}, or {@code cuda:N} where the engine's natives
 * are made for it.
 *
 * <p>A run that is cancelled ends when its batches in flight are through: DJL cannot end them.
 *
 * <p>Stateless and safe for use by many threads; each scorer belongs to one.
 */
public final class DjlScorerProvider implements ScorerProvider {
  /** Up to this size of file, threads run a batch each; above it, all of them run in one batch. */
  private static final long SMALL_MODEL_BYTES = 128L << 20;

  /** Creates the provider; {@link java.util.ServiceLoader} does. */
  public DjlScorerProvider() {}

  @Override
  public String name() {
    return "djl";
  }

  /**
   * Lists DJL's engines on the class path, without starting one.
   *
   * @return their versions, and why others cannot be used
   */
  @Override
  public Availability availability() {
    return DjlEngines.availability();
  }

  @Override
  public ModelSource identify(ModelSpec spec, ScorerOptions options) {
    return identify(spec, DjlModelFiles.locate(spec), options);
  }

  private static ModelSource identify(ModelSpec spec, DjlModelFiles files, ScorerOptions options) {
    return new ModelSource(
        spec.name(),
        files.model().toString(),
        files.fingerprint(),
        "djl (%s, %s)".formatted(DjlEngines.describe(files.format().engine()), options.device()));
  }

  /**
   * Opens a model: reads all its files for the fingerprint, starts the engine where none has been
   * started, loads the model, and runs two short sequences to see that it is causal.
   *
   * @param spec the model
   * @param options how texts are scored
   * @return a scorer that frees the model and the tokenizer when it is closed
   * @throws BackendUnavailableException if the engine, its natives or the device is missing, a file
   *     is missing or corrupt, a folder has several models and none is chosen, the model is not a
   *     causal language model with supported inputs or is stored in bfloat16 and runs on the CPU,
   *     or the tokenizer's own vocabulary is larger than the model's
   */
  @Override
  public LogLikelihoodScorer open(ModelSpec spec, ScorerOptions options) {
    DjlModelFiles files = DjlModelFiles.locate(spec);
    return files
        .folder()
        .scorer(identify(spec, files, options), options, () -> load(files, options));
  }

  static DjlCausalLm load(DjlModelFiles files, ScorerOptions options) {
    ModelConfig config = files.folder().config();
    config.requireCausalLm(files.model());
    String engine = files.format().engine();
    Device device = DjlEngines.device(options.device(), engine);
    Optional<DjlSignature> declared = Optional.empty();
    if (files.format() == DjlModelFiles.Format.TORCH_SCRIPT) {
      TorchScriptFile file = TorchScriptFile.read(files.model());
      if (file.bfloat16() && !device.isGpu()) {
        // Some uses of such an array end the JVM inside the engine.
        throw new BackendUnavailableException(
            ("%s is in bfloat16, which DJL cannot handle on the CPU; convert the model to float32:"
                    + " python tools/convert/torchscript.py --dtype float32 MODEL_FOLDER OUT_FOLDER")
                .formatted(files.model()));
      }
      declared = Optional.of(DjlSignature.of(file));
    }
    Engine started = DjlEngines.require(engine);
    Model model = Model.newInstance(files.model().toString(), device, engine);
    DjlSignature signature;
    boolean small;
    try {
      // To the device that was asked for, whichever the model was traced on.
      model.load(
          files.model().getParent(),
          String.valueOf(files.model().getFileName()),
          Map.of("mapLocation", "true"));
      signature =
          declared.orElseGet(
              () -> DjlSignature.of(model.getName(), model.getBlock().describeInput().keys()));
      small = !device.isGpu() && Files.size(files.model()) <= SMALL_MODEL_BYTES;
    } catch (LlmapException e) {
      model.close();
      throw e;
    } catch (IOException | MalformedModelException | RuntimeException e) {
      model.close();
      throw new BackendUnavailableException(
          "%s cannot load %s: %s"
              .formatted(engine, files.model(), EngineMessage.ofLoading(e, started)),
          e);
    }
    return DjlCausalLm.of(
        model,
        signature,
        config.contextLength().orElse(Integer.MAX_VALUE),
        config.vocabularySize(),
        small,
        options);
  }
}
