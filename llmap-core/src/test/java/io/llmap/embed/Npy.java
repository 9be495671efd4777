package io.llmap.embed;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Little-endian float64 arrays in numpy's format 1.0, from this package's test resources. */
final class Npy {
  private static final Pattern SHAPE =
      Pattern.compile("'descr': '<f8', 'fortran_order': False, 'shape': \\((\\d+),(?: (\\d+))?\\)");

  private Npy() {}

  static double[] vector(String name) {
    return Arrays.stream(matrix(name)).flatMapToDouble(Arrays::stream).toArray();
  }

  /** A vector comes as one column. */
  static double[][] matrix(String name) {
    try (InputStream in = Npy.class.getResourceAsStream(name)) {
      ByteBuffer buffer = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
      int length = buffer.getShort(8);
      String header = new String(buffer.array(), 10, length, StandardCharsets.US_ASCII);
      Matcher shape = SHAPE.matcher(header);
      if (!shape.find()) {
        throw new IllegalArgumentException(name + " is not what this reads: " + header);
      }
      int rows = Integer.parseInt(shape.group(1));
      int columns = shape.group(2) == null ? 1 : Integer.parseInt(shape.group(2));
      double[][] values = new double[rows][columns];
      buffer.position(10 + length);
      for (double[] row : values) {
        buffer.asDoubleBuffer().get(row);
        buffer.position(buffer.position() + 8 * columns);
      }
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
