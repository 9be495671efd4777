package io.llmap.matrix;

import java.nio.ByteBuffer;

/** The element types of numpy's arrays that are read as numbers, widened without loss. */
enum NumpyNumber {
  F2,
  F4,
  F8,
  I4,
  I8;

  static final String ALL = "f2, f4, f8, i4 and i8 are read";

  /**
   * Finds a type by numpy's code.
   *
   * @throws IllegalArgumentException if it is none of these
   */
  static NumpyNumber of(String code) {
    for (NumpyNumber type : values()) {
      if (type.code().equals(code)) {
        return type;
      }
    }
    throw new IllegalArgumentException("has elements of type " + code + "; " + ALL);
  }

  private String code() {
    return (this == I4 || this == I8 ? "i" : "f") + bytes();
  }

  int bytes() {
    return name().charAt(1) - '0';
  }

  /**
   * Reads an element in the order of the buffer.
   *
   * @throws IllegalArgumentException if it is an integer that no double holds
   */
  double read(ByteBuffer data) {
    return switch (this) {
      case F2 -> half(data.getShort());
      case F4 -> data.getFloat();
      case F8 -> data.getDouble();
      case I4 -> data.getInt();
      case I8 -> exact(data.getLong());
    };
  }

  private static double half(short bits) {
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    double size =
        switch (exponent) {
          case 0 -> fraction * 0x1p-24;
          case 31 -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          default -> Math.scalb(0x400 + (double) fraction, exponent - 25);
        };
    return bits < 0 ? -size : size;
  }

  private static double exact(long value) {
    if ((long) (double) value != value || value == Long.MAX_VALUE) {
      throw new IllegalArgumentException(
          "has the integer " + value + ", which no double holds exactly");
    }
    return value;
  }
}
