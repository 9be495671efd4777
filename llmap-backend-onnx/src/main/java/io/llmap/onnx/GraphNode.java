package io.llmap.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One operator of a graph: NodeProto of onnx.proto.
 *
 * @param opType such as {@code MatMul}
 * @param inputs the values it takes, in their order; an empty name is an input left out
 * @param outputs the values it gives
 * @param reads the inputs, and what a branch or a loop inside reads
 * @param numbers the attributes by name; 0 where one is no integer
 * @param proto the content of the message
 */
record GraphNode(
    String opType,
    List<String> inputs,
    List<String> outputs,
    Set<String> reads,
    Map<String, Long> numbers,
    ByteBuffer proto) {

  static final int INPUT = 1;
  static final int OUTPUT = 2;
  static final int OP_TYPE = 4;
  static final int ATTRIBUTE = 5;

  /** Reads a node. */
  static GraphNode read(ByteBuffer proto) throws IOException {
    String opType = "";
    List<String> inputs = new ArrayList<>();
    List<String> outputs = new ArrayList<>();
    Set<String> reads = new HashSet<>();
    Map<String, Long> numbers = new HashMap<>();
    ProtoFields fields = new ProtoFields(proto);
    while (fields.next()) {
      switch (fields.number()) {
        case INPUT -> inputs.add(fields.string());
        case OUTPUT -> outputs.add(fields.string());
        case OP_TYPE -> opType = fields.string();
        case ATTRIBUTE -> attribute(fields.content(), reads, numbers);
        default -> {}
      }
    }
    reads.addAll(inputs);
    reads.remove("");
    return new GraphNode(opType, inputs, outputs, reads, numbers, proto);
  }

  /** AttributeProto: name 1, i 3, g 6, graphs 11. */
  private static void attribute(ByteBuffer proto, Set<String> reads, Map<String, Long> numbers)
      throws IOException {
    String name = "";
    long number = 0;
    ProtoFields fields = new ProtoFields(proto);
    while (fields.next()) {
      switch (fields.number()) {
        case 1 -> name = fields.string();
        case 3 -> number = fields.value();
        case 6, 11 -> subgraph(fields.content(), reads);
        default -> {}
      }
    }
    numbers.put(name, number);
  }

  /** GraphProto: node 1, output 12. Names of its own do no harm among the names it reads. */
  private static void subgraph(ByteBuffer proto, Set<String> reads) throws IOException {
    ProtoFields fields = new ProtoFields(proto);
    while (fields.next()) {
      if (fields.number() == 1) {
        reads.addAll(read(fields.content()).reads);
      } else if (fields.number() == 12) {
        reads.add(ProtoFields.string(fields.content(), 1));
      }
    }
  }

  /** The only input that is not constant, if exactly one is not. */
  int onlyVariable(Set<String> constants) {
    int found = -1;
    for (int i = 0; i < inputs.size(); i++) {
      if (!inputs.get(i).isEmpty() && !constants.contains(inputs.get(i))) {
        if (found >= 0) {
          return -1;
        }
        found = i;
      }
    }
    return found;
  }
}
