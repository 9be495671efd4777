package io.llmap.view;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses places for labels so that no two conflict, at a small total cost.
 *
 * <p>Every label is put into its cheapest free place, the label with the fewest places first. A
 * label without one takes the place that displaces the least, and what it displaces is put anew; a
 * label becomes dearer to displace each time, so that the search does not run in circles (Glover's
 * ejection chains with guided-local-search weights). Then labels move, alone or against one
 * neighbour, as long as the total cost falls. The search draws no random numbers and counts steps,
 * not time, so a map is the same wherever it is drawn.
 */
final class LabelPlacement {
  private static final double EJECTION_COST = 60;
  private static final int STEPS_PER_LABEL = 15;
  private static final int POLISH_ROUNDS = 6;
  private static final double LEAST_GAIN = 1e-6;
  private static final int NONE = -1;
  private static final double NO_LIMIT = Double.POSITIVE_INFINITY;

  private final List<List<LabelCandidate>> candidates;
  private final @Nullable LabelCandidate[] placed;

  private final boolean leadersMayCross;

  private LabelPlacement(List<List<LabelCandidate>> candidates, boolean leadersMayCross) {
    this.candidates = candidates;
    this.leadersMayCross = leadersMayCross;
    this.placed = new LabelCandidate[candidates.size()];
  }

  /**
   * Places as many labels as the search can, which is all of them unless there is no room.
   *
   * @param candidates the places of each label, the cheapest first
   * @param leadersMayCross whether two leaders may cross each other
   * @return the chosen place of each label, or null
   */
  static @Nullable LabelCandidate[] placeAll(
      List<List<LabelCandidate>> candidates, boolean leadersMayCross) {
    LabelPlacement placement = new LabelPlacement(candidates, leadersMayCross);
    if (placement.placeWithEjections()) {
      placement.polish();
    }
    return placement.placed;
  }

  /**
   * Places labels in their order, skips one that has no free place, and stops at a budget.
   *
   * @param candidates the places of each label, the cheapest first
   * @param budget the most labels that are placed
   * @return the chosen place of each label, or null
   */
  static @Nullable LabelCandidate[] placeSome(List<List<LabelCandidate>> candidates, int budget) {
    LabelPlacement placement = new LabelPlacement(candidates, false);
    int count = 0;
    for (int label = 0; label < candidates.size() && count < budget; label++) {
      placement.placed[label] = placement.cheapestFree(label, NO_LIMIT);
      count += placement.placed[label] == null ? 0 : 1;
    }
    placement.polish();
    return placement.placed;
  }

  /** Whether every label has a place. */
  private boolean placeWithEjections() {
    List<Integer> order = new ArrayList<>();
    for (int label = 0; label < placed.length; label++) {
      order.add(label);
    }
    order.sort(Comparator.comparingInt(label -> candidates.get(label).size()));
    Deque<Integer> waiting = new ArrayDeque<>(order);
    int[] ejections = new int[placed.length];
    int steps = STEPS_PER_LABEL * placed.length;
    while (!waiting.isEmpty() && steps-- > 0) {
      int label = waiting.remove();
      placed[label] = cheapestFree(label, NO_LIMIT);
      if (placed[label] == null) {
        LabelCandidate forced = leastDisplacing(label, ejections);
        for (int other = 0; forced != null && other < placed.length; other++) {
          LabelCandidate there = placed[other];
          if (there != null && forced.conflictsWith(there, leadersMayCross)) {
            placed[other] = null;
            ejections[other]++;
            waiting.add(other);
          }
        }
        placed[label] = forced;
      }
    }
    return waiting.isEmpty();
  }

  private @Nullable LabelCandidate cheapestFree(int label, double below) {
    for (LabelCandidate candidate : candidates.get(label)) {
      if (candidate.cost() >= below) {
        return null;
      }
      if (nextConflict(candidate, label, 0) == NONE) {
        return candidate;
      }
    }
    return null;
  }

  private @Nullable LabelCandidate leastDisplacing(int label, int[] ejections) {
    LabelCandidate best = null;
    double bestCost = Double.POSITIVE_INFINITY;
    for (LabelCandidate candidate : candidates.get(label)) {
      double cost = candidate.cost();
      if (cost >= bestCost) {
        return best;
      }
      for (int other = 0; other < placed.length && cost < bestCost; other++) {
        LabelCandidate there = placed[other];
        if (there != null && candidate.conflictsWith(there, leadersMayCross)) {
          cost += EJECTION_COST * (1 + ejections[other]);
        }
      }
      if (cost < bestCost) {
        best = candidate;
        bestCost = cost;
      }
    }
    return best;
  }

  private void polish() {
    boolean improved = true;
    for (int round = 0; round < POLISH_ROUNDS && improved; round++) {
      improved = false;
      for (int label = 0; label < placed.length; label++) {
        LabelCandidate current = placed[label];
        if (current != null) {
          improved |= improve(label, current);
        }
      }
    }
  }

  private boolean improve(int label, LabelCandidate current) {
    for (LabelCandidate candidate : candidates.get(label)) {
      double gain = current.cost() - candidate.cost();
      if (gain <= 0) {
        return false;
      }
      int blocker = nextConflict(candidate, label, 0);
      if (blocker == NONE) {
        placed[label] = candidate;
        return true;
      }
      boolean only = nextConflict(candidate, label, blocker + 1) == NONE;
      if (only && makesWay(blocker, gain, label, candidate)) {
        return true;
      }
    }
    return false;
  }

  /** Takes the place if the one label in the way finds another that costs less than is gained. */
  private boolean makesWay(int blocker, double gain, int label, LabelCandidate candidate) {
    LabelCandidate mine = placed[label];
    LabelCandidate theirs = placed[blocker];
    if (theirs == null) {
      return false;
    }
    placed[label] = candidate;
    LabelCandidate other = cheapestFree(blocker, theirs.cost() + gain - LEAST_GAIN);
    placed[other == null ? label : blocker] = other == null ? mine : other;
    return other != null;
  }

  /** The first label, from one on, that a candidate is in conflict with. */
  private int nextConflict(LabelCandidate candidate, int label, int from) {
    for (int other = from; other < placed.length; other++) {
      LabelCandidate there = placed[other];
      if (other != label && there != null && candidate.conflictsWith(there, leadersMayCross)) {
        return other;
      }
    }
    return NONE;
  }
}
