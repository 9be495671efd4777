package io.llmap.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.spi.LogitsBlock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** Which of a block's outputs are logits, and how they are stored. */
final class DjlTypes {
  /** [batch, sequence, vocabulary]. */
  private static final int RANK = 3;

  private static final String LOGITS = "logits";

  private DjlTypes() {}

  /**
   * The output of the name {@code logits}; without such a name, of those with three dimensions the
   * one whose last is the vocabulary, else the first, since what else a model gives, such as hidden
   * states, stands behind its logits.
   *
   * @param vocabularySize V, where it is known
   */
  static NDArray logits(String model, NDList outputs, OptionalInt vocabularySize) {
    List<NDArray> candidates =
        outputs.stream().filter(array -> LOGITS.equals(array.getName())).toList();
    if (candidates.isEmpty()) {
      candidates = outputs.stream().filter(a -> a.getShape().dimension() == RANK).toList();
    }
    if (candidates.isEmpty() && outputs.size() == 1) {
      // The probe says what is wrong with its shape.
      candidates = outputs;
    }
    if (candidates.isEmpty()) {
      throw new BackendUnavailableException(
          "%s gives no logits [batch, sequence, vocabulary], but %s"
              .formatted(model, describe(outputs)));
    }
    NDArray logits =
        candidates.stream()
            .filter(a -> isVocabulary(a.getShape().tail(), vocabularySize))
            .findFirst()
            .orElse(candidates.get(0));
    requireReadable(model, logits);
    return logits;
  }

  private static boolean isVocabulary(long size, OptionalInt vocabularySize) {
    return vocabularySize.isPresent() && size == vocabularySize.getAsInt();
  }

  private static String describe(NDList outputs) {
    return outputs.stream()
        .map(a -> (a.getName() == null ? "" : a.getName() + " ") + a.getShape())
        .collect(Collectors.joining(", "));
  }

  /** DJL has no name for a bfloat16 that PyTorch gives, and ends the JVM over some uses of it. */
  private static void requireReadable(String model, NDArray logits) {
    DataType type = logits.getDataType();
    if (type != DataType.FLOAT32 && type != DataType.FLOAT16) {
      throw new BackendUnavailableException(
          ("%s gives logits of the type %s, and float32 and float16 are read; convert the model so that"
                  + " its logits are float32")
              .formatted(
                  model, type == DataType.UNKNOWN ? "bfloat16, or another unknown to DJL" : type));
    }
  }

  static LogitsBlock.Type of(NDArray logits) {
    return logits.getDataType() == DataType.FLOAT32 ? LogitsBlock.Type.F32 : LogitsBlock.Type.F16;
  }

  /**
   * The bytes of an array: where the engine keeps them, valid until the array is closed, or a copy
   * where the engine gives none but on the heap or from a device.
   */
  static ByteBuffer direct(NDArray array) {
    ByteBuffer bytes = array.toByteBuffer(true);
    if (bytes.isDirect()) {
      return bytes;
    }
    return ByteBuffer.allocateDirect(bytes.remaining())
        .order(ByteOrder.nativeOrder())
        .put(bytes)
        .flip();
  }

  /** A few logits, widened. */
  static float[] toFloats(NDArray logits) {
    int count = Math.toIntExact(logits.size());
    float[] values = new float[count];
    LogitsBlock.of(direct(logits), of(logits), 0, 1, count, count).read(0, 0, count, values);
    return values;
  }
}
