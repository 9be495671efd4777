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
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Finds the files in which the weights of an ONNX model lie, where they are not in the model.
 *
 * <p>A model of more than 2 GiB, and many a smaller one, keeps its tensors in other files, whose
 * names only the model tells: {@code TensorProto.external_data}, keys {@code location}, {@code
 * offset} and {@code length}. This reads as much of Protocol Buffers as it takes to get there, by
 * the field numbers of onnx.proto, and skips the rest without reading it.
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
  private final SortedMap<String, Long> files = new TreeMap<>();

  /** The entries of the tensor that is being read; tensors hold no tensors. */
  private final Map<String, String> entries = new TreeMap<>();

  private boolean graph;
  private long position;

  private ExternalData(InputStream in) {
    this.in = in;
  }

  /**
   * Finds the files.
   *
   * @return their names, relative to the model's folder, and how many bytes each must have at least
   * @throws IOException if the file cannot be read or is not an ONNX model
   */
  static SortedMap<String, Long> files(Path model) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(model))) {
      ExternalData data = new ExternalData(in);
      data.read(Message.MODEL, Files.size(model));
      if (!data.graph) {
        throw new IOException("not an ONNX model: it holds no graph");
      }
      return data.files;
    }
  }

  private void read(Message message, long end) throws IOException {
    while (position < end) {
      long tag = varint();
      switch ((int) (tag & 7)) {
        case VARINT -> varint();
        case FIXED64 -> skip(Long.BYTES, message, end);
        case FIXED32 -> skip(Integer.BYTES, message, end);
        case LENGTH_DELIMITED -> {
          long length = varint();
          checkInside(length, message, end);
          Message child = FIELDS.getOrDefault(message, Map.of()).get((int) (tag >>> 3));
          if (child == null) {
            skip(length, message, end);
          } else if (child == Message.ENTRY) {
            entry(position + length);
          } else {
            graph |= child == Message.GRAPH;
            read(child, position + length);
            if (child == Message.TENSOR) {
              endTensor();
            }
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
    entries.put(key, value);
  }

  private void endTensor() throws IOException {
    String location = entries.get("location");
    if (location != null) {
      files.merge(location, number("offset") + number("length"), Math::max);
    }
    entries.clear();
  }

  private long number(String key) throws IOException {
    String value = entries.getOrDefault(key, "0");
    if (!value.matches("\\d{1,18}")) {
      throw new IOException(
          "the weights in %s have the %s \"%s\"".formatted(entries.get("location"), key, value));
    }
    return Long.parseLong(value);
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

  private void skip(long bytes, Message message, long end) throws IOException {
    checkInside(bytes, message, end);
    in.skipNBytes(bytes);
    position += bytes;
  }

  private void checkInside(long bytes, Message message, long end) throws IOException {
    if (bytes >= 0 && bytes <= end - position) {
      return;
    }
    throw new IOException(
        message == Message.MODEL && bytes > 0
            ? "it was cut, or is no ONNX model: it has %d bytes, and a part of %d bytes starts at %d"
                .formatted(end, bytes, position)
            : "not an ONNX model: a field ends behind its message");
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
