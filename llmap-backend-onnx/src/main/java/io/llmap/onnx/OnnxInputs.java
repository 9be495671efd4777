package io.llmap.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.score.spi.TokenBatch;
import io.llmap.tokenizers.ModelConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The input tensors of one batch at a time, in native memory that grows to the largest batch and is
 * reused. A batch of the same size as the one before costs the writing of its ids.
 */
final class OnnxInputs implements AutoCloseable {
  private final Path path;
  private final OnnxGraph graph;
  private final int heads;
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final Map<String, ByteBuffer> memory = new HashMap<>();
  private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
  private ByteBuffer zeros = bytes(0);
  private int sequences;
  private int length;

  /**
   * Without tensors yet.
   *
   * @param path the model, for errors
   * @param config for the number of attention heads, where an input needs it
   * @throws BackendUnavailableException if an input needs it and it is not there
   */
  OnnxInputs(Path path, OnnxGraph graph, ModelConfig config) {
    this.path = path;
    this.graph = graph;
    for (OnnxInput input : graph.inputs()) {
      if (input.needsHeads() && config.attentionHeads().isEmpty()) {
        throw new BackendUnavailableException(
            ("%s takes %s with a dimension of the batch times the attention heads, and there is no"
                    + " num_attention_heads in its config.json")
                .formatted(path, input.name()));
      }
    }
    this.heads = config.attentionHeads().orElse(1);
  }

  /**
   * Takes a batch.
   *
   * @param vocabularySize one more than the largest id that is let through
   * @return every input of the graph by its name; owned by this, changed by the next call
   * @throws ScoringException if an id is outside the vocabulary
   */
  Map<String, OnnxTensor> of(TokenBatch batch, int vocabularySize) throws OrtException {
    check(batch, vocabularySize);
    boolean sameSequences = batch.sequences() == sequences;
    boolean sameShape = sameSequences && batch.length() == length;
    // Until all tensors are of one shape there is none that the next batch could have.
    sequences = 0;
    for (OnnxInput input : graph.inputs()) {
      if (input.role() == OnnxInput.Role.ZEROS) {
        if (!sameSequences) {
          long[] shape = input.shape(batch.sequences(), heads);
          replace(input, zeros(shape, input.type()), shape);
        }
      } else if (!sameShape) {
        ByteBuffer values = reserve(input, Math.multiplyExact(batch.sequences(), batch.length()));
        write(input, batch, values);
        replace(input, values, new long[] {batch.sequences(), batch.length()});
      } else if (input.role() == OnnxInput.Role.IDS) {
        write(input, batch, reserve(input, batch.sequences() * batch.length()));
      }
    }
    sequences = batch.sequences();
    length = batch.length();
    return Collections.unmodifiableMap(tensors);
  }

  private void check(TokenBatch batch, int vocabularySize) {
    for (int b = 0; b < batch.sequences(); b++) {
      for (int t = 0; t < batch.length(); t++) {
        int id = batch.id(b, t);
        if (id < 0 || id >= vocabularySize) {
          throw new ScoringException(
              ("token id %d at position %d of sequence %d is outside the vocabulary of %s, 0 to %d;"
                      + " does the tokenizer belong to the model?")
                  .formatted(id, t, b, path, vocabularySize - 1));
        }
      }
    }
  }

  private static void write(OnnxInput input, TokenBatch batch, ByteBuffer values) {
    boolean wide = input.type() == OnnxJavaType.INT64;
    for (int b = 0; b < batch.sequences(); b++) {
      for (int t = 0; t < batch.length(); t++) {
        int value =
            input.role() == OnnxInput.Role.IDS
                ? batch.id(b, t)
                : input.role() == OnnxInput.Role.POSITIONS ? t : 1;
        if (wide) {
          values.putLong(value);
        } else {
          values.putInt(value);
        }
      }
    }
    values.flip();
  }

  private ByteBuffer reserve(OnnxInput input, int elements) {
    int bytes = Math.multiplyExact(elements, input.type().size);
    return memory
        .compute(
            input.name(), (name, old) -> old == null || old.capacity() < bytes ? bytes(bytes) : old)
        .clear();
  }

  /** One memory for all: the JVM fills new memory with zeros, and no graph writes to its inputs. */
  private ByteBuffer zeros(long[] shape, OnnxJavaType type) {
    long bytes = type.size;
    for (long size : shape) {
      bytes = Math.multiplyExact(bytes, size);
    }
    if (zeros.capacity() < bytes) {
      zeros = bytes(Math.toIntExact(bytes));
    }
    return zeros.duplicate().limit((int) bytes);
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }

  private void replace(OnnxInput input, ByteBuffer values, long[] shape) throws OrtException {
    OnnxTensor tensor = OnnxTensor.createTensor(environment, values, shape, input.type());
    OnnxTensor old = tensors.put(input.name(), tensor);
    if (old != null) {
      old.close();
    }
  }

  /** Frees the tensors. */
  @Override
  public void close() {
    tensors.values().forEach(OnnxTensor::close);
    tensors.clear();
    sequences = 0;
  }
}
