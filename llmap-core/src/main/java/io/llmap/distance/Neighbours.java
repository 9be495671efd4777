package io.llmap.distance;

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
}
