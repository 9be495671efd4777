package io.llmap.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import io.llmap.LlmapException;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.CausalLm;
import io.llmap.score.spi.CausalityProbe;
import io.llmap.score.spi.LogProbKernels;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import java.util.OptionalInt;

/**
 * A causal language model in a DJL block: token ids in, logits out.
 *
 * <p>Each batch has an {@link NDManager} of its own, which is closed when its log-probabilities are
 * taken. On a GPU they are taken there, in chunks of rows, and only they come back; on the CPU they
 * are taken out of the logits where the engine put them.
 */
public final class DjlCausalLm implements CausalLm {
  /** Every vocabulary has so many tokens. */
  private static final int SMALLEST_VOCABULARY = 3;

  private final Model model;
  private final DjlSignature signature;
  private final int contextLength;
  private final int concurrency;
  private final EngineThread thread;
  private final LogitsReader reader;
  private final int vocabularySize;
  private final int logitBytes;

  private DjlCausalLm(
      Model model,
      DjlSignature signature,
      int contextLength,
      OptionalInt knownVocabulary,
      int concurrency,
      EngineThread thread,
      LogitsReader reader) {
    this.model = model;
    this.contextLength = contextLength;
    this.concurrency = concurrency;
    this.thread = thread;
    this.reader = reader;
    TokenBatch batch =
        CausalityProbe.batch(knownVocabulary.orElse(SMALLEST_VOCABULARY), contextLength);
    try (NDManager manager = model.getNDManager().newSubManager()) {
      DjlSignature accepted = signature;
      NDArray logits;
      try {
        logits = logits(manager, accepted, batch, knownVocabulary);
      } catch (LlmapException e) {
        throw e;
      } catch (RuntimeException e) {
        // A block does not say which integers it takes.
        accepted = signature.withInt32();
        try {
          logits = logits(manager, accepted, batch, knownVocabulary);
        } catch (RuntimeException again) {
          e.addSuppressed(again);
          throw e;
        }
      }
      this.signature = accepted;
      logitBytes = DjlTypes.of(logits).bytes();
      vocabularySize =
          CausalityProbe.vocabularySize(
              model.getName(), batch, logits.getShape().getShape(), DjlTypes.toFloats(logits));
    }
  }

  /**
   * Runs two short sequences through a loaded model to see that it is causal.
   *
   * @param model a loaded model, on its device; closed with this
   * @param signature what its block takes
   * @param contextLength the longest sequence that it takes, prefix included; {@link
   *     Integer#MAX_VALUE} when there is no limit
   * @param options threads and sketches; their device is not looked at
   * @return the model
   * @throws BackendUnavailableException if it takes or gives something else, or is not causal; the
   *     model is then closed
   */
  public static DjlCausalLm of(
      Model model, DjlSignature signature, int contextLength, ScorerOptions options) {
    return of(model, signature, contextLength, OptionalInt.empty(), false, options);
  }

  /**
   * As above, with what is known of the model.
   *
   * @param vocabularySize as its configuration says; tells which ids the probe may use
   * @param small whether threads run a batch each, rather than all of them one
   */
  static DjlCausalLm of(
      Model model,
      DjlSignature signature,
      int contextLength,
      OptionalInt vocabularySize,
      boolean small,
      ScorerOptions options) {
    boolean wantsLogits = options.sketches() || LogProbKernels.isNamed();
    try {
      return EngineThread.apart(
          () ->
              new DjlCausalLm(
                  model,
                  signature,
                  contextLength,
                  vocabularySize,
                  small ? options.threads() : 1,
                  EngineThread.of(model, small ? 1 : options.threads()),
                  model.getNDManager().getDevice().isGpu() && !wantsLogits
                      ? new DeviceHead()
                      : new HostLogits()));
    } catch (LlmapException e) {
      model.close();
      throw e;
    } catch (RuntimeException e) {
      model.close();
      throw new BackendUnavailableException(
          "%s cannot run %s: %s"
              .formatted(
                  model.getNDManager().getEngine().getEngineName(),
                  model.getName(),
                  EngineMessage.of(e)),
          e);
    }
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public int concurrency() {
    return concurrency;
  }

  @Override
  public long logitsBytesPerToken() {
    return (long) logitBytes * vocabularySize;
  }

  @Override
  public void forward(TokenBatch batch, LogitsSink sink) {
    if (batch.length() > contextLength) {
      throw new ScoringException(
          "a sequence of %d tokens does not fit the context of %s, %d tokens"
              .formatted(batch.length(), model.getName(), contextLength));
    }
    try (NDManager manager = model.getNDManager().newSubManager()) {
      NDArray logits;
      try {
        logits = logits(manager, signature, batch, OptionalInt.of(vocabularySize));
      } catch (LlmapException e) {
        throw e;
      } catch (RuntimeException e) {
        throw new ScoringException(
            "%s failed in %s on %d sequences of %d tokens: %s"
                .formatted(
                    manager.getEngine().getEngineName(),
                    model.getName(),
                    batch.sequences(),
                    batch.length(),
                    EngineMessage.of(e)),
            e);
      }
      Shape expected = new Shape(batch.sequences(), batch.length(), vocabularySize);
      if (!logits.getShape().equals(expected)) {
        throw new ScoringException(
            "%s gives logits of the shape %s for %d sequences of %d tokens, and gave %d a token before"
                .formatted(
                    model.getName(),
                    logits.getShape(),
                    batch.sequences(),
                    batch.length(),
                    vocabularySize));
      }
      reader.read(logits, batch, sink);
    }
  }

  private NDArray logits(
      NDManager manager, DjlSignature inputs, TokenBatch batch, OptionalInt width) {
    thread.prepare();
    NDList outputs =
        model
            .getBlock()
            .forward(new ParameterStore(manager, false), inputs.inputs(manager, batch), false);
    return DjlTypes.logits(model.getName(), outputs, width);
  }

  /** Frees the native model. */
  @Override
  public void close() {
    model.close();
  }
}
