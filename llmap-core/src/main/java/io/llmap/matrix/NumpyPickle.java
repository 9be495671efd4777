package io.llmap.matrix;

import io.llmap.LlmapException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.razorvine.pickle.IObjectConstructor;
import net.razorvine.pickle.Opcodes;
import net.razorvine.pickle.PickleUtils;
import net.razorvine.pickle.Unpickler;

/**
 * A pickled dictionary from names to one-dimensional arrays of numbers, as numpy 1 and 2 write it
 * with the protocols 2 to 5.
 *
 * <p>A pickle is a program. This reader knows the instructions that such a dictionary needs and the
 * constructors in {@link #constructor}, which are this class's own: nothing that a file names is
 * looked up or called. Any other instruction or name ends the reading. Memory is bounded by the
 * file: lengths are compared with what is left of it before anything is allocated, and what it
 * refers to many times is counted as often.
 */
final class NumpyPickle extends Unpickler {
  /**
   * An instruction of one byte may take fifty of memory; a dictionary has about thirty a model, so
   * these are enough for 60,000.
   */
  private static final int MOST_INSTRUCTIONS = 2_000_000;

  /** Instructions that make values, and are left to the library. */
  private static final Set<Short> PLAIN =
      Set.of(
          Opcodes.FRAME,
          Opcodes.MARK,
          Opcodes.STOP,
          Opcodes.MEMOIZE,
          Opcodes.BINPUT,
          Opcodes.LONG_BINPUT,
          Opcodes.BINGET,
          Opcodes.LONG_BINGET,
          Opcodes.NONE,
          Opcodes.NEWTRUE,
          Opcodes.NEWFALSE,
          Opcodes.BININT,
          Opcodes.BININT1,
          Opcodes.BININT2,
          Opcodes.LONG1,
          Opcodes.EMPTY_TUPLE,
          Opcodes.TUPLE,
          Opcodes.TUPLE1,
          Opcodes.TUPLE2,
          Opcodes.TUPLE3,
          Opcodes.SHORT_BINUNICODE,
          Opcodes.SHORT_BINBYTES);

  /** Those that begin with a length of four bytes. */
  private static final Set<Short> WITH_LENGTH = Set.of(Opcodes.BINUNICODE, Opcodes.BINBYTES);

  /** Those that begin with a length of eight bytes. */
  private static final Set<Short> WITH_LONG_LENGTH =
      Set.of(Opcodes.BINUNICODE8, Opcodes.BINBYTES8, Opcodes.BYTEARRAY8);

  private final ByteArrayInputStream content;
  private final int size;
  private int instructions;
  private long encoded;

  private NumpyPickle(ByteArrayInputStream content) {
    this.content = content;
    size = content.available();
  }

  /**
   * Reads a file.
   *
   * @return the arrays in the order of the file
   */
  static Map<String, double[]> read(Path path) throws IOException {
    if (Files.size(path) > Integer.MAX_VALUE - 8) {
      throw new LlmapException(
          path + " is larger than 2 GiB, the most that is read of a pickle; save it as .npz");
    }
    return read(path, Files.readAllBytes(path));
  }

  /** Reads the bytes of a file, which is named in errors. */
  static Map<String, double[]> read(Path path, byte[] bytes) {
    if (bytes.length < 2 || (bytes[0] & 0xFF) != Opcodes.PROTO || bytes[1] < 2 || bytes[1] > 5) {
      throw new LlmapException(
          path + " is no pickle of protocol 2 to 5: it does not start with 0x80 and such a number");
    }
    try {
      return new NumpyPickle(new ByteArrayInputStream(bytes, 2, bytes.length - 2)).arrays();
    } catch (RuntimeException | IOException e) {
      // The library meets a damaged file with whatever its stack and its casts throw.
      throw new LlmapException(
          path
              + " is no pickled dictionary of names and one-dimensional arrays of numbers: "
              + (e instanceof IllegalArgumentException ? e.getMessage() : "it is damaged"),
          e);
    }
  }

  private Map<String, double[]> arrays() throws IOException {
    if (!(load(content) instanceof Map<?, ?> dictionary)) {
      throw new IllegalArgumentException("it holds no dictionary");
    }
    if (content.available() > 0) {
      throw new IllegalArgumentException(content.available() + " bytes stand behind its end");
    }
    Map<String, double[]> arrays = new LinkedHashMap<>();
    long total = 0;
    for (Map.Entry<?, ?> entry : dictionary.entrySet()) {
      String name = (String) entry.getKey();
      if (!(entry.getValue() instanceof PickledArray array)) {
        throw new IllegalArgumentException("the value of \"" + name + "\" is no array");
      }
      // A few bytes may refer to a large array many times.
      total += array.bytes();
      if (total > size) {
        throw new IllegalArgumentException("its arrays are larger than the file");
      }
      try {
        arrays.put(name, array.numbers());
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("the array of \"" + name + "\" " + e.getMessage(), e);
      }
    }
    return arrays;
  }

  @Override
  protected Object dispatch(short instruction) throws IOException {
    if (++instructions > MOST_INSTRUCTIONS) {
      throw new IllegalArgumentException("it has more than " + MOST_INSTRUCTIONS + " instructions");
    }
    if (WITH_LENGTH.contains(instruction)) {
      requireLeft(4);
    } else if (WITH_LONG_LENGTH.contains(instruction)) {
      requireLeft(8);
    } else if (!PLAIN.contains(instruction)) {
      execute(instruction);
      return NO_RETURN_VALUE;
    }
    return super.dispatch(instruction);
  }

  private void execute(short instruction) throws IOException {
    switch (instruction) {
      case Opcodes.EMPTY_DICT -> stack.add(new LinkedHashMap<String, Object>());
      case Opcodes.SETITEM -> {
        Object value = stack.pop();
        put(Arrays.asList(stack.pop(), value));
      }
      case Opcodes.SETITEMS -> put(stack.pop_all_since_marker());
      case Opcodes.GLOBAL -> {
        String module = PickleUtils.readline(content);
        stack.add(constructor(module, PickleUtils.readline(content)));
      }
      case Opcodes.STACK_GLOBAL -> {
        String name = (String) stack.pop();
        stack.add(constructor((String) stack.pop(), name));
      }
      case Opcodes.REDUCE -> {
        Object[] arguments = (Object[]) stack.pop();
        stack.add(((IObjectConstructor) stack.pop()).construct(arguments));
      }
      case Opcodes.BUILD -> {
        Object[] state = (Object[]) stack.pop();
        ((Stateful) stack.peek()).setState(state);
      }
      default ->
          throw new IllegalArgumentException(
              "it has the pickle instruction 0x%02x, which no such dictionary needs"
                  .formatted(instruction));
    }
  }

  /** The library allocates what a length says before it looks whether the bytes are there. */
  private void requireLeft(int lengthBytes) throws IOException {
    content.mark(lengthBytes);
    byte[] field = Arrays.copyOf(PickleUtils.readbytes(content, lengthBytes), Long.BYTES);
    long length = PickleUtils.bytes_to_long(field, 0);
    if (length < 0 || length > content.available()) {
      throw new IllegalArgumentException(
          "a value of %s bytes begins %d bytes before its end"
              .formatted(Long.toUnsignedString(length), content.available()));
    }
    content.reset();
  }

  /** The library's own way goes through a map without order. */
  private void put(List<Object> keysAndValues) {
    @SuppressWarnings("unchecked") // Only EMPTY_DICT makes maps.
    Map<String, Object> dictionary = (Map<String, Object>) stack.peek();
    for (int at = 0; at < keysAndValues.size(); at += 2) {
      if (!(keysAndValues.get(at) instanceof String name)) {
        throw new IllegalArgumentException("a key of the dictionary is no string");
      }
      dictionary.put(name, keysAndValues.get(at + 1));
    }
  }

  private IObjectConstructor constructor(String module, String name) {
    String global = module + "." + name;
    return switch (global) {
      case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct" ->
          arguments -> new PickledArray();
      case "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer" ->
          arguments ->
              new PickledArray()
                  .with((byte[]) arguments[0], (PickledType) arguments[1], arguments[2]);
      case "numpy.dtype" -> NumpyPickle::type;
      case "_codecs.encode" -> this::encode;
      // An argument of _reconstruct, and never called.
      case "numpy.ndarray" ->
          arguments -> {
            throw new IllegalArgumentException("it calls numpy.ndarray");
          };
      default ->
          throw new IllegalArgumentException(
              "it refers to %s, which is not followed because it may run code; save arrays as .npz"
                  .formatted(global.substring(0, Math.min(100, global.length()))));
    };
  }

  private static PickledType type(Object[] arguments) {
    try {
      return new PickledType(NumpyNumber.of((String) arguments[0]));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("an array " + e.getMessage(), e);
    }
  }

  /** How protocol 2 writes bytes. */
  private byte[] encode(Object[] arguments) {
    String text = (String) arguments[0];
    encoded += text.length();
    if (!arguments[1].equals("latin1") || text.chars().anyMatch(c -> c > 0xFF) || encoded > size) {
      throw new IllegalArgumentException(
          "it encodes %d characters as %s".formatted(encoded, arguments[1]));
    }
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** What the instruction BUILD completes. */
  private interface Stateful {
    void setState(Object[] state);
  }

  /** numpy.dtype. */
  private static final class PickledType implements Stateful {
    private final NumpyNumber number;
    private ByteOrder order = ByteOrder.LITTLE_ENDIAN;

    PickledType(NumpyNumber number) {
      this.number = number;
    }

    /** The second of eight parts is the byte order; the others describe types of other kinds. */
    @Override
    public void setState(Object[] state) {
      order =
          switch ((String) state[1]) {
            case "<" -> ByteOrder.LITTLE_ENDIAN;
            case ">" -> ByteOrder.BIG_ENDIAN;
            default -> throw new IllegalArgumentException("a type has the order " + state[1]);
          };
    }
  }

  /** numpy.ndarray. */
  private static final class PickledArray implements Stateful {
    private byte[] data = {};
    private Object[] shape = {};
    private PickledType type = new PickledType(NumpyNumber.F8);

    PickledArray with(byte[] itsData, PickledType itsType, Object itsShape) {
      data = itsData;
      type = itsType;
      shape = (Object[]) itsShape;
      return this;
    }

    /** Version, shape, type, whether in Fortran order, and data. */
    @Override
    public void setState(Object[] state) {
      with((byte[]) state[4], (PickledType) state[2], state[1]);
    }

    int bytes() {
      return data.length;
    }

    double[] numbers() {
      if (shape.length != 1) {
        throw new IllegalArgumentException("has " + shape.length + " dimensions, not 1");
      }
      long length = ((Number) shape[0]).longValue();
      if (Math.multiplyExact(length, (long) type.number.bytes()) != data.length) {
        throw new IllegalArgumentException(
            "has %d bytes of data, but %d numbers of %d bytes"
                .formatted(data.length, length, type.number.bytes()));
      }
      ByteBuffer buffer = ByteBuffer.wrap(data).order(type.order);
      double[] numbers = new double[(int) length];
      Arrays.setAll(numbers, n -> type.number.read(buffer));
      return numbers;
    }
  }
}
