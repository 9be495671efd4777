package io.llmap.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Goes through the fields of one message in the wire format of Protocol Buffers, without a schema
 * and without a copy.
 */
final class ProtoFields {
  static final int VARINT = 0;
  static final int LENGTH_DELIMITED = 2;
  private static final int FIXED64 = 1;
  private static final int FIXED32 = 5;

  private final ByteBuffer in;
  private int start;
  private int number;
  private long value;
  private int contentStart;

  /**
   * At the start of a message.
   *
   * @param message the content, from its position to its limit; not changed
   */
  ProtoFields(ByteBuffer message) {
    this.in = message.duplicate();
  }

  /** One string of a message; empty where it has none in the field. */
  static String string(ByteBuffer message, int number) throws IOException {
    ProtoFields fields = new ProtoFields(message);
    while (fields.next()) {
      if (fields.number == number) {
        return fields.string();
      }
    }
    return "";
  }

  /**
   * Moves to the next field.
   *
   * @return false at the end of the message
   * @throws IOException if what follows is no field
   */
  boolean next() throws IOException {
    if (!in.hasRemaining()) {
      return false;
    }
    start = in.position();
    long tag = readVarint();
    number = (int) (tag >>> 3);
    int wireType = (int) (tag & 7);
    contentStart = in.position();
    switch (wireType) {
      case VARINT -> value = readVarint();
      case FIXED64 -> skip(Long.BYTES);
      case FIXED32 -> skip(Integer.BYTES);
      case LENGTH_DELIMITED -> {
        long length = readVarint();
        contentStart = in.position();
        skip(length);
      }
      default -> throw new IOException("not an ONNX model: wire type " + wireType);
    }
    return true;
  }

  /** The field's number in onnx.proto. */
  int number() {
    return number;
  }

  /** The value of a field that is a {@link #VARINT}. */
  long value() {
    return value;
  }

  /** The content of a field that is {@link #LENGTH_DELIMITED}. */
  ByteBuffer content() {
    return in.duplicate().position(contentStart).limit(in.position());
  }

  /** The content of a field that is a string. */
  String string() {
    return StandardCharsets.UTF_8.decode(content()).toString();
  }

  /** The field as it is stored, with its number. */
  ByteBuffer field() {
    return in.duplicate().position(start).limit(in.position());
  }

  private void skip(long bytes) throws IOException {
    if (bytes < 0 || bytes > in.remaining()) {
      throw new IOException("not an ONNX model: a field ends behind its message");
    }
    in.position(in.position() + (int) bytes);
  }

  private long readVarint() throws IOException {
    long read = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      if (!in.hasRemaining()) {
        throw new IOException("not an ONNX model: it ends inside a number");
      }
      int b = in.get();
      read |= (b & 0x7fL) << shift;
      if (b >= 0) {
        return read;
      }
    }
    throw new IOException("not an ONNX model: a number of more than 64 bits");
  }
}
