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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Path;

/**
 * A causal language model in an ONNX graph.
 *
 * <p>Holds one buffer for token ids, one for the mask and one for logits, which grow to the largest
 * batch and are then reused. Used by one thread at a time.
 */
final class OnnxCausalLm implements CausalLm {
  /** ONNX Runtime's Java binding takes no larger buffer. */
  private static final long LARGEST_BUFFER = Integer.MAX_VALUE - 8L;

  private final Path path;
  private final OnnxSession session;
  private final int contextLength;
  private final int vocabularySize;
  private LongBuffer ids = longs(0);
  private LongBuffer mask = longs(0);
  private ByteBuffer logits = bytes(0);

  private OnnxCausalLm(Path path, OnnxSession session, int contextLength, int vocabularySize) {
    this.path = path;
    this.session = session;
    this.contextLength = contextLength;
    this.vocabularySize = vocabularySize;
  }

  /**
   * Loads a model and runs three short sequences to see that it is causal.
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
    OnnxSession session = OnnxSession.open(path, options);
    try {
      int contextLength = config.contextLength().orElse(Integer.MAX_VALUE);
      int vocabularySize =
          CausalityProbe.vocabularySize(path, session, contextLength, config.vocabularySize());
      return new OnnxCausalLm(path, session, contextLength, vocabularySize);
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

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public void forward(TokenBatch batch, LogitsSink sink) {
    if (batch.length() > contextLength) {
      throw new ScoringException(
          "a sequence of %d tokens does not fit the context of %s, %d tokens"
              .formatted(batch.length(), path, contextLength));
    }
    long positions = (long) batch.sequences() * batch.length();
    reserve(batch, positions);
    fill(batch);
    int sequences = batch.sequences();
    int length = batch.length();
    try {
      session.run(ids, mask, sequences, length, logits, vocabularySize);
    } catch (OrtException e) {
      throw new ScoringException(
          "ONNX Runtime failed in %s on %d sequences of %d tokens: %s"
              .formatted(path, sequences, length, OneLine.of(String.valueOf(e.getMessage()))),
          e);
    }
    for (int b = 0; b < sequences; b++) {
      long offset = (long) b * length * vocabularySize;
      sink.logits(
          b,
          LogitsBlock.of(
              logits,
              session.graph().type(),
              offset,
              batch.length(b),
              vocabularySize,
              vocabularySize));
    }
  }

  /** Frees the native session. */
  @Override
  public void close() {
    session.close();
  }

  /** Makes the buffers as large as the batch, and limits them to it. */
  private void reserve(TokenBatch batch, long positions) {
    long logitsBytes = positions * vocabularySize * session.graph().type().bytes();
    if (logitsBytes > LARGEST_BUFFER) {
      long fit = LARGEST_BUFFER / ((long) vocabularySize * session.graph().type().bytes());
      throw new ScoringException(
          ("a batch of %d × %d tokens with a vocabulary of %d needs %d bytes of logits, more than"
                  + " one buffer holds; %s %d tokens")
              .formatted(
                  batch.sequences(),
                  batch.length(),
                  vocabularySize,
                  logitsBytes,
                  batch.sequences() > 1
                      ? "lower the token budget to"
                      : "cut the text into pieces of at most",
                  fit));
    }
    try {
      if (ids.capacity() < positions) {
        ids = longs((int) positions);
        mask = longs((int) positions);
      }
      if (logits.capacity() < logitsBytes) {
        // The collector must be able to free the old buffer when the new one is asked for.
        logits = bytes(0);
        logits = bytes((int) logitsBytes);
      }
    } catch (OutOfMemoryError e) {
      throw new ScoringException(
          ("%d bytes of direct memory for the logits of a batch cannot be had: %s; lower the token"
                  + " budget or raise -XX:MaxDirectMemorySize")
              .formatted(logitsBytes, e.getMessage()),
          e);
    }
    logits.clear().limit((int) logitsBytes);
  }

  private void fill(TokenBatch batch) {
    ids.clear();
    mask.clear();
    for (int b = 0; b < batch.sequences(); b++) {
      for (int t = 0; t < batch.length(); t++) {
        int id = batch.id(b, t);
        if (id < 0 || id >= vocabularySize) {
          throw new ScoringException(
              ("token id %d at position %d of sequence %d is outside the vocabulary of %s, 0 to %d;"
                      + " does the tokenizer belong to the model?")
                  .formatted(id, t, b, path, vocabularySize - 1));
        }
        ids.put(id);
        mask.put(t < batch.length(b) ? 1 : 0);
      }
    }
    ids.flip();
    mask.flip();
  }

  private static LongBuffer longs(int size) {
    return bytes(Math.multiplyExact(size, Long.BYTES)).asLongBuffer();
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }
}
