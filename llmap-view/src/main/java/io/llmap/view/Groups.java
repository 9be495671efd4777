package io.llmap.view;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How groups become marks and lines of the legend.
 *
 * @param entries the legend, in order; empty if there are no groups
 * @param entryOf the entry of each model, in the order of the models; 0 where there are no entries
 */
record Groups(List<Entry> entries, List<Integer> entryOf) {

  /**
   * One kind of mark.
   *
   * @param name as the legend says it
   * @param size how many models have it
   */
  record Entry(String name, int size, MarkerShape shape, int rgb) {}

  /** Gives marks to groups, the first met first; folds the smallest if there are too many. */
  static Groups of(List<String> models, Map<String, String> groupOf) {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    int without = 0;
    for (String model : models) {
      String group = groupOf.get(model);
      if (group == null) {
        without++;
      } else {
        sizes.merge(group, 1, Integer::sum);
      }
    }
    List<String> kept = new ArrayList<>(sizes.keySet());
    if (kept.size() > Palette.MARKS) {
      List<String> largest = new ArrayList<>(kept);
      largest.sort(Comparator.comparing(sizes::get, Comparator.reverseOrder()));
      kept.retainAll(largest.subList(0, Palette.MARKS - 1));
    }
    List<Entry> entries = new ArrayList<>();
    Map<String, Integer> position = new LinkedHashMap<>();
    int inKept = 0;
    for (String group : kept) {
      int size = sizes.getOrDefault(group, 0);
      inKept += size;
      int g = entries.size();
      position.put(group, g);
      entries.add(new Entry(Typography.clean(group), size, Palette.shape(g), Palette.color(g)));
    }
    int folded = models.size() - without - inKept;
    int foldedEntry = entries.size();
    if (folded > 0) {
      String name = (sizes.size() - kept.size()) + " other groups";
      entries.add(new Entry(name, folded, MarkerShape.CIRCLE, Palette.OTHER));
    }
    int withoutEntry = entries.size();
    if (without > 0 && !entries.isEmpty()) {
      entries.add(new Entry("no group", without, MarkerShape.SQUARE, Palette.OTHER));
    }
    List<Integer> entryOf = new ArrayList<>();
    for (String model : models) {
      String group = groupOf.get(model);
      entryOf.add(group == null ? withoutEntry : position.getOrDefault(group, foldedEntry));
    }
    return new Groups(List.copyOf(entries), List.copyOf(entryOf));
  }

  MarkerShape shape(int model) {
    return entries.isEmpty() ? MarkerShape.CIRCLE : entries.get(entryOf.get(model)).shape();
  }

  int rgb(int model) {
    return entries.isEmpty() ? Palette.color(0) : entries.get(entryOf.get(model)).rgb();
  }
}
