package io.llmap.matrix;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What two matrices must have in common before their models may stand beside each other: the texts
 * and the way of scoring; and which models were scored (method traps 8, 9 and 18).
 *
 * <p>Immutable: the maps are copied.
 *
 * @param textSetFingerprint {@link io.llmap.text.TextSet#fingerprint()} of the set that was scored;
 *     a matrix of some of its texts keeps it
 * @param options the scoring options that change what a log-likelihood means, sorted by name
 * @param modelFingerprints by a model's name, the hash of the files that determine its scores
 */
public record MatrixProvenance(
    String textSetFingerprint, Map<String, String> options, Map<String, String> modelFingerprints) {

  /**
   * Copies the maps.
   *
   * @param textSetFingerprint {@link io.llmap.text.TextSet#fingerprint()} of the set that was
   *     scored; a matrix of some of its texts keeps it
   * @param options the scoring options that change what a log-likelihood means, sorted by name
   * @param modelFingerprints by a model's name, the hash of the files that determine its scores
   * @throws IllegalArgumentException if a fingerprint is blank, or an option's name is empty or has
   *     an equals sign
   */
  public MatrixProvenance {
    if (textSetFingerprint.isBlank()) {
      throw new IllegalArgumentException("the text set has a blank fingerprint");
    }
    options.forEach(
        (name, value) -> {
          if (name.isEmpty() || name.indexOf('=') >= 0) {
            throw new IllegalArgumentException(
                "the scoring option \"" + name + "\" has no name or an equals sign in it");
          }
        });
    modelFingerprints.forEach(
        (name, fingerprint) -> {
          if (fingerprint.isBlank()) {
            throw new IllegalArgumentException("model \"" + name + "\" has a blank fingerprint");
          }
        });
    options = Collections.unmodifiableMap(new TreeMap<>(options));
    modelFingerprints = Collections.unmodifiableMap(new LinkedHashMap<>(modelFingerprints));
  }

  /** The same for some of the models. */
  MatrixProvenance ofModels(List<String> names) {
    Map<String, String> some = new LinkedHashMap<>(modelFingerprints);
    some.keySet().retainAll(names);
    return new MatrixProvenance(textSetFingerprint, options, some);
  }

  /** The same with further models. */
  MatrixProvenance withModelsOf(MatrixProvenance other) {
    Map<String, String> all = new LinkedHashMap<>(modelFingerprints);
    all.putAll(other.modelFingerprints);
    return new MatrixProvenance(textSetFingerprint, options, all);
  }
}
