import io.llmap.cluster.Dendrogram;
import io.llmap.cluster.HierarchicalClustering;
import io.llmap.cluster.Linkage;
import io.llmap.distance.DistanceMatrix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Arguments: linkage, models, file of the triangle, file for the heights, rounds. Prints seconds. */
public final class LinkageBench {
  public static void main(String[] args) throws IOException {
    Linkage linkage = Linkage.valueOf(args[0]);
    int k = Integer.parseInt(args[1]);
    List<String> names = IntStream.range(0, k).mapToObj(i -> "m" + i).toList();
    DistanceMatrix distances = DistanceMatrix.wrap(names, read(Path.of(args[2]), k * (k - 1) / 2));
    HierarchicalClustering clustering = new HierarchicalClustering(linkage);
    double best = Double.POSITIVE_INFINITY;
    for (int round = 0; round < Integer.parseInt(args[4]); round++) {
      long start = System.nanoTime();
      Dendrogram tree = clustering.cluster(distances);
      best = Math.min(best, 1e-9 * (System.nanoTime() - start));
      Files.writeString(
          Path.of(args[3]),
          tree.merges().stream()
              .map(merge -> merge.height() + " " + merge.size())
              .collect(Collectors.joining("\n")));
    }
    System.out.println(best);
  }

  private static double[] read(Path file, int count) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, 8L * count);
      double[] values = new double[count];
      bytes.order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(values);
      return values;
    }
  }
}
