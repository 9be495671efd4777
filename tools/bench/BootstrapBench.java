import io.llmap.distance.Bootstrap;
import io.llmap.distance.BootstrapSummary;
import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlUnit;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixFiles;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Bootstraps the matrix of bootstrap.py; run by it.
 *
 * <p>{@code draws}: writes how often each replicate draws each text. {@code run}: prints the seconds
 * of all replicates with intervals and neighbours, in a warm JVM, and writes both ends of every
 * pair's interval.
 */
class BootstrapBench {
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[1]);
    int replicates = Integer.parseInt(args[2]);
    double[][] values = MatrixFiles.readNpy(folder.resolve("clipped.npy"));
    int texts = values[0].length;
    int[] bytes = new int[texts];
    Arrays.fill(bytes, 972);
    LogLikelihoodMatrix matrix =
        LogLikelihoodMatrix.of(
            IntStream.range(0, values.length).mapToObj(i -> "m" + i).toList(),
            IntStream.range(0, texts).mapToObj(s -> "t" + s).toList(),
            bytes,
            values);
    CenteredMatrix coordinates = CenteredMatrix.of(matrix, Clipping.NONE);
    Bootstrap bootstrap = Bootstrap.of(coordinates, replicates, 1);
    if (args[0].equals("draws")) {
      try (DataOutputStream out = open(folder.resolve("counts"))) {
        for (int r = 0; r < replicates; r++) {
          for (int count : bootstrap.counts(r)) {
            out.writeByte(count);
          }
        }
      }
      return;
    }
    Bootstrap.of(coordinates, 10, 2).summarize(0.95, 10);
    long start = System.nanoTime();
    BootstrapSummary summary = bootstrap.summarize(0.95, 10);
    System.out.println((System.nanoTime() - start) / 1e9);
    write(folder.resolve("lower"), summary.lower(KlUnit.NATS_PER_TEXT));
    write(folder.resolve("upper"), summary.upper(KlUnit.NATS_PER_TEXT));
  }

  private static void write(Path path, DistanceMatrix distances) throws IOException {
    try (DataOutputStream out = open(path)) {
      for (int i = 1; i < distances.size(); i++) {
        for (int j = 0; j < i; j++) {
          out.writeDouble(distances.get(i, j));
        }
      }
    }
  }

  private static DataOutputStream open(Path path) throws IOException {
    return new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(path), 1 << 16));
  }
}
