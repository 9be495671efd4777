package io.llmap.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.spi.LogitsBlock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;

/**
 * What a graph takes and gives, found to be token ids and logits.
 *
 * @param inputs all that it needs
 * @param logits the name of the output with the logits
 * @param type how one logit is stored
 * @param vocabularySize the last dimension of the logits, where the graph says it
 */
record OnnxGraph(
    List<OnnxInput> inputs, String logits, LogitsBlock.Type type, OptionalInt vocabularySize) {

  /**
   * Checks a graph.
   *
   * @throws BackendUnavailableException if it takes or gives something else
   */
  static OnnxGraph of(Path model, Collection<NodeInfo> inputs, Collection<NodeInfo> outputs) {
    List<OnnxInput> served = inputs(model, inputs);
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
    return new OnnxGraph(served, output.getName(), type(info.type), vocabularySize);
  }

  /**
   * Checks the part of a graph that gives hidden states where the whole gives logits. Their shape,
   * which the runtime cannot always tell beforehand, is for a run to check.
   *
   * @throws BackendUnavailableException if it takes or gives something else
   */
  static OnnxGraph ofBody(Path model, Collection<NodeInfo> inputs, NodeInfo states) {
    if (!(states.getInfo() instanceof TensorInfo info) || !isLogit(info.type)) {
      throw new BackendUnavailableException(
          "%s makes logits of %s; hidden states must be float, float16 or bfloat16"
              .formatted(model, describe(states)));
    }
    return new OnnxGraph(
        inputs(model, inputs), states.getName(), type(info.type), OptionalInt.empty());
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

  private static List<OnnxInput> inputs(Path model, Collection<NodeInfo> inputs) {
    List<String> described = inputs.stream().map(OnnxGraph::describe).toList();
    for (NodeInfo input : inputs) {
      if (input.getName().contains("encoder") || input.getName().startsWith("decoder_")) {
        throw new BackendUnavailableException(
            "%s takes %s, as a part of an encoder-decoder does; only causal language models are scored"
                .formatted(model, describe(input)));
      }
    }
    NodeInfo ids =
        inputs.stream()
            .filter(input -> input.getName().equals(OnnxInput.INPUT_IDS))
            .findFirst()
            .orElseThrow(
                () ->
                    new BackendUnavailableException(
                        "%s takes %s; a causal language model takes input_ids"
                            .formatted(model, described)));
    String batch =
        ids.getInfo() instanceof TensorInfo info && info.getShape().length == 2
            ? info.getDimensionNames()[0]
            : "";
    List<OnnxInput> served = new ArrayList<>();
    for (NodeInfo input : inputs) {
      served.add(
          OnnxInput.of(input, batch)
              .orElseThrow(() -> new BackendUnavailableException(refusal(model, input))));
    }
    return List.copyOf(served);
  }

  private static String refusal(Path model, NodeInfo input) {
    String name = input.getName();
    String wanted =
        switch (name) {
          case OnnxInput.INPUT_IDS, OnnxInput.ATTENTION_MASK, OnnxInput.POSITION_IDS ->
              "it must be int64 or int32 of the shape [batch, sequence], both dynamic";
          case OnnxInput.USE_CACHE_BRANCH -> "it must be one bool";
          case OnnxInput.LOGITS_TO_KEEP -> "it must be one int64";
          default ->
              OnnxInput.isCache(name)
                  ? "a cache must be float, float16 or bfloat16, and dynamic in two dimensions,"
                      + " the batch and the length of the past"
                  : "only input_ids, attention_mask, position_ids, past_key_values.*,"
                      + " use_cache_branch and num_logits_to_keep can be given; export it without";
        };
    return "%s takes %s; %s".formatted(model, describe(input), wanted);
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

  /** Such as {@code past.0.key: FLOAT[batch, 2, -1, 12]}, with the names that dimensions have. */
  private static String describe(NodeInfo node) {
    if (!(node.getInfo() instanceof TensorInfo info)) {
      return node.getName() + ": " + node.getInfo();
    }
    long[] shape = info.getShape();
    String[] names = info.getDimensionNames();
    List<String> dimensions = new ArrayList<>();
    for (int d = 0; d < shape.length; d++) {
      dimensions.add(shape[d] >= 0 || names[d].isEmpty() ? Long.toString(shape[d]) : names[d]);
    }
    return node.getName() + ": " + info.type + dimensions;
  }
}
