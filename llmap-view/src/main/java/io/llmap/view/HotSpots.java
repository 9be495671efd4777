package io.llmap.view;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The places of a map where several points lie so near each other that their labels need leaders:
 * single linkage at a fixed distance, without the chains that span much of the map.
 */
final class HotSpots {
  private static final double LINKED = 16;
  private static final double MAX_EXTENT = 90;
  private static final int MIN_POINTS = 4;

  /** More labels than this around one spot would wall each other in; they go into columns. */
  private static final int CROWD = 20;

  /** The same for a spot that is no wider than a few marks. */
  private static final int NARROW_CROWD = 6;

  private static final double NARROW = 4;

  private final double[] x;
  private final double[] y;
  private final double radius;
  private final @Nullable Spot[] spots;
  private final int[] sides;
  private final double[] slots;

  /**
   * One hot spot.
   *
   * @param extent of its points' centres
   * @param size how many points it has
   */
  record Spot(Box extent, int size) {}

  private HotSpots(double[] x, double[] y, double radius) {
    this.x = x;
    this.y = y;
    this.radius = radius;
    this.spots = new Spot[x.length];
    this.sides = new int[x.length];
    this.slots = new double[x.length];
  }

  /** Looks for the hot spots among points of a radius. */
  static HotSpots find(double[] x, double[] y, double radius) {
    HotSpots found = new HotSpots(x, y, radius);
    boolean[] seen = new boolean[x.length];
    for (int seed = 0; seed < x.length; seed++) {
      if (!seen[seed]) {
        found.describe(found.linkedTo(seed, seen));
      }
    }
    return found;
  }

  /** The hot spot of a point, or null if it lies in none. */
  @Nullable Spot of(int point) {
    return spots[point];
  }

  /** Whether two points lie in one hot spot. */
  boolean together(int i, int j) {
    Spot spot = spots[i];
    return spot != null && spot.equals(spots[j]);
  }

  /** Whether a point lies in a hot spot whose labels have room only in columns. */
  boolean crowded(int point) {
    Spot spot = spots[point];
    if (spot == null) {
      return false;
    }
    double extent = Math.max(spot.extent.width(), spot.extent.height());
    return spot.size > (extent < NARROW * radius ? NARROW_CROWD : CROWD);
  }

  /** The column, −1 at the left and 1 at the right, that keeps a hot spot's leaders in order. */
  int side(int point) {
    return sides[point];
  }

  /** The slot of that column, downward from 0 in its middle. */
  double slot(int point) {
    return slots[point];
  }

  private int[] linkedTo(int seed, boolean[] seen) {
    int[] members = new int[x.length];
    int size = 0;
    members[size++] = seed;
    seen[seed] = true;
    for (int head = 0; head < size; head++) {
      int i = members[head];
      for (int j = 0; j < x.length; j++) {
        double dx = x[i] - x[j];
        double dy = y[i] - y[j];
        if (!seen[j] && dx * dx + dy * dy < LINKED * LINKED) {
          seen[j] = true;
          members[size++] = j;
        }
      }
    }
    return Arrays.copyOf(members, size);
  }

  private void describe(int[] members) {
    double left = Arrays.stream(members).mapToDouble(i -> x[i]).min().orElseThrow();
    double right = Arrays.stream(members).mapToDouble(i -> x[i]).max().orElseThrow();
    double top = Arrays.stream(members).mapToDouble(i -> y[i]).min().orElseThrow();
    double bottom = Arrays.stream(members).mapToDouble(i -> y[i]).max().orElseThrow();
    if (members.length < MIN_POINTS || Math.max(right - left, bottom - top) > MAX_EXTENT) {
      return;
    }
    Spot spot = new Spot(new Box(left, top, right - left, bottom - top), members.length);
    List<Integer> acrossX = new ArrayList<>();
    for (int i : members) {
      spots[i] = spot;
      acrossX.add(i);
    }
    acrossX.sort(Comparator.comparingDouble(i -> x[i]));
    int half = members.length / 2;
    assignSlots(acrossX.subList(0, half), -1);
    assignSlots(acrossX.subList(half, members.length), 1);
  }

  private void assignSlots(List<Integer> members, int side) {
    members.sort(Comparator.comparingDouble(i -> y[i]));
    for (int k = 0; k < members.size(); k++) {
      sides[members.get(k)] = side;
      slots[members.get(k)] = k - (members.size() - 1) / 2.0;
    }
  }
}
