package io.llmap.distance;

import io.llmap.internal.Parallel;
import io.llmap.matrix.CenteredMatrix;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * ‖x_i − x_j‖² for all pairs of rows, through Gram matrices where those are accurate: each to about
 * 1e-11 of itself.
 *
 * <p>‖x_i‖² + ‖x_j‖² − 2 x_i·x_j loses what it cancels. Near-duplicates, such as a quantised twin
 * or the checkpoints of a run, are the pairs that users look at most closely, so those that lose
 * more than three digits are computed again: where a row has many, as differences from that row,
 * whose Gram matrix has nothing to cancel, and one by one where it has few.
 */
final class SquaredDistances {
  /** A pair is computed again if its squared distance is less than this of the squared norms. */
  private static final double CANCELLATION = 1e-3;

  /**
   * Whoever is that near to a row is computed again with it: all that are near to its neighbours,
   * and a little more because norms differ.
   */
  private static final double REACH = 4.5 * CANCELLATION;

  /** From this many near rows on, another Gram matrix takes less time than the pairs. */
  private static final int MANY = 16;

  private static final int PIECE = 1024;

  private final RowSource rows;
  private final GramKernel kernel;

  private SquaredDistances(RowSource rows, GramKernel kernel) {
    this.rows = rows;
    this.kernel = kernel;
  }

  static DistanceMatrix of(CenteredMatrix coordinates, GramKernel kernel) {
    return coordinates.missingCells() > 0
        ? SharedTextDistances.of(coordinates, kernel)
        : of(coordinates.names(), RowSource.of(coordinates), kernel);
  }

  /**
   * All pairs; O(K²·N). Holds the result, what the kernel holds, and for K' near-duplicates of one
   * row K'·(K' + 1)/2 doubles.
   */
  static DistanceMatrix of(List<String> names, RowSource rows, GramKernel kernel) {
    return DistanceMatrix.compacted(names, new SquaredDistances(rows, kernel).between(rows));
  }

  /** The packed triangle of squared distances, with a diagonal of zeros. */
  private double[] between(RowSource points) {
    return between(points, IntStream.range(0, points.rows()).toArray());
  }

  /** The same for points that are the rows with these numbers, all moved alike. */
  private double[] between(RowSource points, int[] numbers) {
    int k = numbers.length;
    double[] triangle = new double[PackedTriangle.length(k)];
    kernel.add(points, triangle);
    double[] norms = new double[k];
    for (int i = 0; i < k; i++) {
      norms[i] = triangle[PackedTriangle.start(i) + i];
    }
    boolean[] hasNear = new boolean[k];
    Parallel.forEach(
        k,
        i -> {
          int start = PackedTriangle.start(i);
          for (int j = 0; j < i; j++) {
            double sum = norms[i] + norms[j];
            double squared = sum - 2 * triangle[start + j];
            if (squared < CANCELLATION * sum) {
              // The sign marks it until it is computed again.
              squared = -Math.max(squared, Double.MIN_VALUE);
              hasNear[i] = true;
            }
            triangle[start + j] = squared;
          }
          triangle[start + i] = 0;
        });
    int[] near = new int[k];
    for (int i = 0; i < k; i++) {
      for (int j = 0; hasNear[i] && j < i; j++) {
        if (triangle[PackedTriangle.start(i) + j] < 0) {
          near[i]++;
          near[j]++;
        }
      }
    }
    for (int i = 0; i < k; i++) {
      if (near[i] >= MANY) {
        again(around(i, triangle, norms), i, numbers, triangle, near);
      }
    }
    Parallel.forEach(
        k,
        i -> {
          int start = PackedTriangle.start(i);
          for (int j = 0; near[i] > 0 && j < i; j++) {
            if (triangle[start + j] < 0) {
              triangle[start + j] = direct(numbers[i], numbers[j]);
            }
          }
        });
    return triangle;
  }

  private static int[] around(int centre, double[] triangle, double[] norms) {
    return IntStream.range(0, norms.length)
        .filter(
            j -> {
              double squared =
                  triangle[PackedTriangle.start(Math.max(centre, j)) + Math.min(centre, j)];
              return j == centre || Math.abs(squared) < REACH * (norms[centre] + norms[j]);
            })
        .toArray();
  }

  /** Computes the marked pairs among the members from differences to the centre. */
  private void again(int[] members, int centre, int[] numbers, double[] triangle, int[] near) {
    int[] memberNumbers = Arrays.stream(members).map(m -> numbers[m]).toArray();
    double[] inner = between(new Differences(rows, memberNumbers, numbers[centre]), memberNumbers);
    for (int a = 0; a < members.length; a++) {
      int innerStart = PackedTriangle.start(a);
      int start = PackedTriangle.start(members[a]);
      for (int b = 0; b < a; b++) {
        if (triangle[start + members[b]] < 0) {
          triangle[start + members[b]] = inner[innerStart + b];
          near[members[a]]--;
          near[members[b]]--;
        }
      }
    }
  }

  private double direct(int i, int j) {
    double[] x = new double[PIECE];
    double[] y = new double[PIECE];
    double sum = 0;
    for (int from = 0; from < rows.columns(); from += PIECE) {
      int to = Math.min(from + PIECE, rows.columns());
      rows.read(i, from, to, x, 0);
      rows.read(j, from, to, y, 0);
      double piece = 0;
      for (int n = 0; n < to - from; n++) {
        double difference = x[n] - y[n];
        piece += difference * difference;
      }
      sum += piece;
    }
    return sum;
  }

  /** Some rows less another one. */
  private static final class Differences implements RowSource {
    private final RowSource rows;
    private final int[] numbers;
    private final double[] origin;

    Differences(RowSource rows, int[] numbers, int origin) {
      this.rows = rows;
      this.numbers = numbers;
      this.origin = new double[rows.columns()];
      rows.read(origin, 0, rows.columns(), this.origin, 0);
    }

    @Override
    public int rows() {
      return numbers.length;
    }

    @Override
    public int columns() {
      return rows.columns();
    }

    @Override
    public void read(int row, int from, int to, double[] target, int offset) {
      rows.read(numbers[row], from, to, target, offset);
      for (int n = from; n < to; n++) {
        target[offset + n - from] -= origin[n];
      }
    }
  }
}
