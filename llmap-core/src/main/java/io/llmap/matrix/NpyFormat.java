package io.llmap.matrix;

import io.llmap.LlmapException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * numpy's array file, version 1, 2 and 3 (numpy.lib.format).
 *
 * <p>Read: numbers of the types f2, f4, f8, i4 and i8, truth values of the type b1 and strings of
 * the type U, little- or big-endian, C or Fortran order. Written: version 1, little-endian, C
 * order. Pickled objects are never read: they run code.
 */
final class NpyFormat {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([<>=|]?)(\\w)(\\d*)'");
  private static final Pattern DESCR_ANY = Pattern.compile("'descr'\\s*:\\s*(.*)");
  private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([\\d,\\sL]*)\\)");
  private static final int LONGEST_HEADER = 1 << 20;
  private static final int CHUNK = 1 << 16;

  private final InputStream in;
  private final String where;
  private final ByteOrder order;
  private final String type;
  private final int itemBytes;
  private final boolean fortran;
  private final int[] shape;
  private ByteBuffer chunk = ByteBuffer.allocate(0);
  private long unread;

  /** Reads the header. */
  private NpyFormat(InputStream in, long bytes, String where) throws IOException {
    this.in = in;
    this.where = where;
    byte[] start = in.readNBytes(8);
    if (start.length < 8 || !ByteBuffer.wrap(start, 0, 6).equals(ByteBuffer.wrap(MAGIC))) {
      throw malformed("is not a .npy file: it does not start with \\x93NUMPY");
    }
    int version = start[6];
    if (version < 1 || version > 3) {
      throw malformed("has the .npy version " + version + "; 1, 2 and 3 are known");
    }
    byte[] lengthField = in.readNBytes(version == 1 ? 2 : 4);
    ByteBuffer little = ByteBuffer.wrap(lengthField).order(ByteOrder.LITTLE_ENDIAN);
    if (lengthField.length < (version == 1 ? 2 : 4)) {
      throw malformed("ends in its header");
    }
    long headerLength = version == 1 ? little.getShort() & 0xFFFF : little.getInt() & 0xFFFFFFFFL;
    if (headerLength > LONGEST_HEADER) {
      throw malformed("has a header of " + headerLength + " bytes");
    }
    byte[] headerBytes = in.readNBytes((int) headerLength);
    if (headerBytes.length < headerLength) {
      throw malformed("ends in its header");
    }
    String header =
        new String(
            headerBytes, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
    Matcher descr = DESCR.matcher(header);
    if (!descr.find()) {
      Matcher any = DESCR_ANY.matcher(header);
      throw malformed(
          "has an element type that is not a plain one: "
              + (any.find() ? any.group(1) : header).strip());
    }
    if (descr.group(2).equals("O")) {
      throw malformed(
          "holds pickled Python objects, which run code when they are read; save numbers or strings");
    }
    order = descr.group(1).equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    type = descr.group(2) + descr.group(3);
    long size = descr.group(3).isEmpty() ? 1 : Long.parseLong(descr.group(3));
    itemBytes = Math.toIntExact(type.startsWith("U") ? 4 * size : size);
    Matcher fortranOrder = ORDER.matcher(header);
    Matcher dimensions = SHAPE.matcher(header);
    if (!fortranOrder.find() || !dimensions.find()) {
      throw malformed("has a header without fortran_order or shape: " + header.strip());
    }
    fortran = fortranOrder.group(1).equals("True");
    shape = parseShape(dimensions.group(1));
    long items = 1;
    for (int dimension : shape) {
      items = Math.multiplyExact(items, dimension);
    }
    unread = Math.multiplyExact(items, itemBytes);
    long present = bytes - 8 - lengthField.length - headerLength;
    if (present != unread) {
      throw malformed(
          "has %d bytes of data, but an array of shape (%s) and type %s has %d"
              .formatted(present, dimensions.group(1).strip(), type, unread));
    }
  }

  private int[] parseShape(String tuple) {
    List<Integer> dimensions = new ArrayList<>();
    for (String dimension : tuple.replace("L", "").split(",", -1)) {
      if (!dimension.isBlank()) {
        dimensions.add(Integer.parseInt(dimension.strip()));
      }
    }
    return dimensions.stream().mapToInt(Integer::intValue).toArray();
  }

  private static NpyFormat open(InputStream in, long bytes, String where) throws IOException {
    try {
      return new NpyFormat(in, bytes, where);
    } catch (ArithmeticException | NumberFormatException e) {
      throw new LlmapException(where + " has a shape or an element that is too large", e);
    }
  }

  private LlmapException malformed(@Nullable String problem) {
    return new LlmapException(where + " " + problem);
  }

  /**
   * Reads numbers in two dimensions.
   *
   * @param in stands at the start of the array file
   * @param bytes the length of the array file
   * @param where names it in errors
   */
  static double[][] readMatrix(InputStream in, long bytes, String where) throws IOException {
    NpyFormat file = open(in, bytes, where);
    file.requireDimensions(2);
    NumpyNumber type = file.numbers();
    double[][] values = new double[file.shape[0]][file.shape[1]];
    file.forEach((r, c) -> values[r][c] = file.nextNumber(type));
    return values;
  }

  /** Reads truth values in two dimensions. */
  static boolean[][] readFlags(InputStream in, long bytes, String where) throws IOException {
    NpyFormat file = open(in, bytes, where);
    file.requireDimensions(2);
    if (!file.type.equals("b1")) {
      throw file.malformed("has elements of type " + file.type + ", not truth values (b1)");
    }
    boolean[][] flags = new boolean[file.shape[0]][file.shape[1]];
    file.forEach((r, c) -> flags[r][c] = file.chunkWithItem().get() != 0);
    return flags;
  }

  private interface Cell {
    void read(int row, int column) throws IOException;
  }

  /** Visits the cells in the order in which they stand in the file. */
  private void forEach(Cell cell) throws IOException {
    int outer = fortran ? shape[1] : shape[0];
    int inner = fortran ? shape[0] : shape[1];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        if (fortran) {
          cell.read(i, o);
        } else {
          cell.read(o, i);
        }
      }
    }
  }

  static double[] readVector(InputStream in, long bytes, String where) throws IOException {
    NpyFormat file = open(in, bytes, where);
    file.requireDimensions(1);
    NumpyNumber type = file.numbers();
    double[] values = new double[file.shape[0]];
    for (int n = 0; n < values.length; n++) {
      values[n] = file.nextNumber(type);
    }
    return values;
  }

  /** Reads single-precision numbers in two dimensions, in C order only, without widening them. */
  static float[][] readFloats(InputStream in, long bytes, String where) throws IOException {
    NpyFormat file = open(in, bytes, where);
    file.requireDimensions(2);
    if (!file.type.equals("f4") || file.fortran) {
      throw file.malformed(
          "has elements of type %s in %s order; f4 in C order is read"
              .formatted(file.type, file.fortran ? "Fortran" : "C"));
    }
    float[][] values = new float[file.shape[0]][file.shape[1]];
    for (float[] row : values) {
      for (int c = 0; c < row.length; c++) {
        row[c] = file.chunkWithItem().getFloat();
      }
    }
    return values;
  }

  static List<String> readStrings(InputStream in, long bytes, String where) throws IOException {
    NpyFormat file = open(in, bytes, where);
    file.requireDimensions(1);
    if (!file.type.startsWith("U")) {
      throw file.malformed("has elements of type " + file.type + ", not strings (U)");
    }
    List<String> strings = new ArrayList<>();
    for (int n = 0; n < file.shape[0]; n++) {
      strings.add(file.nextString());
    }
    return strings;
  }

  private void requireDimensions(int wanted) {
    if (shape.length != wanted) {
      throw malformed("has " + shape.length + " dimensions, not " + wanted);
    }
  }

  private NumpyNumber numbers() {
    try {
      return NumpyNumber.of(type);
    } catch (IllegalArgumentException e) {
      throw malformed(e.getMessage());
    }
  }

  private double nextNumber(NumpyNumber number) throws IOException {
    try {
      return number.read(chunkWithItem());
    } catch (IllegalArgumentException e) {
      throw malformed(e.getMessage());
    }
  }

  private String nextString() throws IOException {
    StringBuilder string = new StringBuilder();
    if (itemBytes > 0) {
      ByteBuffer data = chunkWithItem();
      int length = 0;
      for (int c = 0; c < itemBytes / 4; c++) {
        int codePoint = data.getInt();
        if (!Character.isValidCodePoint(codePoint)) {
          throw malformed("has the character " + codePoint + ", which is not Unicode");
        }
        string.appendCodePoint(codePoint);
        // Strings are padded with NUL, so NULs at the end are not part of one.
        length = codePoint == 0 ? length : string.length();
      }
      string.setLength(length);
    }
    return string.toString();
  }

  private ByteBuffer chunkWithItem() throws IOException {
    if (!chunk.hasRemaining()) {
      int items = Math.max(1, CHUNK / itemBytes);
      int wanted = (int) Math.min(unread, Math.multiplyExact((long) items, itemBytes));
      byte[] bytes = in.readNBytes(wanted);
      if (bytes.length < wanted) {
        throw malformed("ends before its data does");
      }
      unread -= wanted;
      chunk = ByteBuffer.wrap(bytes).order(order);
    }
    return chunk;
  }

  static void write(OutputStream out, double[][] rows) throws IOException {
    int columns = rows.length == 0 ? 0 : rows[0].length;
    writeHeader(out, "<f8", rows.length + ", " + columns);
    for (double[] row : rows) {
      writeItems(out, columns, Double.BYTES, (data, n) -> data.putDouble(row[n]));
    }
  }

  static void write(OutputStream out, boolean[][] flags) throws IOException {
    writeHeader(out, "|b1", flags.length + ", " + flags[0].length);
    for (boolean[] row : flags) {
      writeItems(out, row.length, 1, (data, n) -> data.put((byte) (row[n] ? 1 : 0)));
    }
  }

  static void write(OutputStream out, float[][] rows) throws IOException {
    int columns = rows.length == 0 ? 0 : rows[0].length;
    writeHeader(out, "<f4", rows.length + ", " + columns);
    for (float[] row : rows) {
      writeItems(out, columns, Float.BYTES, (data, n) -> data.putFloat(row[n]));
    }
  }

  static void write(OutputStream out, int[] values) throws IOException {
    writeHeader(out, "<i8", values.length + ",");
    writeItems(out, values.length, Long.BYTES, (data, n) -> data.putLong(values[n]));
  }

  static void write(OutputStream out, List<String> strings) throws IOException {
    int longest =
        Math.max(
            1, strings.stream().mapToInt(s -> s.codePointCount(0, s.length())).max().orElse(1));
    for (String s : strings) {
      if (s.endsWith("\0") || s.codePoints().anyMatch(NpyFormat::isSurrogate)) {
        throw new IllegalArgumentException(
            "numpy cannot hold the string \"" + s + "\": it ends with NUL or has a lone surrogate");
      }
    }
    writeHeader(out, "<U" + longest, strings.size() + ",");
    writeItems(
        out,
        strings.size(),
        4 * longest,
        (data, n) -> {
          int end = data.position() + 4 * longest;
          strings.get(n).codePoints().forEach((IntConsumer) data::putInt);
          while (data.position() < end) {
            data.putInt(0);
          }
        });
  }

  private static boolean isSurrogate(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }

  private static void writeHeader(OutputStream out, String descr, String shape) throws IOException {
    String header =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }".formatted(descr, shape);
    int prefix = MAGIC.length + 4;
    // The data starts at a multiple of 64, behind a newline.
    int padding = Math.floorMod(-(prefix + header.length() + 1), 64);
    byte[] text = (header + " ".repeat(padding) + "\n").getBytes(StandardCharsets.US_ASCII);
    ByteBuffer start = ByteBuffer.allocate(prefix).order(ByteOrder.LITTLE_ENDIAN);
    start.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) text.length);
    out.write(start.array());
    out.write(text);
  }

  private interface Item {
    void put(ByteBuffer data, int n);
  }

  private static void writeItems(OutputStream out, int items, int itemBytes, Item item)
      throws IOException {
    int perChunk = Math.max(1, CHUNK / itemBytes);
    ByteBuffer data =
        ByteBuffer.allocate(Math.multiplyExact(Math.min(perChunk, Math.max(1, items)), itemBytes))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int n = 0; n < items; n++) {
      item.put(data, n);
      if (!data.hasRemaining() || n == items - 1) {
        out.write(data.array(), 0, data.position());
        data.clear();
      }
    }
  }
}
