package io.llmap.matrix;

import io.llmap.LlmapException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

  private final Path path;
  private final NumpyArchive archive;

  private NpzFormat(Path path, NumpyArchive archive) {
    this.path = path;
    this.archive = archive;
  }

  static LogLikelihoodMatrix read(Path path) {
    try (NumpyArchive archive = NumpyArchive.open(path)) {
      return new NpzFormat(path, archive).read();
    }
  }

  private LogLikelihoodMatrix read() {
    List<String> names = archive.strings(NAMES);
    List<String> ids = archive.strings(TEXT_IDS);
    double[] bytes = archive.array(TEXT_BYTES, NpyFormat::readVector);
    double[][] values = archive.array(VALUES, NpyFormat::readMatrix);
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
              archive.has(MISSING) ? archive.array(MISSING, NpyFormat::readFlags) : null);
      return archive.has(TEXT_SET) ? matrix.withProvenance(provenance(names)) : matrix;
    } catch (IllegalArgumentException e) {
      throw new LlmapException(path + ": " + e.getMessage(), e);
    }
  }

  private MatrixProvenance provenance(List<String> names) {
    List<String> textSet = archive.strings(TEXT_SET);
    List<String> fingerprints = archive.strings(MODELS);
    if (textSet.size() != 1 || fingerprints.size() != names.size()) {
      throw new IllegalArgumentException(
          "%d models have %d fingerprints, their texts %d"
              .formatted(names.size(), fingerprints.size(), textSet.size()));
    }
    Map<String, String> options = new LinkedHashMap<>();
    for (String option : archive.strings(OPTIONS)) {
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
    NumpyArchive.Writer arrays = new NumpyArchive.Writer();
    arrays.put(VALUES, values);
    arrays.put(NAMES, matrix.names());
    arrays.put(TEXT_IDS, matrix.textIds());
    arrays.put(TEXT_BYTES, bytes);
    if (matrix.missingCells() > 0) {
      arrays.put(MISSING, missing(matrix));
    }
    matrix.provenance().ifPresent(provenance -> putProvenance(arrays, matrix, provenance));
    more.forEach(arrays::put);
    if (!note.isEmpty()) {
      arrays.put(PROVENANCE, List.of(note));
    }
    arrays.write(path);
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
      NumpyArchive.Writer arrays, LogLikelihoodMatrix matrix, MatrixProvenance provenance) {
    List<String> options = new ArrayList<>();
    provenance.options().forEach((name, value) -> options.add(name + "=" + value));
    List<String> models = matrix.names().stream().map(provenance.modelFingerprints()::get).toList();
    arrays.put(TEXT_SET, List.of(provenance.textSetFingerprint()));
    arrays.put(OPTIONS, options);
    arrays.put(MODELS, models);
  }
}
