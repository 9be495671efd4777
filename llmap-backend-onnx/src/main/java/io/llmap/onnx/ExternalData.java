package io.llmap.onnx;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Finds the files in which the weights of an ONNX model lie, where they are not in the model.
 *
 * <p>A model of more than 2 GiB, and many a smaller one, keeps its tensors in other files, whose
 * names only the model tells: {@code TensorProto.external_data}, key {@code location}. This reads
 * as much of Protocol Buffers as it takes to get there, by the field numbers of onnx.proto, and
 * skips the rest without reading it.
 */
final class ExternalData {
  /** The messages on the way to a tensor's entries. */
  private enum Message {
    MODEL,
    GRAPH,
    NODE,
    ATTRIBUTE,
    SPARSE_TENSOR,
    TENSOR,
    FUNCTION,
    ENTRY
  }

  /** Field number to the message in that field. */
  private static final Map<Message, Map<Integer, Message>> FIELDS =
      new EnumMap<>(
          Map.of(
              Message.MODEL,
              Map.of(7, Message.GRAPH, 25, Message.FUNCTION),
              Message.GRAPH,
              Map.of(1, Message.NODE, 5, Message.TENSOR, 15, Message.SPARSE_TENSOR),
              Message.NODE,
              Map.of(5, Message.ATTRIBUTE),
              Message.ATTRIBUTE,
              Map.of(
                  5,
                  Message.TENSOR,
                  6,
                  Message.GRAPH,
                  10,
                  Message.TENSOR,
                  11,
                  Message.GRAPH,
                  22,
                  Message.SPARSE_TENSOR,
                  23,
                  Message.SPARSE_TENSOR),
              Message.SPARSE_TENSOR,
              Map.of(1, Message.TENSOR, 2, Message.TENSOR),
              Message.TENSOR,
              Map.of(13, Message.ENTRY),
              Message.FUNCTION,
              Map.of(7, Message.NODE)));

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  /** Names of files are short; a longer string is something else, or the file is damaged. */
  private static final int LONGEST_STRING = 1 << 16;

  private final InputStream in;
  private final SortedSet<String> locations = new TreeSet<>();
  private long position;

  private ExternalData(InputStream in) {
    this.in = in;
  }

  /**
   * The names, relative to the model's folder.
   *
   * @throws IOException if the file cannot be read or is not an ONNX model
   */
  static SortedSet<String> locations(Path model) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(model))) {
      ExternalData data = new ExternalData(in);
      data.read(Message.MODEL, Files.size(model));
      return data.locations;
    }
  }

  private void read(Message message, long end) throws IOException {
    while (position < end) {
      long tag = varint();
      switch ((int) (tag & 7)) {
        case VARINT -> varint();
        case FIXED64 -> skip(Long.BYTES, end);
        case FIXED32 -> skip(Integer.BYTES, end);
        case LENGTH_DELIMITED -> {
          long length = varint();
          Message child = FIELDS.getOrDefault(message, Map.of()).get((int) (tag >>> 3));
          if (child == null) {
            skip(length, end);
          } else if (length < 0 || length > end - position) {
            throw new IOException("not an ONNX model: a field ends behind its message");
          } else if (child == Message.ENTRY) {
            entry(position + length);
          } else {
            read(child, position + length);
          }
        }
        default -> throw new IOException("not an ONNX model: wire type " + (tag & 7));
      }
    }
  }

  /** StringStringEntryProto: key 1, value 2. */
  private void entry(long end) throws IOException {
    String key = "";
    String value = "";
    while (position < end) {
      long tag = varint();
      if ((tag & 7) != LENGTH_DELIMITED) {
        throw new IOException("not an ONNX model: an entry that is no string");
      }
      String string = string(varint());
      if (tag >>> 3 == 1) {
        key = string;
      } else {
        value = string;
      }
    }
    if (key.equals("location")) {
      locations.add(value);
    }
  }

  private String string(long length) throws IOException {
    if (length < 0 || length > LONGEST_STRING) {
      throw new IOException("not an ONNX model: a string of " + length + " bytes");
    }
    byte[] bytes = in.readNBytes((int) length);
    position += bytes.length;
    if (bytes.length < length) {
      throw new EOFException("the file ends inside a string");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private void skip(long bytes, long end) throws IOException {
    if (bytes < 0 || bytes > end - position) {
      throw new IOException("not an ONNX model: a field ends behind its message");
    }
    in.skipNBytes(bytes);
    position += bytes;
  }

  private long varint() throws IOException {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      int b = in.read();
      if (b < 0) {
        throw new EOFException("the file ends inside a number");
      }
      position++;
      value |= (b & 0x7fL) << shift;
      if (b < 0x80) {
        return value;
      }
    }
    throw new IOException("not an ONNX model: a number of more than 64 bits");
  }
}
