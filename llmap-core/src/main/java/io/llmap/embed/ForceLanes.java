package io.llmap.embed;

import java.util.Arrays;

/**
 * The forces of t-SNE on a group of points, one point a lane: what acts on them is added one source
 * after the other, to all lanes at once.
 *
 * <p>Every lane has its own sums, added up in the order of the calls. So the compiler may use
 * vectors of any width, and the bits are those of one lane after the other, on every machine.
 */
final class ForceLanes {
  /** Points of a group. */
  static final int LANES = 64;

  // HotSpot makes vectors of these loops only where it can prove that nothing written is read
  // again under another name: at constant offsets of one array it can, between arrays it cannot.
  private static final int Y = LANES;
  private static final int WEIGHT = 2 * LANES;
  private static final int REPULSION_X = 3 * LANES;
  private static final int REPULSION_Y = 4 * LANES;
  private static final int ATTRACTION_X = 5 * LANES;
  private static final int ATTRACTION_Y = 6 * LANES;
  private static final int AFFINITY = 7 * LANES;

  private final double[] state = new double[8 * LANES];

  /** Takes points from x and y, at most as many as there are lanes, and forgets all forces. */
  void load(double[] x, double[] y, int from, int count) {
    System.arraycopy(x, from, state, 0, count);
    System.arraycopy(y, from, state, Y, count);
    Arrays.fill(state, WEIGHT, state.length, 0);
  }

  /** Adds the repulsion of points that are, or are taken to be, at (x, y). */
  void repel(double x, double y, double points) {
    double[] s = state;
    for (int l = 0; l < LANES; l++) {
      double dx = s[l] - x;
      double dy = s[Y + l] - y;
      double w = 1 / (1 + dx * dx + dy * dy);
      double weight = points * w;
      double repulsion = weight * w;
      s[WEIGHT + l] += weight;
      s[REPULSION_X + l] += repulsion * dx;
      s[REPULSION_Y + l] += repulsion * dy;
    }
  }

  /** Adds both forces of a point, with its affinities to the lanes. */
  void repelAndAttract(double x, double y, double[] affinities, int from) {
    System.arraycopy(affinities, from, state, AFFINITY, LANES);
    double[] s = state;
    for (int l = 0; l < LANES; l++) {
      double dx = s[l] - x;
      double dy = s[Y + l] - y;
      double w = 1 / (1 + dx * dx + dy * dy);
      double repulsion = w * w;
      double attraction = s[AFFINITY + l] * w;
      s[WEIGHT + l] += w;
      s[REPULSION_X + l] += repulsion * dx;
      s[REPULSION_Y + l] += repulsion * dy;
      s[ATTRACTION_X + l] += attraction * dx;
      s[ATTRACTION_Y + l] += attraction * dy;
    }
  }

  /** Σ w of a lane. */
  double weight(int lane) {
    return state[WEIGHT + lane];
  }

  /**
   * Puts a lane's Σ w back to what it was before its own point was added as a source; that point's
   * forces on itself are 0.
   */
  void setWeight(int lane, double weight) {
    state[WEIGHT + lane] = weight;
  }

  /** Σ w²·(x − x_source) of a lane. */
  double repulsionX(int lane) {
    return state[REPULSION_X + lane];
  }

  /** Σ w²·(y − y_source) of a lane. */
  double repulsionY(int lane) {
    return state[REPULSION_Y + lane];
  }

  /** Σ p·w·(x − x_source) of a lane. */
  double attractionX(int lane) {
    return state[ATTRACTION_X + lane];
  }

  /** Σ p·w·(y − y_source) of a lane. */
  double attractionY(int lane) {
    return state[ATTRACTION_Y + lane];
  }

  /** Σ w over the first lanes, in their order. */
  double totalWeight(int count) {
    double sum = 0;
    for (int l = 0; l < count; l++) {
      sum += weight(l);
    }
    return sum;
  }
}
