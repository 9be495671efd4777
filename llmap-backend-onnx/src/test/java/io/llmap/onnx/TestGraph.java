package io.llmap.onnx;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Puts together an ONNX model, by the field numbers of onnx.proto. */
final class TestGraph {
  static final int FLOAT = 1;
  static final int UINT8 = 2;
  static final int INT64 = 7;
  static final int FLOAT16 = 10;
  static final int BFLOAT16 = 16;

  private final ProtoWriter graph = new ProtoWriter().string(2, "test");
  private int irVersion = 8;
  private int opset = 17;

  /** [batch, sequence] ids, and the logits [batch, sequence, ?]. */
  static TestGraph causal(int logitsType) {
    return new TestGraph()
        .value(11, "input_ids", INT64, -1, -1)
        .value(12, "logits", logitsType, -1, -1, -1);
  }

  /** A model from before weights needed not be listed as inputs, and GatherElements. */
  TestGraph old() {
    irVersion = 3;
    opset = 10;
    return this;
  }

  /** A model with another version of the standard operators. */
  TestGraph opset(int version) {
    opset = version;
    return this;
  }

  /** An input (11), output (12) or inner value (13). */
  TestGraph value(int field, String name, int type, int... dimensions) {
    ProtoWriter shape = new ProtoWriter();
    for (int dimension : dimensions) {
      ProtoWriter size = new ProtoWriter();
      shape.message(1, dimension < 0 ? size : size.varint(1, dimension));
    }
    ProtoWriter tensor = new ProtoWriter().varint(1, type).message(2, shape);
    graph.message(
        field, new ProtoWriter().string(1, name).message(2, new ProtoWriter().message(1, tensor)));
    return this;
  }

  TestGraph floats(String name, List<Integer> dimensions, float... values) {
    graph.message(5, tensor(name, FLOAT, dimensions).bytes(9, raw(values)));
    return this;
  }

  /** A tensor whose values are in the message one by one. */
  TestGraph listedFloats(String name, List<Integer> dimensions, float... values) {
    graph.message(5, tensor(name, FLOAT, dimensions).bytes(4, raw(values)));
    return this;
  }

  /** A tensor whose values are in a file. */
  TestGraph external(String name, List<Integer> dimensions, String location) {
    graph.message(
        5,
        tensor(name, FLOAT, dimensions)
            .message(13, new ProtoWriter().string(1, "location").string(2, location))
            .varint(14, 1));
    return this;
  }

  TestGraph longs(String name, List<Integer> dimensions, long... values) {
    ByteBuffer raw = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    raw.asLongBuffer().put(values);
    graph.message(5, tensor(name, INT64, dimensions).bytes(9, raw));
    return this;
  }

  TestGraph node(String opType, List<String> inputs, String output) {
    return node(opType, inputs, output, Map.of());
  }

  TestGraph node(
      String opType, List<String> inputs, String output, Map<String, Integer> attributes) {
    ProtoWriter node = new ProtoWriter();
    inputs.forEach(input -> node.string(1, input));
    node.string(2, output).string(4, opType);
    attributes.forEach(
        (name, value) ->
            node.message(5, new ProtoWriter().string(1, name).varint(3, value).varint(20, 2)));
    if (opType.equals("FusedMatMul")) {
      node.string(7, "com.microsoft");
    }
    graph.message(1, node);
    return this;
  }

  /** A node that runs one of two graphs, each of which passes on a value from outside. */
  TestGraph choice(String condition, String thenValue, String elseValue, String output) {
    ProtoWriter node = new ProtoWriter().string(1, condition).string(2, output).string(4, "If");
    for (Map.Entry<String, String> branch :
        Map.of("then_branch", thenValue, "else_branch", elseValue).entrySet()) {
      String copy = branch.getKey() + "_value";
      ProtoWriter inner =
          new ProtoWriter()
              .message(
                  1,
                  new ProtoWriter()
                      .string(1, branch.getValue())
                      .string(2, copy)
                      .string(4, "Identity"))
              .string(2, branch.getKey())
              .message(12, new ProtoWriter().string(1, copy));
      node.message(5, new ProtoWriter().string(1, branch.getKey()).message(6, inner).varint(20, 5));
    }
    graph.message(1, node);
    return this;
  }

  Path write(Path file) {
    ProtoWriter model =
        new ProtoWriter()
            .varint(1, irVersion)
            .message(8, new ProtoWriter().string(1, "").varint(2, opset))
            .message(8, new ProtoWriter().string(1, "com.microsoft").varint(2, 1))
            .message(7, graph);
    try {
      return Files.write(file, model.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ByteBuffer raw(float... values) {
    ByteBuffer raw =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    return raw;
  }

  private static ProtoWriter tensor(String name, int type, List<Integer> dimensions) {
    ProtoWriter tensor = new ProtoWriter();
    dimensions.forEach(size -> tensor.varint(1, size));
    return tensor.varint(2, type).string(8, name);
  }
}
