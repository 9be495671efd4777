package io.llmap.onnx;

import ai.onnxruntime.OrtException;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.CausalLm;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * A causal language model in an ONNX graph.
 *
 * <p>Each batch that runs at the same time as others has buffers of its own, which are reused.
 */
final class OnnxCausalLm implements CausalLm {
  /**
   * Up to this size of graph and weights, threads run a batch each; above it, all of them run in
   * one batch. The operators of a model of a megabyte are too short to share out, and a copy of the
   * working memory for each thread would be much for a large model.
   */
  private static final long SMALL_MODEL_BYTES = 64L << 20;

  private final Path path;
  private final OnnxSession session;
  private final int contextLength;
  private final int vocabularySize;
  private final int concurrency;
  private final Deque<OnnxBuffers> idle = new ConcurrentLinkedDeque<>();
  private final Deque<OnnxInputs> idleInputs = new ConcurrentLinkedDeque<>();

  private OnnxCausalLm(
      Path path, OnnxSession session, int contextLength, int vocabularySize, int concurrency) {
    this.path = path;
    this.session = session;
    this.contextLength = contextLength;
    this.vocabularySize = vocabularySize;
    this.concurrency = concurrency;
  }

  /**
   * Loads a model and runs two short sequences to see that it is causal.
   *
   * @param path the graph
   * @param config what config.json says about it
   * @param options threads and device
   * @throws BackendUnavailableException if the graph cannot be loaded, takes or gives something
   *     else, or is not causal
   */
  static OnnxCausalLm open(Path path, ModelConfig config, ScorerOptions options) {
    if (config.encoderDecoder()) {
      throw new BackendUnavailableException(
          path
              + " is an encoder-decoder by its config.json; only causal language models are scored");
    }
    for (String architecture : config.architectures()) {
      if (architecture.endsWith("ForMaskedLM")) {
        throw new BackendUnavailableException(
            "%s is a masked language model (%s); only causal language models are scored"
                .formatted(path, architecture));
      }
    }
    int concurrency = isSmall(path) ? options.threads() : 1;
    OnnxSession session =
        OnnxSession.open(path, options.device(), concurrency == 1 ? options.threads() : 1);
    try {
      int contextLength = config.contextLength().orElse(Integer.MAX_VALUE);
      int vocabularySize =
          CausalityProbe.vocabularySize(path, session, contextLength, config.vocabularySize());
      return new OnnxCausalLm(path, session, contextLength, vocabularySize, concurrency);
    } catch (OrtException e) {
      session.close();
      throw new BackendUnavailableException(
          "ONNX Runtime cannot run %s: %s"
              .formatted(path, OneLine.of(String.valueOf(e.getMessage()))),
          e);
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  private static boolean isSmall(Path path) {
    try {
      return OnnxModelFiles.weightBytes(path) <= SMALL_MODEL_BYTES;
    } catch (IOException e) {
      // The runtime will say what is wrong with the file.
      return false;
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
  public void forward(TokenBatch batch, LogitsSink sink) {
    if (batch.length() > contextLength) {
      throw new ScoringException(
          "a sequence of %d tokens does not fit the context of %s, %d tokens"
              .formatted(batch.length(), path, contextLength));
    }
    OnnxBuffers pooled = idle.poll();
    OnnxBuffers buffers =
        pooled == null ? new OnnxBuffers(path, vocabularySize, session.graph().type()) : pooled;
    ByteBuffer logits = buffers.logits(batch);
    run(batch, logits);
    for (int b = 0; b < batch.sequences(); b++) {
      int firstTarget = batch.firstTarget(b);
      long offset = ((long) b * batch.length() + firstTarget - 1) * vocabularySize;
      sink.logits(
          b,
          firstTarget,
          LogitsBlock.of(
              logits,
              session.graph().type(),
              offset,
              batch.targets(b),
              vocabularySize,
              vocabularySize));
    }
    idle.push(buffers);
  }

  private void run(TokenBatch batch, ByteBuffer logits) {
    OnnxInputs pooled = idleInputs.poll();
    OnnxInputs inputs = pooled == null ? new OnnxInputs(path, session.graph()) : pooled;
    int sequences = batch.sequences();
    int length = batch.length();
    try {
      session.run(
          inputs.of(batch, vocabularySize), logits, new long[] {sequences, length, vocabularySize});
    } catch (OrtException e) {
      throw new ScoringException(
          "ONNX Runtime failed in %s on %d sequences of %d tokens: %s"
              .formatted(path, sequences, length, OneLine.of(String.valueOf(e.getMessage()))),
          e);
    } finally {
      idleInputs.push(inputs);
    }
  }

  /** Frees the native session and the tensors of its inputs. */
  @Override
  public void close() {
    for (OnnxInputs inputs = idleInputs.poll(); inputs != null; inputs = idleInputs.poll()) {
      inputs.close();
    }
    session.close();
  }
}
