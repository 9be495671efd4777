package io.llmap.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.spi.TokenBatch;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a block takes: arrays [batch, sequence], in order.
 *
 * @param type of every input, {@link DataType#INT64} or {@link DataType#INT32}
 * @param inputs with the token ids among them
 */
public record DjlSignature(DataType type, List<Input> inputs) {
  /** What an input is for. */
  public enum Role {
    /** Token ids. */
    IDS("input_ids", "ids", "tokens", "token_ids", "input_tokens", "idx"),
    /** 1 everywhere: what stands behind a text's end is not seen by a causal model. */
    MASK("attention_mask", "mask", "attn_mask", "input_mask"),
    /** 0, 1, 2, ... in every sequence. */
    POSITIONS("position_ids", "positions", "position", "pos_ids", "pos");

    private final String preferredName;

    @SuppressWarnings("ImmutableEnumChecker") // Set.of gives one that cannot be changed.
    private final Set<String> names;

    Role(String... names) {
      this.preferredName = names[0];
      this.names = Set.of(names);
    }

    /** By exact names: a head_mask or a key_padding_mask wants something else than ones. */
    private static Optional<Role> of(TorchScriptArgument argument) {
      return argument.isTensor()
          ? Arrays.stream(values()).filter(r -> r.names.contains(argument.name())).findFirst()
          : Optional.empty();
    }
  }

  /**
   * One input.
   *
   * @param name the block's name for it
   * @param role what it is for
   */
  public record Input(String name, Role role) {}

  /**
   * Checks the inputs.
   *
   * @param type of every input, {@link DataType#INT64} or {@link DataType#INT32}
   * @param inputs with the token ids among them
   * @throws IllegalArgumentException if the type is another, or no input holds the token ids
   */
  public DjlSignature {
    if (type != DataType.INT64 && type != DataType.INT32) {
      throw new IllegalArgumentException("inputs are INT64 or INT32, got " + type);
    }
    inputs = List.copyOf(inputs);
    if (inputs.stream().noneMatch(input -> input.role() == Role.IDS)) {
      throw new IllegalArgumentException("no input holds the token ids: " + inputs);
    }
  }

  /**
   * A signature of int64 inputs that the block takes by their order.
   *
   * @param roles what they are for, the token ids among them
   * @return the signature
   * @throws IllegalArgumentException if no input holds the token ids
   */
  public static DjlSignature of(Role... roles) {
    return new DjlSignature(
        DataType.INT64,
        Arrays.stream(roles).map(role -> new Input(role.preferredName, role)).toList());
  }

  /**
   * What a TorchScript file takes. Roles are told by the arguments' names; where none is called as
   * token ids are, the first that must be given holds them. From the first optional argument of no
   * role on, the defaults stand.
   *
   * @throws BackendUnavailableException if it takes no token ids, or something else that must be
   *     given
   */
  static DjlSignature of(TorchScriptFile file) {
    return ofArguments(file.path().toString(), file.arguments());
  }

  /**
   * What a block takes whose inputs have names, each of which must be given.
   *
   * @throws BackendUnavailableException if they are not token ids, a mask and positions
   */
  static DjlSignature of(String model, List<String> names) {
    return ofArguments(
        model, names.stream().map(name -> new TorchScriptArgument(name, "Tensor", false)).toList());
  }

  private static DjlSignature ofArguments(String model, List<TorchScriptArgument> arguments) {
    boolean named = arguments.stream().anyMatch(a -> Role.of(a).equals(Optional.of(Role.IDS)));
    Map<Role, Input> inputs = new LinkedHashMap<>();
    for (TorchScriptArgument argument : arguments) {
      Optional<Role> role = Role.of(argument).filter(r -> !inputs.containsKey(r));
      if (role.isEmpty() && argument.optional()) {
        break;
      }
      if (role.isEmpty() && !named && argument.isTensor() && !inputs.containsKey(Role.IDS)) {
        role = Optional.of(Role.IDS);
      }
      Role known =
          role.orElseThrow(
              () ->
                  new BackendUnavailableException(
                      ("%s takes \"%s\" (%s), and llmap gives token ids, a mask and positions alone;"
                              + " convert the model so that it takes input_ids and attention_mask")
                          .formatted(model, argument.name(), argument.type())));
      inputs.put(known, new Input(argument.name(), known));
    }
    if (!inputs.containsKey(Role.IDS)) {
      throw new BackendUnavailableException(
          "%s takes no token ids, but %s; convert the model so that it takes input_ids"
              .formatted(
                  model,
                  arguments.isEmpty()
                      ? "nothing"
                      : arguments.stream()
                          .map(TorchScriptArgument::name)
                          .collect(Collectors.joining(", "))));
    }
    return new DjlSignature(DataType.INT64, List.copyOf(inputs.values()));
  }

  /** The same with inputs of 32 bits. */
  DjlSignature withInt32() {
    return new DjlSignature(DataType.INT32, inputs);
  }

  NDList inputs(NDManager manager, TokenBatch batch) {
    Shape shape = new Shape(batch.sequences(), batch.length());
    NDList list = new NDList();
    for (Input input : inputs) {
      int[] values = values(input.role(), batch);
      NDArray array =
          type == DataType.INT32
              ? manager.create(values, shape)
              : manager.create(Arrays.stream(values).asLongStream().toArray(), shape);
      array.setName(input.name());
      list.add(array);
    }
    return list;
  }

  private static int[] values(Role role, TokenBatch batch) {
    int length = batch.length();
    int[] values = new int[batch.sequences() * length];
    if (role == Role.MASK) {
      Arrays.fill(values, 1);
      return values;
    }
    for (int b = 0; b < batch.sequences(); b++) {
      for (int t = 0; t < length; t++) {
        values[b * length + t] = role == Role.IDS ? batch.id(b, t) : t;
      }
    }
    return values;
  }
}
