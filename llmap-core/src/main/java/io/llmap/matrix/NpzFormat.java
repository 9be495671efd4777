package io.llmap.matrix;

import io.llmap.LlmapException;
import io.llmap.internal.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
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

/** A log-likelihood matrix as numpy's archive of arrays, in the layout of {@link MatrixFiles}. */
final class NpzFormat {
  private static final String VALUES = "log_likelihood";
  private static final String NAMES = "names";
  private static final String TEXT_IDS = "text_ids";
  private static final String TEXT_BYTES = "text_bytes";
  private static final String MISSING = "missing";
  private static final String TEXT_SET = "text_set_fingerprint";
  private static final String OPTIONS = "scoring_options";
  private static final String MODELS = "model_fingerprints";
  private static final String PROVENANCE = "provenance";
  private static final List<String> TAKEN =
      List.of(VALUES, NAMES, TEXT_IDS, TEXT_BYTES, MISSING, TEXT_SET, OPTIONS, MODELS, PROVENANCE);
  // Zip entries carry a time; a fixed one makes equal matrices equal files.
  private static final LocalDateTime ZIP_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private final Path path;
  private final ZipFile zip;

  private NpzFormat(Path path, ZipFile zip) {
    this.path = path;
    this.zip = zip;
  }

  static LogLikelihoodMatrix read(Path path) throws IOException {
    try (ZipFile zip = new ZipFile(path.toFile())) {
      return new NpzFormat(path, zip).read();
    }
  }

  private LogLikelihoodMatrix read() throws IOException {
    List<String> names = array(NAMES, NpyFormat::readStrings);
    List<String> ids = array(TEXT_IDS, NpyFormat::readStrings);
    double[] bytes = array(TEXT_BYTES, NpyFormat::readVector);
    double[][] values = array(VALUES, NpyFormat::readMatrix);
    int[] counts = new int[bytes.length];
    for (int n = 0; n < counts.length; n++) {
      counts[n] = (int) bytes[n];
      if (counts[n] != bytes[n]) {
        throw new LlmapException(path + ": text " + n + " has " + bytes[n] + " bytes");
      }
    }
    try {
      LogLikelihoodMatrix matrix =
          LogLikelihoodMatrix.wrap(
              names,
              ids,
              counts,
              values,
              has(MISSING) ? array(MISSING, NpyFormat::readFlags) : null);
      return has(TEXT_SET) ? matrix.withProvenance(provenance(names)) : matrix;
    } catch (IllegalArgumentException e) {
      throw new LlmapException(path + ": " + e.getMessage(), e);
    }
  }

  private MatrixProvenance provenance(List<String> names) throws IOException {
    List<String> textSet = array(TEXT_SET, NpyFormat::readStrings);
    List<String> fingerprints = array(MODELS, NpyFormat::readStrings);
    if (textSet.size() != 1 || fingerprints.size() != names.size()) {
      throw new IllegalArgumentException(
          "%d models have %d fingerprints, their texts %d"
              .formatted(names.size(), fingerprints.size(), textSet.size()));
    }
    Map<String, String> options = new LinkedHashMap<>();
    for (String option : array(OPTIONS, NpyFormat::readStrings)) {
      String[] parts = option.split("=", 2);
      if (parts.length < 2) {
        throw new IllegalArgumentException("the scoring option \"" + option + "\" has no value");
      }
      options.put(parts[0], parts[1]);
    }
    Map<String, String> models = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      models.put(names.get(i), fingerprints.get(i));
    }
    return new MatrixProvenance(textSet.get(0), options, models);
  }

  private boolean has(String name) {
    return zip.getEntry(name + ".npy") != null;
  }

  private interface NpyReader<T> {
    T read(InputStream in, long bytes, String where) throws IOException;
  }

  private <T> T array(String name, NpyReader<T> reader) throws IOException {
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
    }
  }

  static void write(
      Path path, LogLikelihoodMatrix matrix, Map<String, double[][]> more, String note) {
    for (String name : more.keySet()) {
      if (TAKEN.contains(name)) {
        throw new IllegalArgumentException(
            "the array name \"" + name + "\" is taken; taken are " + TAKEN);
      }
    }
    int[] bytes = new int[matrix.texts()];
    Arrays.setAll(bytes, matrix::textBytes);
    double[][] values = new double[matrix.models()][];
    Arrays.setAll(values, matrix::sharedRow);
    Map<String, AtomicFile.Content> arrays = new LinkedHashMap<>();
    arrays.put(VALUES, out -> NpyFormat.write(out, values));
    arrays.put(NAMES, out -> NpyFormat.write(out, matrix.names()));
    arrays.put(TEXT_IDS, out -> NpyFormat.write(out, matrix.textIds()));
    arrays.put(TEXT_BYTES, out -> NpyFormat.write(out, bytes));
    if (matrix.missingCells() > 0) {
      arrays.put(MISSING, out -> NpyFormat.write(out, missing(matrix)));
    }
    matrix.provenance().ifPresent(provenance -> putProvenance(arrays, matrix, provenance));
    more.forEach((name, rows) -> arrays.put(name, out -> NpyFormat.write(out, rows)));
    if (!note.isEmpty()) {
      arrays.put(PROVENANCE, out -> NpyFormat.write(out, List.of(note)));
    }
    AtomicFile.write(
        path,
        out -> {
          try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, AtomicFile.Content> array : arrays.entrySet()) {
              writeEntry(zip, array.getKey(), array.getValue());
            }
          }
        });
  }

  private static boolean[][] missing(LogLikelihoodMatrix matrix) {
    boolean[][] missing = new boolean[matrix.models()][matrix.texts()];
    for (int i = 0; i < missing.length; i++) {
      for (int n = 0; n < matrix.texts(); n++) {
        missing[i][n] = matrix.isMissing(i, n);
      }
    }
    return missing;
  }

  private static void putProvenance(
      Map<String, AtomicFile.Content> arrays,
      LogLikelihoodMatrix matrix,
      MatrixProvenance provenance) {
    List<String> options = new ArrayList<>();
    provenance.options().forEach((name, value) -> options.add(name + "=" + value));
    List<String> models = matrix.names().stream().map(provenance.modelFingerprints()::get).toList();
    arrays.put(TEXT_SET, out -> NpyFormat.write(out, List.of(provenance.textSetFingerprint())));
    arrays.put(OPTIONS, out -> NpyFormat.write(out, options));
    arrays.put(MODELS, out -> NpyFormat.write(out, models));
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
