package io.llmap.view;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The places that a label may have, for the points of one map: beside its point, on rings around it
 * with a leader, and, in a hot spot, in columns that the labels of the hot spot share.
 *
 * <p>No place leaves the area or covers a point.
 */
final class LabelCandidates {
  private static final double GAP = 2.5;
  private static final double CLEARANCE = 1;

  /** A leader is at least this dear, so that a label goes beside its point where it can. */
  private static final double LEADER_COST = 9;

  /**
   * A leader over a mark of its own hot spot is hard to avoid; over one farther off it misleads.
   */
  private static final double NEAR_POINT_COST = 2;

  private static final double MAX_NEAR_POINT_COST = 12;
  private static final double FAR_POINT_COST = 25;
  private static final double LINK_COST = 2.5;

  /** Nearer than this to another point, a label could be taken for that point's. */
  private static final double AMBIGUOUS = 6;

  private static final double AMBIGUITY_COST = 1.5;
  private static final double SAME_PLACE = 0.5;

  private static final double[] RINGS = {
    7, 12, 18, 26, 36, 48, 62, 78, 96, 118, 144, 174, 208, 246, 290
  };
  private static final int ANGLES = 40;

  private static final double[] COLUMNS = {16, 30, 50, 78, 112, 150};

  private static final double STEEPNESS_COST = 12;
  private static final double CROWDED_COST = 120;
  private static final double WRONG_SIDE_COST = 40;
  private static final double WRONG_SLOT_COST = 5;

  private final double[] x;
  private final double[] y;
  private final double radius;
  private final double height;
  private final Box area;
  private final List<Segment> links;
  private final boolean leadersMayCrossPoints;
  private final HotSpots hotSpots;

  /**
   * Looks at a map.
   *
   * @param x the points' centres
   * @param y as x
   * @param radius the points' radius
   * @param height the height of every label
   * @param area where labels may be
   * @param links lines that a label should not lie on if it can be helped
   * @param leadersMayCrossPoints whether a leader may pass over a point outside its hot spot
   */
  LabelCandidates(
      double[] x,
      double[] y,
      double radius,
      double height,
      Box area,
      List<Segment> links,
      boolean leadersMayCrossPoints) {
    this.x = x;
    this.y = y;
    this.radius = radius;
    this.height = height;
    this.area = area;
    this.links = links;
    this.leadersMayCrossPoints = leadersMayCrossPoints;
    this.hotSpots = HotSpots.find(x, y, radius);
  }

  /**
   * The places for one label, the cheapest first.
   *
   * @param point whose label it is
   * @param width the label's width
   * @param maxLeader the length of the longest leader
   */
  List<LabelCandidate> of(int point, double width, double maxLeader) {
    List<LabelCandidate> found = new ArrayList<>();
    double crowded = hotSpots.crowded(point) ? CROWDED_COST : 0;
    addBeside(found, point, width, crowded);
    addRings(found, point, width, maxLeader, crowded);
    addColumns(found, point, width, maxLeader);
    found.sort(Comparator.comparingDouble(LabelCandidate::cost));
    return found;
  }

  private void addBeside(List<LabelCandidate> found, int point, double width, double crowded) {
    double reach = radius + GAP;
    double diagonal = 0.75 * reach;
    double right = x[point] + reach;
    double left = x[point] - reach - width;
    double upRight = x[point] + diagonal;
    double upLeft = x[point] - diagonal - width;
    double centered = x[point] - width / 2;
    double middle = y[point] - height / 2;
    double above = y[point] - diagonal - height;
    double below = y[point] + diagonal;
    double[][] corners = {
      {right, middle, 0},
      {left, middle, 1},
      {upRight, above, 2},
      {upRight, below, 2.5},
      {upLeft, above, 3},
      {upLeft, below, 3.5},
      {centered, y[point] - radius - CLEARANCE - height, 3},
      {centered, y[point] + radius + CLEARANCE, 3.5}
    };
    for (double[] corner : corners) {
      Box box = new Box(corner[0], corner[1], width, height);
      add(found, point, box, null, corner[2] + crowded);
    }
  }

  private void addRings(
      List<LabelCandidate> found, int point, double width, double maxLeader, double crowded) {
    for (double ring : RINGS) {
      if (ring > maxLeader) {
        return;
      }
      for (int a = 0; a < ANGLES; a++) {
        double angle = 2 * Math.PI * a / ANGLES;
        double cos = StrictMath.cos(angle);
        double sin = StrictMath.sin(angle);
        double endX = x[point] + (radius + ring) * cos;
        double endY = y[point] + (radius + ring) * sin;
        boolean sideways = Math.abs(cos) > 0.25;
        double left = sideways ? (cos > 0 ? endX : endX - width) : endX - width / 2;
        double top = sideways ? endY - height / 2 : (sin > 0 ? endY : endY - height);
        double cost = LEADER_COST + ring * (1 + ring / 200) + (sideways ? 0 : 4) + crowded;
        addWithLeader(found, point, new Box(left, top, width, height), endX, endY, cost);
      }
    }
  }

  private void addColumns(List<LabelCandidate> found, int point, double width, double maxLeader) {
    HotSpots.Spot hotSpot = hotSpots.of(point);
    if (hotSpot == null) {
      return;
    }
    Box spot = hotSpot.extent();
    int size = hotSpot.size();
    boolean crowd = hotSpots.crowded(point);
    int half = crowd ? size : size / 2 + 4;
    // Leaders to one column never meet its labels; half as far as high keeps them apart as well.
    double best = Math.max(COLUMNS[0], size * height / 8);
    double[] columns = crowd ? new double[] {best, 1.4 * best, 0.7 * best} : COLUMNS;
    for (double column : columns) {
      for (int slot = -half; slot <= half; slot++) {
        double endY = spot.centerY() + slot * height;
        for (int side = -1; side <= 1; side += 2) {
          double endX = side > 0 ? spot.right() + column : spot.x() - column;
          double dx = endX - x[point];
          double dy = endY - y[point];
          double length = Math.sqrt(dx * dx + dy * dy) - radius;
          if (length > maxLeader) {
            continue;
          }
          double cost = LEADER_COST;
          if (crowd) {
            cost += Math.abs(column - best);
            cost += WRONG_SLOT_COST * Math.abs(slot - hotSpots.slot(point));
            cost += side == hotSpots.side(point) ? 0 : WRONG_SIDE_COST;
          } else {
            double steepness = Math.max(0, Math.abs(dy) / Math.abs(dx) - 1);
            cost += 0.75 * length * (1 + length / 200) + STEEPNESS_COST * steepness;
          }
          Box box = new Box(side > 0 ? endX : endX - width, endY - height / 2, width, height);
          addWithLeader(found, point, box, endX, endY, cost);
        }
      }
    }
  }

  private void addWithLeader(
      List<LabelCandidate> found, int point, Box box, double endX, double endY, double cost) {
    double dx = endX - x[point];
    double dy = endY - y[point];
    double length = Math.sqrt(dx * dx + dy * dy);
    double start = radius / length;
    Segment leader = new Segment(x[point] + start * dx, y[point] + start * dy, endX, endY);
    add(found, point, box, leader, cost);
  }

  private void add(
      List<LabelCandidate> found, int point, Box box, @Nullable Segment leader, double cost) {
    if (!area.contains(box)) {
      return;
    }
    double clear = radius + CLEARANCE;
    double nearest = AMBIGUOUS;
    double near = 0;
    double far = 0;
    for (int i = 0; i < x.length; i++) {
      double distance = box.distance(x[i], y[i]);
      if (distance < clear) {
        return;
      }
      double dx = Math.abs(x[i] - x[point]);
      double dy = Math.abs(y[i] - y[point]);
      if (dx > SAME_PLACE || dy > SAME_PLACE) {
        nearest = Math.min(nearest, distance - radius);
        if (leader != null && leader.distance(x[i], y[i]) < clear) {
          boolean sameSpot = hotSpots.together(point, i);
          if (sameSpot || (dx < 2 * radius && dy < 2 * radius)) {
            near += NEAR_POINT_COST;
          } else if (leadersMayCrossPoints) {
            far += FAR_POINT_COST;
          } else {
            return;
          }
        }
      }
    }
    double total = cost + far + Math.min(near, MAX_NEAR_POINT_COST);
    total += AMBIGUITY_COST * (AMBIGUOUS - nearest);
    for (Segment link : links) {
      if (link.meets(box)) {
        total += LINK_COST;
      }
    }
    found.add(new LabelCandidate(box, leader, total));
  }
}
