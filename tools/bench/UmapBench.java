import io.llmap.distance.DistanceMatrix;
import io.llmap.embed.Embedding;
import io.llmap.embed.EmbeddingQuality;
import io.llmap.embed.Umap;
import io.llmap.matrix.MatrixFiles;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * {@code UmapBench points.npy map.npy rounds peer.npy}: the shortest time of the distances and of
 * the map from them, in seconds, then trustworthiness for 15 neighbours of our map and of the
 * peer's. All rounds are in one JVM.
 */
public class UmapBench {
  public static void main(String[] args) {
    double[][] points = MatrixFiles.readNpy(Path.of(args[0]));
    double best = Double.POSITIVE_INFINITY;
    double bestDistances = 0;
    DistanceMatrix distances = null;
    Embedding map = null;
    for (int round = 0; round < Integer.parseInt(args[2]); round++) {
      long start = System.nanoTime();
      distances = distances(points);
      long between = System.nanoTime();
      map = Umap.defaults().embed(distances);
      double seconds = (System.nanoTime() - start) / 1e9;
      if (seconds < best) {
        best = seconds;
        bestDistances = (between - start) / 1e9;
      }
    }
    MatrixFiles.writeNpy(Path.of(args[1]), map.toArray());
    Embedding peer =
        Embedding.of(map.names(), MatrixFiles.readNpy(Path.of(args[3])), "umap-learn");
    System.out.println(
        best
            + " "
            + bestDistances
            + " "
            + EmbeddingQuality.of(distances, map).trustworthiness(15)
            + " "
            + EmbeddingQuality.of(distances, peer).trustworthiness(15));
  }

  private static DistanceMatrix distances(double[][] points) {
    int k = points.length;
    int dimensions = points[0].length;
    double[][] columns = new double[dimensions][k];
    for (int i = 0; i < k; i++) {
      for (int d = 0; d < dimensions; d++) {
        columns[d][i] = points[i][d];
      }
    }
    double[] triangle = new double[k * (k - 1) / 2];
    IntStream.range(1, k)
        .parallel()
        .forEach(
            i -> {
              double[] squares = new double[i];
              for (int d = 0; d < dimensions; d++) {
                double x = points[i][d];
                double[] column = columns[d];
                for (int j = 0; j < i; j++) {
                  double difference = x - column[j];
                  squares[j] += difference * difference;
                }
              }
              Arrays.setAll(squares, j -> Math.sqrt(squares[j]));
              System.arraycopy(squares, 0, triangle, i * (i - 1) / 2, i);
            });
    List<String> names = IntStream.range(0, k).mapToObj(i -> "p" + i).toList();
    return DistanceMatrix.wrap(names, triangle);
  }
}
