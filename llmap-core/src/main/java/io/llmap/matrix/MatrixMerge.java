package io.llmap.matrix;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Two matrices of the same texts put into one, or all the reasons why not. */
final class MatrixMerge {
  private final LogLikelihoodMatrix first;
  private final LogLikelihoodMatrix second;
  private final List<String> names;
  private final List<double[]> rows = new ArrayList<>();
  private final List<String> differences = new ArrayList<>();

  MatrixMerge(LogLikelihoodMatrix first, LogLikelihoodMatrix second) {
    this.first = first;
    this.second = second;
    names = new ArrayList<>(first.names());
  }

  LogLikelihoodMatrix merged() {
    compareTexts();
    if (first.provenance().isPresent() && second.provenance().isPresent()) {
      compare(first.provenance().get(), second.provenance().get());
    } else if (first.provenance().isPresent() || second.provenance().isPresent()) {
      differences.add(
          "only one of them has provenance: take it away from that one to vouch for both yourself");
    }
    if (differences.isEmpty()) {
      uniteModels();
    }
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          "the matrices cannot be merged: " + String.join("; ", differences));
    }
    int[] bytes = IntStream.range(0, first.texts()).map(first::textBytes).toArray();
    return LogLikelihoodMatrix.derive(
        names,
        first.textIds(),
        bytes,
        rows.toArray(new double[0][]),
        first
            .provenance()
            .flatMap(ours -> second.provenance().map(theirs -> ours.withModelsOf(theirs))));
  }

  private void compareTexts() {
    if (first.texts() != second.texts()) {
      differences.add("one has %d texts, the other %d".formatted(first.texts(), second.texts()));
      return;
    }
    int[] ids = texts(s -> !first.textIds().get(s).equals(second.textIds().get(s)));
    if (ids.length > 0) {
      differences.add(
          "%d of %d text ids differ, such as \"%s\" and \"%s\""
              .formatted(
                  ids.length,
                  first.texts(),
                  first.textIds().get(ids[0]),
                  second.textIds().get(ids[0])));
      return;
    }
    int[] lengths = texts(s -> first.textBytes(s) != second.textBytes(s));
    if (lengths.length > 0) {
      int s = lengths[0];
      differences.add(
          "%d of %d texts differ in length, such as \"%s\" with %d and %d bytes"
              .formatted(
                  lengths.length,
                  first.texts(),
                  first.textIds().get(s),
                  first.textBytes(s),
                  second.textBytes(s)));
    }
  }

  private int[] texts(IntPredicate differ) {
    return IntStream.range(0, first.texts()).filter(differ).toArray();
  }

  private void compare(MatrixProvenance ours, MatrixProvenance theirs) {
    if (!ours.textSetFingerprint().equals(theirs.textSetFingerprint())) {
      differences.add(
          "the text sets are %s and %s"
              .formatted(ours.textSetFingerprint(), theirs.textSetFingerprint()));
    }
    TreeSet<String> options = new TreeSet<>(ours.options().keySet());
    options.addAll(theirs.options().keySet());
    for (String option : options) {
      String our = ours.options().get(option);
      String their = theirs.options().get(option);
      if (!Objects.equals(our, their)) {
        differences.add(
            "the option %s is %s and %s".formatted(option, orUnset(our), orUnset(their)));
      }
    }
    ours.modelFingerprints()
        .forEach(
            (name, fingerprint) -> {
              String their = theirs.modelFingerprints().getOrDefault(name, fingerprint);
              if (!fingerprint.equals(their)) {
                differences.add(
                    "model \"%s\" has the fingerprints %s and %s"
                        .formatted(name, fingerprint, their));
              }
            });
  }

  private static String orUnset(@Nullable String value) {
    return value == null ? "not set" : "\"" + value + "\"";
  }

  private void uniteModels() {
    Map<String, Integer> positions = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      positions.put(names.get(i), i);
      rows.add(first.sharedRow(i));
    }
    for (int j = 0; j < second.models(); j++) {
      String name = second.names().get(j);
      Integer i = positions.get(name);
      if (i == null) {
        names.add(name);
        rows.add(second.sharedRow(j));
      } else {
        rows.set(i, united(name, rows.get(i), second.sharedRow(j)));
      }
    }
  }

  private double[] united(String name, double[] ours, double[] theirs) {
    int[] differing =
        texts(s -> ours[s] != theirs[s] && !Double.isNaN(ours[s]) && !Double.isNaN(theirs[s]));
    if (differing.length > 0) {
      int s = differing[0];
      differences.add(
          "model \"%s\" has other log-likelihoods of %d texts, such as %s and %s of \"%s\""
              .formatted(name, differing.length, ours[s], theirs[s], first.textIds().get(s)));
    }
    double[] row = theirs.clone();
    Arrays.setAll(row, s -> Double.isNaN(ours[s]) ? theirs[s] : ours[s]);
    return row;
  }
}
