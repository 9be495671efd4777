package io.llmap.distance;

import io.llmap.internal.Parallel;
import io.llmap.matrix.CenteredMatrix;
import java.util.List;
import java.util.stream.IntStream;

/**
 * ‖q_i − q_j‖² where models lack texts: over the S texts that both have, centred over these, and
 * put on the scale of all N:
 *
 * <pre>D²[i,j] = N · Var_S(l_i − l_j)</pre>
 *
 * <p>So it stays N times a variance, as it is for complete rows, and a constant added to a model
 * changes nothing. GLMap, where the rescaling by N / S is from (method section 6), leaves out the
 * second centring: each row is centred over its own texts, and the square of the mean difference on
 * the shared ones stays in.
 *
 * <p>O(K·N) for each incomplete model; pairs of complete models go through the Gram kernel.
 */
final class SharedTextDistances {
  private SharedTextDistances() {}

  static DistanceMatrix of(CenteredMatrix coordinates, GramKernel kernel) {
    int k = coordinates.models();
    int[] complete = IntStream.range(0, k).filter(i -> coordinates.missingTexts(i) == 0).toArray();
    double[] triangle = new double[Math.toIntExact((long) k * (k - 1) / 2)];
    if (complete.length > 1) {
      DistanceMatrix among = SquaredDistances.of(coordinates.selectModels(complete), kernel);
      for (int a = 1; a < complete.length; a++) {
        for (int b = 0; b < a; b++) {
          triangle[index(complete[a], complete[b])] = among.get(a, b);
        }
      }
    }
    Parallel.forEach(k, i -> fillRow(coordinates, i, triangle));
    requireShared(coordinates, triangle);
    return DistanceMatrix.wrap(coordinates.names(), triangle);
  }

  private static int index(int i, int j) {
    return (int) ((long) i * (i - 1) / 2) + j;
  }

  private static void fillRow(CenteredMatrix coordinates, int i, double[] triangle) {
    int n = coordinates.texts();
    double[] row = coordinates.row(i);
    double[] difference = new double[n];
    for (int j = 0; j < i; j++) {
      if (coordinates.missingTexts(i) > 0 || coordinates.missingTexts(j) > 0) {
        coordinates.copyRow(j, 0, n, difference, 0);
        int shared = subtractShared(row, difference);
        triangle[index(i, j)] =
            shared < 2 ? Double.NaN : n * (squaredDeviations(difference, shared) / shared);
      }
    }
  }

  /** Leaves row − other for the texts that both have at the front of the other, in their order. */
  private static int subtractShared(double[] row, double[] other) {
    int shared = 0;
    for (int s = 0; s < row.length; s++) {
      double difference = row[s] - other[s];
      other[shared] = difference;
      shared += Double.isNaN(difference) ? 0 : 1;
    }
    return shared;
  }

  /** In two passes: the mean may be large beside the deviations of a near-duplicate. */
  private static double squaredDeviations(double[] values, int count) {
    double sum = 0;
    for (int s = 0; s < count; s++) {
      sum += values[s];
    }
    double mean = sum / count;
    double squares = 0;
    for (int s = 0; s < count; s++) {
      double deviation = values[s] - mean;
      squares += deviation * deviation;
    }
    return squares;
  }

  private static void requireShared(CenteredMatrix coordinates, double[] triangle) {
    List<String> names = coordinates.names();
    for (int i = 1; i < names.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (Double.isNaN(triangle[index(i, j)])) {
          throw new IllegalArgumentException(
              "models \"%s\" and \"%s\" share fewer than two texts; their distance is unknown"
                  .formatted(names.get(j), names.get(i)));
        }
      }
    }
  }
}
