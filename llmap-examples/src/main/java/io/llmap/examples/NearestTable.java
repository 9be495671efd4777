package io.llmap.examples;

import io.llmap.ModelMap;
import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlUnit;
import io.llmap.distance.Neighbours;
import io.llmap.distance.Neighbours.Neighbour;
import java.util.List;
import java.util.Locale;

/** Each model, how well it predicts the texts, and its nearest model: a table for a terminal. */
final class NearestTable {
  private NearestTable() {}

  static String of(ModelMap map) {
    DistanceMatrix kl = map.distances().in(KlUnit.BITS_PER_BYTE);
    List<String> names = kl.names();
    int width = names.stream().mapToInt(String::length).max().orElse(0);
    String row = "%-" + width + "s  %9s  %-" + width + "s  %s%n";
    StringBuilder table = new StringBuilder();
    table.append(String.format(row, "model", "bits/byte", "nearest model", "KL bits/byte*"));
    for (int i = 0; i < names.size(); i++) {
      Neighbour nearest = Neighbours.of(kl, i, 1).get(0);
      table.append(
          String.format(
              row,
              names.get(i),
              number("%.3f", map.matrix().bitsPerByte(i)),
              nearest.name(),
              number("%.5f", nearest.distance())));
    }
    return table
        .append("* estimated as half the variance of the texts' log-likelihood difference: ranks")
        .append(System.lineSeparator())
        .append("  pairs well, and is far too large for distant models on long texts")
        .append(System.lineSeparator())
        .toString();
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
