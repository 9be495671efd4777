package io.llmap.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.spi.LogitsBlock;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a graph takes and gives, found to be token ids and logits.
 *
 * @param attentionMask whether it takes an attention mask
 * @param logits the name of the output with the logits
 * @param type how one logit is stored
 * @param vocabularySize the last dimension of the logits, where the graph says it
 */
record OnnxGraph(
    boolean attentionMask, String logits, LogitsBlock.Type type, OptionalInt vocabularySize) {
  static final String INPUT_IDS = "input_ids";
  static final String ATTENTION_MASK = "attention_mask";

  /**
   * Checks a graph.
   *
   * @throws BackendUnavailableException if it takes or gives something else
   */
  static OnnxGraph of(Path model, Collection<NodeInfo> inputs, Collection<NodeInfo> outputs) {
    Set<String> names = new TreeSet<>();
    inputs.forEach(input -> names.add(input.getName()));
    if (!names.contains(INPUT_IDS) || !Set.of(INPUT_IDS, ATTENTION_MASK).containsAll(names)) {
      throw new BackendUnavailableException(
          ("%s takes the inputs %s; only input_ids, with or without attention_mask, is supported:"
                  + " export it without position_ids and without past_key_values")
              .formatted(model, names));
    }
    inputs.forEach(input -> checkInput(model, input));
    NodeInfo output = logits(model, outputs);
    TensorInfo info = (TensorInfo) output.getInfo();
    long[] shape = info.getShape();
    if (shape.length == 2 || (shape.length == 3 && shape[1] == 1)) {
      throw new BackendUnavailableException(
          ("%s gives the logits of the last position only, %s; export it with the logits of all"
                  + " positions")
              .formatted(model, describe(output)));
    }
    if (shape.length != 3 || shape[0] >= 0 || shape[1] >= 0 || !isLogit(info.type)) {
      throw new BackendUnavailableException(
          ("%s gives %s; the logits must be float, float16 or bfloat16 of the shape [batch,"
                  + " sequence, vocabulary], the first two dynamic")
              .formatted(model, describe(output)));
    }
    OptionalInt vocabularySize =
        shape[2] < 0 ? OptionalInt.empty() : OptionalInt.of(Math.toIntExact(shape[2]));
    return new OnnxGraph(
        names.contains(ATTENTION_MASK), output.getName(), type(info.type), vocabularySize);
  }

  /** The runtime's name of {@link #type}. */
  OnnxJavaType javaType() {
    return switch (type) {
      case F32 -> OnnxJavaType.FLOAT;
      case F16 -> OnnxJavaType.FLOAT16;
      case BF16 -> OnnxJavaType.BFLOAT16;
    };
  }

  private static boolean isLogit(OnnxJavaType type) {
    return type == OnnxJavaType.FLOAT
        || type == OnnxJavaType.FLOAT16
        || type == OnnxJavaType.BFLOAT16;
  }

  private static LogitsBlock.Type type(OnnxJavaType type) {
    return type == OnnxJavaType.FLOAT
        ? LogitsBlock.Type.F32
        : type == OnnxJavaType.FLOAT16 ? LogitsBlock.Type.F16 : LogitsBlock.Type.BF16;
  }

  private static void checkInput(Path model, NodeInfo input) {
    if (!(input.getInfo() instanceof TensorInfo info)
        || info.type != OnnxJavaType.INT64
        || !Arrays.equals(info.getShape(), new long[] {-1, -1})) {
      throw new BackendUnavailableException(
          "%s takes %s; it must be int64 of the shape [batch, sequence], both dynamic"
              .formatted(model, describe(input)));
    }
  }

  /** The output named logits, or else the only one that has their type and shape. */
  private static NodeInfo logits(Path model, Collection<NodeInfo> outputs) {
    List<NodeInfo> tensors =
        outputs.stream().filter(output -> output.getInfo() instanceof TensorInfo).toList();
    for (NodeInfo output : tensors) {
      if (output.getName().equals("logits")) {
        return output;
      }
    }
    List<NodeInfo> candidates =
        tensors.stream()
            .filter(
                output ->
                    output.getInfo() instanceof TensorInfo info
                        && info.getShape().length == 3
                        && isLogit(info.type))
            .toList();
    if (candidates.size() != 1) {
      throw new BackendUnavailableException(
          ("%s gives the outputs %s; one must be named logits, or be the only one in floating point"
                  + " of the shape [batch, sequence, vocabulary]")
              .formatted(model, outputs.stream().map(OnnxGraph::describe).toList()));
    }
    return candidates.get(0);
  }

  private static String describe(NodeInfo node) {
    return node.getInfo() instanceof TensorInfo info
        ? node.getName() + ": " + info.type + Arrays.toString(info.getShape())
        : node.getName() + ": " + node.getInfo();
  }
}
