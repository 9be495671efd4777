package io.llmap.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * One input of a graph, and what it is given.
 *
 * @param shape of {@link Role#ZEROS} one number for each dimension, {@link #BATCH} and {@link
 *     #BATCH_BY_HEADS} standing for what a run has; of the other roles [−1, −1], which is [B, T]
 */
record OnnxInput(String name, Role role, OnnxJavaType type, long[] shape) {
  static final String INPUT_IDS = "input_ids";
  static final String ATTENTION_MASK = "attention_mask";
  static final String POSITION_IDS = "position_ids";
  static final String USE_CACHE_BRANCH = "use_cache_branch";
  static final String LOGITS_TO_KEEP = "num_logits_to_keep";

  /** The number of sequences. */
  private static final int BATCH = -1;

  /** The number of sequences times that of attention heads: older exports of BLOOM. */
  private static final int BATCH_BY_HEADS = -2;

  /** What an input is given. */
  enum Role {
    /** The token ids. */
    IDS,

    /**
     * One everywhere, padding too. It stands behind the tokens, where a causal model does not look.
     * A mask that hides it would leave padded positions nothing to look at within a sliding window;
     * where the graph masks with −∞ such a row is NaN, and in the next layer, as 0 · NaN is NaN, so
     * are the rows of all tokens.
     */
    MASK,

    /** 0, 1, 2, ... in every row. */
    POSITIONS,

    /**
     * Zeros, the same in every run: a cache without an entry, a state at its start, no use of the
     * cache, 0 for the logits of all positions.
     */
    ZEROS
  }

  /**
   * Finds out what an input is for.
   *
   * @param batch the name of the batch's dimension, empty where it has none
   * @return empty if it cannot be served
   */
  static Optional<OnnxInput> of(NodeInfo node, String batch) {
    if (!(node.getInfo() instanceof TensorInfo info)) {
      return Optional.empty();
    }
    return switch (node.getName()) {
      case INPUT_IDS -> tokens(node.getName(), Role.IDS, info);
      case ATTENTION_MASK -> tokens(node.getName(), Role.MASK, info);
      case POSITION_IDS -> tokens(node.getName(), Role.POSITIONS, info);
      case USE_CACHE_BRANCH -> scalar(node.getName(), info, OnnxJavaType.BOOL);
      case LOGITS_TO_KEEP -> scalar(node.getName(), info, OnnxJavaType.INT64);
      default -> isCache(node.getName()) ? cache(node.getName(), info, batch) : Optional.empty();
    };
  }

  /** Whether an input holds what a model kept of earlier tokens. */
  static boolean isCache(String name) {
    return name.startsWith("past") || name.contains(".past.");
  }

  /** Whether the shape depends on the number of attention heads. */
  boolean needsHeads() {
    return Arrays.stream(shape).anyMatch(size -> size == BATCH_BY_HEADS);
  }

  /** The shape in a batch of {@code sequences}; not for token inputs. */
  long[] shape(int sequences, int heads) {
    return Arrays.stream(shape)
        .map(size -> size == BATCH ? sequences : size == BATCH_BY_HEADS ? sequences * heads : size)
        .toArray();
  }

  private static Optional<OnnxInput> tokens(String name, Role role, TensorInfo info) {
    long[] shape = info.getShape();
    return Arrays.equals(shape, new long[] {-1, -1})
            && (info.type == OnnxJavaType.INT64 || info.type == OnnxJavaType.INT32)
        ? Optional.of(new OnnxInput(name, role, info.type, shape))
        : Optional.empty();
  }

  private static Optional<OnnxInput> scalar(String name, TensorInfo info, OnnxJavaType type) {
    long[] shape = info.getShape();
    return Arrays.stream(shape).allMatch(size -> size == 1) && info.type == type
        ? Optional.of(new OnnxInput(name, Role.ZEROS, type, shape))
        : Optional.empty();
  }

  private static Optional<OnnxInput> cache(String name, TensorInfo info, String batch) {
    long[] shape = info.getShape();
    String[] names = info.getDimensionNames();
    List<Integer> dynamic =
        IntStream.range(0, shape.length).filter(axis -> shape[axis] < 0).boxed().toList();
    Optional<Integer> sequences =
        dynamic.stream()
            .filter(
                axis ->
                    isBatchByHeads(names[axis], batch)
                        || (!batch.isEmpty() && names[axis].equals(batch)))
            .findFirst()
            .or(() -> dynamic.stream().findFirst());
    int others = dynamic.size() - 1;
    if (sequences.isEmpty() || others > 1 || (others == 0 && !isState(name)) || !isFloat(info)) {
      return Optional.empty();
    }
    dynamic.forEach(axis -> shape[axis] = 0);
    shape[sequences.get()] = isBatchByHeads(names[sequences.get()], batch) ? BATCH_BY_HEADS : BATCH;
    return Optional.of(new OnnxInput(name, Role.ZEROS, info.type, shape));
  }

  /** Such as "batch_size * num_heads" and "batch_size x num_heads". */
  private static boolean isBatchByHeads(String name, String batch) {
    return !batch.isEmpty() && name.startsWith(batch) && name.contains("head");
  }

  /** Whether a cache without a dimension to be zero may start as zeros. */
  private static boolean isState(String name) {
    return name.contains("conv")
        || name.contains("ssm")
        || name.contains("recurrent")
        || name.contains("state");
  }

  private static boolean isFloat(TensorInfo info) {
    return info.type == OnnxJavaType.FLOAT
        || info.type == OnnxJavaType.FLOAT16
        || info.type == OnnxJavaType.BFLOAT16;
  }
}
