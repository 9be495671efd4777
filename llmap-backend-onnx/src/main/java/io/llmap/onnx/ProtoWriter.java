package io.llmap.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Puts together one message in the wire format of Protocol Buffers. */
final class ProtoWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Adds a number. */
  ProtoWriter varint(int number, long value) {
    writeVarint(((long) number << 3) | ProtoFields.VARINT);
    writeVarint(value);
    return this;
  }

  /** Adds a string. */
  ProtoWriter string(int number, String value) {
    return bytes(number, ByteBuffer.wrap(value.getBytes(StandardCharsets.UTF_8)));
  }

  /** Adds a list of one float. */
  ProtoWriter floats(int number, float value) {
    return bytes(
        number, ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, value));
  }

  /** Adds a message. */
  ProtoWriter message(int number, ProtoWriter message) {
    return bytes(number, ByteBuffer.wrap(message.toByteArray()));
  }

  /** Adds the content of a string or a message. */
  ProtoWriter bytes(int number, ByteBuffer content) {
    writeVarint(((long) number << 3) | ProtoFields.LENGTH_DELIMITED);
    writeVarint(content.remaining());
    return field(content);
  }

  /** Adds a field as it is stored. */
  ProtoWriter field(ByteBuffer field) {
    byte[] copy = new byte[field.remaining()];
    field.duplicate().get(copy);
    out.writeBytes(copy);
    return this;
  }

  /** Bytes so far. */
  int size() {
    return out.size();
  }

  byte[] toByteArray() {
    return out.toByteArray();
  }

  private void writeVarint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }
}
