package io.llmap.distance;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The nearest models of a model. */
public final class Neighbours {
  private Neighbours() {}

  /**
   * One neighbour.
   *
   * @param index its position in the distance matrix
   * @param name its name
   * @param distance in the unit of the matrix
   */
  public record Neighbour(int index, String name, double distance) {}

  /**
   * Lists the nearest models, nearest first; equal distances in the order of the matrix.
   *
   * @param distances K × K
   * @param i the model that is asked about; it is not its own neighbour
   * @param count how many at most
   * @return min(count, K − 1) neighbours
   */
  public static List<Neighbour> of(DistanceMatrix distances, int i, int count) {
    return IntStream.range(0, distances.size())
        .filter(j -> j != i)
        .mapToObj(j -> new Neighbour(j, distances.names().get(j), distances.get(i, j)))
        .sorted(Comparator.comparingDouble(Neighbour::distance))
        .limit(count)
        .toList();
  }

  /**
   * The nearest models of every model, as {@link #of} orders them, in one walk over the triangle.
   *
   * @param count at most K − 1
   * @return K · count indices, by models
   */
  static int[] ofAll(DistanceMatrix distances, int count) {
    int k = distances.size();
    int[] nearest = new int[k * count];
    double[] distance = new double[k * count];
    Arrays.fill(distance, Double.POSITIVE_INFINITY);
    for (int i = 1; i < k; i++) {
      for (int j = 0; j < i; j++) {
        double d = distances.get(i, j);
        insert(nearest, distance, i * count, count, j, d);
        insert(nearest, distance, j * count, count, i, d);
      }
    }
    return nearest;
  }

  /** A model meets the others in their order, so the first of equals stays first. */
  private static void insert(
      int[] nearest, double[] distance, int from, int count, int other, double d) {
    int at = from + count;
    while (at > from && d < distance[at - 1]) {
      at--;
    }
    if (at < from + count) {
      int behind = from + count - at - 1;
      System.arraycopy(nearest, at, nearest, at + 1, behind);
      System.arraycopy(distance, at, distance, at + 1, behind);
      nearest[at] = other;
      distance[at] = d;
    }
  }
}
