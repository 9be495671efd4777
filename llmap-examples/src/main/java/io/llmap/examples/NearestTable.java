package io.llmap.examples;

import io.llmap.ModelMap;
import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.distance.Neighbours;
import io.llmap.distance.Neighbours.Neighbour;
import java.util.List;
import java.util.Locale;

/**
 * Each model, how well it predicts the texts, and its nearest model with both estimates of how far
 * that is: a table for a terminal.
 */
final class NearestTable {
  private NearestTable() {}

  /**
   * Lays out the table.
   *
   * @param map with the paper's distances
   * @param bySegments of the same models; they say who is nearest
   */
  static String of(ModelMap map, KlDistances bySegments) {
    DistanceMatrix kl = bySegments.in(KlUnit.BITS_PER_BYTE);
    DistanceMatrix variance = map.distances().in(KlUnit.BITS_PER_BYTE);
    List<String> names = kl.names();
    int width = names.stream().mapToInt(String::length).max().orElse(0);
    String row = "%-" + width + "s  %9s  %-" + width + "s  %14s  %s%n";
    StringBuilder table = new StringBuilder();
    table.append(
        String.format(
            row, "model", "bits/byte", "nearest model", "KL bits/byte*", "text variance**"));
    for (int i = 0; i < names.size(); i++) {
      Neighbour nearest = Neighbours.of(kl, i, 1).get(0);
      table.append(
          String.format(
              row,
              names.get(i),
              number("%.3f", map.matrix().bitsPerByte(i)),
              nearest.name(),
              number("%.5f", nearest.distance()),
              number("%.5f", variance.get(i, nearest.index()))));
    }
    return table
        .append(
            "*  estimated by "
                + bySegments.description()
                + ": the size is right for near models on")
        .append(System.lineSeparator())
        .append("   texts that both know; elsewhere about twice too large, at most seven times")
        .append(System.lineSeparator())
        .append(
            "** the paper's estimate, bits/byte: half the variance of the texts' log-likelihood")
        .append(System.lineSeparator())
        .append("   difference; ranks pairs well, and is far too large on long texts")
        .append(System.lineSeparator())
        .toString();
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
