package io.llmap.onnx;

import ai.onnxruntime.OnnxJavaType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The place where a graph can be cut in two: the input of the product that makes logits out of
 * hidden states.
 *
 * <pre>
 * body: token ids ─▶ hidden states [B, T, H]
 * head: hidden states [1, R, H] of any rows ─▶ logits [1, R, V], or log-probabilities [1, R, 1]
 * </pre>
 *
 * <p>Behind the cut every operator treats every row by itself, so the logits of a row are the same
 * whichever rows go with it.
 */
final class OutputHead {
  /** The tokens whose log-probabilities a scoring head gives, int64 [1, R, 1]. */
  static final String TARGETS = "llmap_targets";

  /** What a scoring head gives, float [1, R, 1]. */
  static final String LOG_PROBS = "llmap_log_probs";

  private static final Set<String> UNARY = Set.of("Cast", "Identity", "Tanh");
  private static final Set<String> BINARY = Set.of("Add", "Sub", "Mul", "Div");
  private static final Set<String> PRODUCT = Set.of("MatMul", "FusedMatMul", "MatMulNBits");

  /** TensorProto.DataType. */
  private static final int FLOAT = 1;

  private static final int INT64 = 7;
  private static final int FLOAT16 = 10;
  private static final int BFLOAT16 = 16;

  /** AttributeProto.AttributeType. */
  private static final int ATTRIBUTE_INT = 2;

  private final GraphFile graph;
  private final String hidden;
  private final String logits;

  private OutputHead(GraphFile graph, String hidden, String logits) {
    this.graph = graph;
    this.hidden = hidden;
    this.logits = logits;
  }

  /**
   * Looks for the cut.
   *
   * @return empty if the logits are not made by a product of hidden states with constant weights,
   *     and operators that act on each logit
   */
  static Optional<OutputHead> find(GraphFile graph) {
    String logits = graph.outputs().keySet().stream().findFirst().orElse("");
    if (graph.outputs().containsKey("logits")) {
      logits = "logits";
    } else if (graph.outputs().size() != 1) {
      return Optional.empty();
    }
    Map<String, GraphNode> makers = new HashMap<>();
    for (GraphNode node : graph.nodes()) {
      node.outputs().forEach(output -> makers.put(output, node));
    }
    Set<String> constants = graph.constants();
    GraphNode node = makers.get(logits);
    while (node != null) {
      int variable = node.onlyVariable(constants);
      String type = node.opType();
      if (variable < 0) {
        return Optional.empty();
      }
      String input = node.inputs().get(variable);
      GraphNode before = makers.get(input);
      if (PRODUCT.contains(type)) {
        boolean rows =
            variable == 0
                && before != null
                // Fused with the product, 8-bit numbers round in another way.
                && !before.opType().equals("DequantizeLinear")
                && node.numbers().getOrDefault("transA", 0L) == 0
                && node.numbers().getOrDefault("transBatchA", 0L) == 0;
        return rows ? Optional.of(new OutputHead(graph, input, logits)) : Optional.empty();
      }
      if (!UNARY.contains(type) && !BINARY.contains(type)) {
        return Optional.empty();
      }
      node = before;
    }
    return Optional.empty();
  }

  /** The name of the hidden states: the body's output and the head's input. */
  String hidden() {
    return hidden;
  }

  /** The name of the logits, the head's output. */
  String logits() {
    return logits;
  }

  /** The folder that the weights of both parts are named from. */
  Path folder() {
    return graph.folder();
  }

  /**
   * The graph up to the hidden states.
   *
   * @param floored whether softmaxes get a {@link SoftmaxFloor}
   */
  byte[] body(boolean floored) throws IOException {
    return graph.part(graph.inputs(), Map.of(hidden, graph.value(hidden)), List.of(), floored);
  }

  /**
   * The graph from the hidden states on.
   *
   * @param type of the hidden states
   * @param width H
   */
  byte[] head(OnnxJavaType type, int width) throws IOException {
    return graph.part(
        Map.of(hidden, tensor(hidden, elementType(type), width)),
        Map.of(logits, graph.outputs().get(logits)),
        List.of(),
        false);
  }

  /**
   * The graph from the hidden states on, with {@link #TARGETS} as a second input, and {@link
   * #LOG_PROBS} as a second output: the logits' log-softmax at the targets.
   *
   * @param type of the hidden states
   * @param width H
   */
  byte[] scoringHead(OnnxJavaType type, int width) throws IOException {
    Map<String, ByteBuffer> takes = new LinkedHashMap<>();
    takes.put(hidden, tensor(hidden, elementType(type), width));
    takes.put(TARGETS, tensor(TARGETS, INT64, 1));
    Map<String, ByteBuffer> gives = new LinkedHashMap<>();
    gives.put(logits, graph.outputs().get(logits));
    gives.put(LOG_PROBS, tensor(LOG_PROBS, FLOAT, 1));
    // The sum over a vocabulary needs more digits than a 16-bit number has.
    return graph.part(
        takes,
        gives,
        List.of(
            node("Cast", List.of(logits), "llmap_wide", "to", FLOAT),
            node("LogSoftmax", List.of("llmap_wide"), "llmap_log_softmax", "axis", 2),
            node("GatherElements", List.of("llmap_log_softmax", TARGETS), LOG_PROBS, "axis", 2)),
        false);
  }

  private static int elementType(OnnxJavaType type) {
    return switch (type) {
      case FLOAT16 -> FLOAT16;
      case BFLOAT16 -> BFLOAT16;
      default -> FLOAT;
    };
  }

  /** ValueInfoProto of a tensor [?, ?, last]. */
  private static ByteBuffer tensor(String name, int elementType, int last) {
    ProtoWriter shape =
        new ProtoWriter()
            .message(1, new ProtoWriter())
            .message(1, new ProtoWriter())
            .message(1, new ProtoWriter().varint(1, last));
    ProtoWriter tensor = new ProtoWriter().varint(1, elementType).message(2, shape);
    ProtoWriter type = new ProtoWriter().message(1, tensor);
    return ByteBuffer.wrap(new ProtoWriter().string(1, name).message(2, type).toByteArray());
  }

  /** NodeProto with one attribute. */
  private static ProtoWriter node(
      String opType, List<String> inputs, String output, String attribute, int value) {
    ProtoWriter node = new ProtoWriter();
    inputs.forEach(input -> node.string(1, input));
    return node.string(2, output)
        .string(4, opType)
        .message(
            5, new ProtoWriter().string(1, attribute).varint(3, value).varint(20, ATTRIBUTE_INT));
  }
}
