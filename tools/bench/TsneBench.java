import io.llmap.distance.DistanceMatrix;
import io.llmap.embed.Embedding;
import io.llmap.embed.Tsne;
import io.llmap.matrix.MatrixFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;

/** Maps the points of an .npy file several times; prints the seconds of each, and writes the last map. */
class TsneBench {
  public static void main(String[] arguments) throws IOException {
    double[][] points = MatrixFiles.readNpy(Path.of(arguments[0]));
    Tsne tsne =
        Tsne.defaults()
            .withGradient(Tsne.Gradient.valueOf(arguments[1]))
            .withIterations(Integer.parseInt(arguments[2]));
    boolean fromPoints = arguments[3].equals("points");
    int rounds = Integer.parseInt(arguments[4]);
    DistanceMatrix distances = fromPoints ? null : distances(points);
    Embedding map = null;
    for (int round = 0; round < rounds; round++) {
      long start = System.nanoTime();
      map = tsne.embed(fromPoints ? distances(points) : distances);
      System.out.println((System.nanoTime() - start) / 1e9);
    }
    System.err.println(map.method());
    ByteBuffer bytes =
        ByteBuffer.allocate(16 * map.size()).order(ByteOrder.LITTLE_ENDIAN);
    for (double[] point : map.toArray()) {
      bytes.putDouble(point[0]).putDouble(point[1]);
    }
    Files.write(Path.of(arguments[5]), bytes.array());
  }

  /** From differences, on all threads; no short cut over inner products. */
  private static DistanceMatrix distances(double[][] points) {
    int k = points.length;
    double[] triangle = new double[k * (k - 1) / 2];
    IntStream.range(1, k)
        .parallel()
        .forEach(
            i -> {
              int row = (int) ((long) i * (i - 1) / 2);
              for (int j = 0; j < i; j++) {
                triangle[row + j] = Math.sqrt(squares(points[i], points[j]));
              }
            });
    return DistanceMatrix.wrap(IntStream.range(0, k).mapToObj(i -> "m" + i).toList(), triangle);
  }

  private static double squares(double[] a, double[] b) {
    double even = 0;
    double odd = 0;
    for (int d = 0; d + 1 < a.length; d += 2) {
      even += (a[d] - b[d]) * (a[d] - b[d]);
      odd += (a[d + 1] - b[d + 1]) * (a[d + 1] - b[d + 1]);
    }
    if (a.length % 2 == 1) {
      double last = a[a.length - 1] - b[a.length - 1];
      even += last * last;
    }
    return even + odd;
  }
}
