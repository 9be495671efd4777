package io.llmap.matrix;

import io.llmap.LlmapException;
import io.llmap.internal.AtomicFile;
import io.llmap.internal.FileErrors;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Named arrays in numpy's archive, {@code .npz}: what {@code numpy.load} reads and {@code
 * numpy.savez} or {@code savez_compressed} writes.
 *
 * <p>An open archive is read by one thread at a time.
 */
public final class NumpyArchive implements AutoCloseable {
  // Zip entries carry a time; a fixed one makes equal arrays equal files.
  private static final LocalDateTime ZIP_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private final Path path;
  private final ZipFile zip;

  private NumpyArchive(Path path, ZipFile zip) {
    this.path = path;
    this.zip = zip;
  }

  /**
   * Opens an archive.
   *
   * @param path the file
   * @return the archive, to be closed
   * @throws LlmapException if it cannot be read or is not an archive
   */
  public static NumpyArchive open(Path path) {
    try {
      return new NumpyArchive(path, new ZipFile(path.toFile()));
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
  }

  /**
   * Reads a two-dimensional array of single-precision numbers, in C order.
   *
   * @param name the array's name
   * @return its rows, to the same bits
   * @throws LlmapException if there is no such array, it is damaged, or of another shape, order or
   *     type
   */
  public float[][] floats(String name) {
    return array(name, NpyFormat::readFloats);
  }

  /**
   * Reads a one-dimensional array of whole numbers.
   *
   * @param name the array's name
   * @return its values
   * @throws LlmapException if there is no such array, it is damaged or of another shape or type, or
   *     a value is no int
   */
  public int[] integers(String name) {
    double[] numbers = array(name, NpyFormat::readVector);
    int[] integers = new int[numbers.length];
    for (int n = 0; n < integers.length; n++) {
      integers[n] = (int) numbers[n];
      if (integers[n] != numbers[n]) {
        throw new LlmapException(
            "%s: element %d of \"%s\" is %s".formatted(path, n, name, numbers[n]));
      }
    }
    return integers;
  }

  /**
   * Reads a one-dimensional array of strings.
   *
   * @param name the array's name
   * @return its values
   * @throws LlmapException if there is no such array, it is damaged or of another shape or type
   */
  public List<String> strings(String name) {
    return array(name, NpyFormat::readStrings);
  }

  boolean has(String name) {
    return zip.getEntry(name + ".npy") != null;
  }

  interface NpyReader<T> {
    T read(InputStream in, long bytes, String where) throws IOException;
  }

  <T> T array(String name, NpyReader<T> reader) {
    ZipEntry entry = zip.getEntry(name + ".npy");
    if (entry == null) {
      throw new LlmapException(
          "%s has no array \"%s\"; it has %s"
              .formatted(
                  path,
                  name,
                  zip.stream().map(ZipEntry::getName).collect(Collectors.joining(", "))));
    }
    CRC32 crc = new CRC32();
    try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), crc)) {
      T value = reader.read(in, entry.getSize(), path + ", array \"" + name + "\",");
      if (crc.getValue() != entry.getCrc()) {
        throw new LlmapException(path + " is damaged: the checksum of \"" + name + "\" differs");
      }
      return value;
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
  }

  @Override
  public void close() {
    try {
      zip.close();
    } catch (IOException e) {
      throw FileErrors.cannot("close", path, e);
    }
  }

  /**
   * Arrays to write, in the order in which they are put. They are not copied before they are
   * written. Not safe for use by several threads.
   */
  public static final class Writer {
    private final Map<String, AtomicFile.Content> arrays = new LinkedHashMap<>();

    /** Starts without an array. */
    public Writer() {}

    /**
     * Adds a two-dimensional float32 array.
     *
     * @param name not put before
     * @param rows of equal length
     * @return this
     */
    public Writer put(String name, float[][] rows) {
      return add(name, out -> NpyFormat.write(out, rows));
    }

    /**
     * Adds a one-dimensional int64 array.
     *
     * @param name not put before
     * @param values the values
     * @return this
     */
    public Writer put(String name, int[] values) {
      return add(name, out -> NpyFormat.write(out, values));
    }

    /**
     * Adds a one-dimensional array of strings.
     *
     * @param name not put before
     * @param values none ends with NUL or holds a lone surrogate, which numpy has no form for
     * @return this
     */
    public Writer put(String name, List<String> values) {
      return add(name, out -> NpyFormat.write(out, values));
    }

    Writer put(String name, double[][] rows) {
      return add(name, out -> NpyFormat.write(out, rows));
    }

    Writer put(String name, boolean[][] flags) {
      return add(name, out -> NpyFormat.write(out, flags));
    }

    private Writer add(String name, AtomicFile.Content content) {
      if (arrays.putIfAbsent(name, content) != null) {
        throw new IllegalArgumentException("there are two arrays named \"" + name + "\"");
      }
      return this;
    }

    /**
     * Writes all arrays. The file appears complete or not at all, and the same arrays give the same
     * bytes.
     *
     * @param path the file to create or replace
     * @throws IllegalArgumentException if a string has no form in numpy
     * @throws LlmapException if the file cannot be written
     */
    public void write(Path path) {
      AtomicFile.write(
          path,
          out -> {
            try (ZipOutputStream archive = new ZipOutputStream(out)) {
              for (Map.Entry<String, AtomicFile.Content> array : arrays.entrySet()) {
                writeEntry(archive, array.getKey(), array.getValue());
              }
            }
          });
    }

    private static void writeEntry(ZipOutputStream zip, String name, AtomicFile.Content content)
        throws IOException {
      // Stored, as numpy does, because log-likelihoods hardly compress; that needs the sum and size
      // first.
      CRC32 crc = new CRC32();
      long[] size = new long[1];
      content.writeTo(
          new CheckedOutputStream(
              new OutputStream() {
                @Override
                public void write(int b) {
                  size[0]++;
                }

                @Override
                public void write(byte[] b, int off, int len) {
                  size[0] += len;
                }
              },
              crc));
      ZipEntry entry = new ZipEntry(name + ".npy");
      entry.setMethod(ZipEntry.STORED);
      entry.setSize(size[0]);
      entry.setCrc(crc.getValue());
      entry.setTimeLocal(ZIP_TIME);
      zip.putNextEntry(entry);
      content.writeTo(zip);
      zip.closeEntry();
    }
  }
}
