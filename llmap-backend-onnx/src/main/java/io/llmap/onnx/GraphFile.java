package io.llmap.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model file, mapped into memory, of which models can be made that hold a part of its graph.
 *
 * <p>Such a part is small whatever the size of the file: its weights stay where they are, in this
 * file or in others, and the part refers to them as external data. By the field numbers of
 * onnx.proto.
 */
final class GraphFile {
  /** ModelProto. */
  private static final int GRAPH = 7;

  private static final int OPSET_IMPORT = 8;

  /** GraphProto. */
  static final int NODE = 1;

  static final int INITIALIZER = 5;
  private static final int INPUT = 11;
  private static final int OUTPUT = 12;
  private static final int VALUE_INFO = 13;

  /** TensorProto. */
  private static final int TENSOR_NAME = 8;

  private static final int RAW_DATA = 9;
  private static final int EXTERNAL_DATA = 13;
  private static final int DATA_LOCATION = 14;
  private static final int EXTERNAL = 1;

  /** Below this a tensor may be a shape, which the runtime must see when it loads a graph. */
  private static final int SMALLEST_EXTERNAL = 1 << 10;

  /** Operators, names and small tensors of the largest models take some megabytes. */
  private static final int LARGEST_PART = 64 << 20;

  private final Path link;
  private final Path file;
  private final List<ByteBuffer> modelFields = new ArrayList<>();
  private final List<ByteBuffer> graphFields = new ArrayList<>();
  private final List<GraphNode> nodes = new ArrayList<>();
  private final Map<String, ByteBuffer> initializers = new LinkedHashMap<>();
  private final Map<String, ByteBuffer> inputs = new LinkedHashMap<>();
  private final Map<String, ByteBuffer> outputs = new LinkedHashMap<>();
  private final Map<String, ByteBuffer> values = new LinkedHashMap<>();

  private long opset;

  private GraphFile(Path link) throws IOException {
    this.link = link;
    this.file = link.toRealPath();
  }

  /**
   * Maps a file and reads its graph, without the weights.
   *
   * @throws IOException if the file cannot be read, or is no ONNX model
   */
  static GraphFile map(Path model) throws IOException {
    GraphFile graph = new GraphFile(model);
    try (FileChannel channel = FileChannel.open(graph.file)) {
      if (channel.size() > Integer.MAX_VALUE) {
        throw new IOException("not an ONNX model: larger than Protocol Buffers allow");
      }
      ProtoFields fields =
          new ProtoFields(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
      while (fields.next()) {
        if (fields.number() == GRAPH) {
          graph.read(fields.content());
        } else {
          graph.modelFields.add(fields.field());
          if (fields.number() == OPSET_IMPORT) {
            graph.readOpset(fields.content());
          }
        }
      }
    }
    return graph;
  }

  /** OperatorSetIdProto: domain 1, version 2. */
  private void readOpset(ByteBuffer proto) throws IOException {
    long version = 0;
    ProtoFields fields = new ProtoFields(proto);
    while (fields.next()) {
      if (fields.number() == 2) {
        version = fields.value();
      }
    }
    if (ProtoFields.string(proto, 1).isEmpty()) {
      opset = version;
    }
  }

  private void read(ByteBuffer graph) throws IOException {
    ProtoFields fields = new ProtoFields(graph);
    while (fields.next()) {
      ByteBuffer content = fields.content();
      switch (fields.number()) {
        case NODE -> nodes.add(GraphNode.read(content));
        case INITIALIZER -> initializers.put(ProtoFields.string(content, TENSOR_NAME), content);
        case INPUT -> inputs.put(ProtoFields.string(content, 1), content);
        case OUTPUT -> outputs.put(ProtoFields.string(content, 1), content);
        case VALUE_INFO -> values.put(ProtoFields.string(content, 1), content);
        default -> graphFields.add(fields.field());
      }
    }
  }

  /** The folder that a part's weights are named from. */
  Path folder() {
    Path folder = file.getParent();
    return folder == null ? file : folder;
  }

  /** The operators, each after those whose values it reads. */
  List<GraphNode> nodes() {
    return nodes;
  }

  /** What the graph takes, ValueInfoProto by name; without the weights that old models list too. */
  Map<String, ByteBuffer> inputs() {
    Map<String, ByteBuffer> real = new LinkedHashMap<>(inputs);
    real.keySet().removeAll(initializers.keySet());
    return real;
  }

  /** What the graph gives, ValueInfoProto by name. */
  Map<String, ByteBuffer> outputs() {
    return outputs;
  }

  /** A value's ValueInfoProto; where the file says nothing, one that only names it. */
  ByteBuffer value(String name) {
    ByteBuffer known = values.get(name);
    return known == null ? ByteBuffer.wrap(new ProtoWriter().string(1, name).toByteArray()) : known;
  }

  /** The names of the values that are the same in every run. */
  Set<String> constants() {
    Set<String> constants = new HashSet<>(initializers.keySet());
    for (GraphNode node : nodes) {
      if (node.inputs().isEmpty()
          ? node.opType().equals("Constant")
          : constants.containsAll(node.reads())) {
        constants.addAll(node.outputs());
      }
    }
    return constants;
  }

  /**
   * Makes a model of the operators that some values depend on.
   *
   * @param takes the inputs, ValueInfoProto by name; what lies before them is left out
   * @param gives the outputs, ValueInfoProto by name
   * @param appended operators to put behind, NodeProto
   * @param floored whether softmaxes get a {@link SoftmaxFloor}
   * @return the model; its weights are named from {@link #folder}
   * @throws IOException if weights are not below the folder, or not in bytes of their own
   */
  byte[] part(
      Map<String, ByteBuffer> takes,
      Map<String, ByteBuffer> gives,
      List<ProtoWriter> appended,
      boolean floored)
      throws IOException {
    Set<String> needed = new HashSet<>(gives.keySet());
    Deque<GraphNode> kept = new ArrayDeque<>();
    for (int i = nodes.size() - 1; i >= 0; i--) {
      needed.removeAll(takes.keySet());
      GraphNode node = nodes.get(i);
      if (node.outputs().stream().anyMatch(needed::contains)) {
        kept.addFirst(node);
        needed.addAll(node.reads());
      }
    }
    ProtoWriter graph = new ProtoWriter();
    graphFields.forEach(graph::field);
    SoftmaxFloor floor = new SoftmaxFloor(opset);
    for (GraphNode node : kept) {
      if (floored && floor.appliesTo(node)) {
        floor.write(node, graph);
      } else {
        graph.bytes(NODE, node.proto());
      }
    }
    floor.writeConstants(graph);
    for (ProtoWriter node : appended) {
      graph.message(NODE, node);
    }
    for (Map.Entry<String, ByteBuffer> initializer : initializers.entrySet()) {
      if (needed.contains(initializer.getKey())) {
        graph.message(INITIALIZER, initializer(initializer.getValue()));
        if (inputs.containsKey(initializer.getKey())) {
          graph.bytes(INPUT, inputs.get(initializer.getKey()));
        }
      }
      if (graph.size() > LARGEST_PART) {
        throw new IOException("its weights are not stored as raw data");
      }
    }
    takes.values().forEach(value -> graph.bytes(INPUT, value));
    gives.values().forEach(value -> graph.bytes(OUTPUT, value));
    values.forEach(
        (name, value) -> {
          if (needed.contains(name) && !gives.containsKey(name)) {
            graph.bytes(VALUE_INFO, value);
          }
        });
    ProtoWriter model = new ProtoWriter();
    modelFields.forEach(model::field);
    return model.message(GRAPH, graph).toByteArray();
  }

  /** A tensor with its bytes left in the file. */
  private ProtoWriter initializer(ByteBuffer tensor) throws IOException {
    ProtoWriter copy = new ProtoWriter();
    ProtoFields fields = new ProtoFields(tensor);
    while (fields.next()) {
      ByteBuffer content = fields.content();
      if (fields.number() == RAW_DATA && content.remaining() >= SMALLEST_EXTERNAL) {
        entry(copy, "location", String.valueOf(file.getFileName()));
        entry(copy, "offset", Integer.toString(content.position()));
        entry(copy, "length", Integer.toString(content.remaining()));
        copy.varint(DATA_LOCATION, EXTERNAL);
      } else if (fields.number() == EXTERNAL_DATA
          && ProtoFields.string(content, 1).equals("location")) {
        entry(copy, "location", location(ProtoFields.string(content, 2)));
      } else {
        copy.field(fields.field());
      }
    }
    return copy;
  }

  /** Where weights really lie, seen from the folder: model hubs keep links in folders. */
  private String location(String named) throws IOException {
    Path folder = folder();
    Path real = link.resolveSibling(named).toRealPath();
    if (!real.startsWith(folder)) {
      throw new IOException("its weights " + named + " are outside of " + folder);
    }
    return folder.relativize(real).toString();
  }

  /** StringStringEntryProto: key 1, value 2. */
  private static void entry(ProtoWriter tensor, String key, String value) {
    tensor.message(EXTERNAL_DATA, new ProtoWriter().string(1, key).string(2, value));
  }
}
