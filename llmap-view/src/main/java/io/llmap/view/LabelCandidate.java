package io.llmap.view;

import org.jspecify.annotations.Nullable;

/**
 * One place for one label.
 *
 * @param box the label's room, padding included
 * @param leader the line from the point to the label, or null if the label touches its point
 * @param cost how bad the place is by itself: 0 is best, a pixel of leader costs about 1
 */
record LabelCandidate(Box box, @Nullable Segment leader, double cost) {

  /** Whether two labels cannot have these places: text on text, line on text, or line on line. */
  boolean conflictsWith(LabelCandidate other, boolean leadersMayCross) {
    if (box.overlaps(other.box)) {
      return true;
    }
    if (leader != null && leader.meets(other.box)) {
      return true;
    }
    if (other.leader != null && other.leader.meets(box)) {
      return true;
    }
    return !leadersMayCross && leader != null && other.leader != null && leader.meets(other.leader);
  }
}
