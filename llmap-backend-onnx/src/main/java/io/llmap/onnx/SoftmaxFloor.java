package io.llmap.onnx;

import java.io.IOException;
import java.util.List;

/**
 * Puts {@code x = max(x, max of the row − 80)} in front of every softmax over a last dimension.
 *
 * <p>Attention hides later positions by scores of −10³⁸ or −∞. ONNX Runtime's softmax on the CPU
 * makes e^−88 of them, a number without a leading digit, which a processor multiplies by microcode
 * for a hundred times as long as others; and they are half of all scores. A probability of e^−80 in
 * its place changes no sum in single precision, as e^−80 is less than 10⁻²⁷ of its last digit. The
 * runtime's own remedy, {@code session.set_denormal_as_zero}, does not reach the threads that call
 * it, or else changes their Java arithmetic.
 */
final class SoftmaxFloor {
  private static final String PREFIX = "llmap_floor";
  private static final String DEPTH = PREFIX + "_depth";
  private static final String LAST = PREFIX + "_last";

  /** Where CastLike begins. */
  private static final int FIRST_OPSET = 15;

  /** Where the axes of ReduceMax became an input. */
  private static final int AXES_INPUT_OPSET = 18;

  private final long opset;
  private int count;

  /**
   * For a graph.
   *
   * @param opset the version of the standard operators in it
   */
  SoftmaxFloor(long opset) {
    this.opset = opset;
  }

  /** Whether a node is such a softmax. */
  boolean appliesTo(GraphNode node) {
    return opset >= FIRST_OPSET
        && node.opType().equals("Softmax")
        && node.numbers().getOrDefault("axis", -1L) == -1;
  }

  /** Adds a softmax with its floor to a graph. */
  void write(GraphNode softmax, ProtoWriter graph) throws IOException {
    String scores = softmax.inputs().get(0);
    String name = PREFIX + count++;
    ProtoWriter highest = new ProtoWriter().string(GraphNode.INPUT, scores);
    if (opset >= AXES_INPUT_OPSET) {
      highest.string(GraphNode.INPUT, LAST);
    } else {
      // AttributeProto: name 1, ints 8, type 20, which is 7 for INTS.
      highest.message(
          GraphNode.ATTRIBUTE, new ProtoWriter().string(1, "axes").varint(8, -1).varint(20, 7));
    }
    graph.message(
        GraphFile.NODE,
        highest.string(GraphNode.OUTPUT, name + "_highest").string(GraphNode.OP_TYPE, "ReduceMax"));
    node(graph, "CastLike", List.of(DEPTH, scores), name + "_depth");
    node(graph, "Sub", List.of(name + "_highest", name + "_depth"), name + "_lowest");
    node(graph, "Max", List.of(scores, name + "_lowest"), name);
    ProtoWriter copy = new ProtoWriter().string(GraphNode.INPUT, name);
    ProtoFields fields = new ProtoFields(softmax.proto());
    while (fields.next()) {
      if (fields.number() != GraphNode.INPUT) {
        copy.field(fields.field());
      }
    }
    graph.message(GraphFile.NODE, copy);
  }

  /** Adds what the floors have in common. */
  void writeConstants(ProtoWriter graph) {
    if (count > 0) {
      // TensorProto: dims 1, data_type 2 (1 float, 7 int64), float_data 4, int64_data 7, name 8.
      graph.message(
          GraphFile.INITIALIZER, new ProtoWriter().varint(2, 1).string(8, DEPTH).floats(4, 80));
      graph.message(
          GraphFile.INITIALIZER,
          new ProtoWriter().varint(1, 1).varint(2, 7).varint(7, -1).string(8, LAST));
    }
  }

  private static void node(ProtoWriter graph, String opType, List<String> inputs, String output) {
    ProtoWriter node = new ProtoWriter();
    inputs.forEach(input -> node.string(GraphNode.INPUT, input));
    graph.message(
        GraphFile.NODE, node.string(GraphNode.OUTPUT, output).string(GraphNode.OP_TYPE, opType));
  }
}
