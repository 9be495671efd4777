import io.llmap.distance.GramKernel;
import io.llmap.distance.GramKernels;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlUnit;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** llmap's side of gram.py. */
final class GramBench {
  private static final GramKernel KERNEL = GramKernels.best();

  public static void main(String[] args) throws IOException {
    switch (args[0]) {
      case "pipeline" -> pipeline(Path.of(args[1]), Path.of(args[2]), Integer.parseInt(args[3]));
      case "memory" -> memory(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
      case "scaling" -> scaling();
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  /** Raw log-likelihoods to the KL of all pairs; prints the seconds of each step. */
  private static void pipeline(Path input, Path output, int rounds) throws IOException {
    LogLikelihoodMatrix matrix = matrix(MatrixFiles.readNpy(input));
    Run best = null;
    for (int round = 0; round < rounds; round++) {
      Run run = Run.of(matrix);
      best = best == null || run.total() < best.total() ? run : best;
    }
    write(output, best.kl);
    System.out.printf("%f %f %f %f%n", best.total(), best.clip, best.centre, best.distances);
  }

  private record Run(double clip, double centre, double distances, KlDistances kl) {
    static Run of(LogLikelihoodMatrix matrix) {
      long start = System.nanoTime();
      Clipping clipping = Clipping.atQuantile(matrix, Clipping.DEFAULT_QUANTILE);
      long clipped = System.nanoTime();
      CenteredMatrix coordinates = CenteredMatrix.of(matrix, clipping);
      long centred = System.nanoTime();
      KlDistances kl = KlDistances.of(coordinates, KERNEL);
      kl.in(KlUnit.NATS_PER_TEXT);
      long done = System.nanoTime();
      return new Run(
          (clipped - start) / 1e9, (centred - clipped) / 1e9, (done - centred) / 1e9, kl);
    }

    double total() {
      return clip + centre + distances;
    }
  }

  private static void write(Path path, KlDistances kl) throws IOException {
    double[][] nats = kl.in(KlUnit.NATS_PER_TEXT).toArray();
    ByteBuffer bytes =
        ByteBuffer.allocate(8 * nats.length * nats.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double[] row : nats) {
      bytes.asDoubleBuffer().put(row);
      bytes.position(bytes.position() + 8 * row.length);
    }
    Files.write(path, bytes.array());
  }

  private static void memory(int models, int texts) throws IOException {
    long start = System.nanoTime();
    LogLikelihoodMatrix matrix = random(models, texts);
    double made = (System.nanoTime() - start) / 1e9;
    Run run = Run.of(matrix);
    long used = 0;
    System.gc();
    used = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    String peak =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmHWM"))
            .findFirst()
            .orElseThrow();
    System.out.printf(
        "%d × %d: data made in %.1f s, distances in %.1f s; heap limit %.1f GiB, matrix and result"
            + " %.2f GiB, peak of the process %.2f GiB (mean KL of the first pair %.3f)%n",
        models,
        texts,
        made,
        run.total(),
        Runtime.getRuntime().maxMemory() / 0x1p30,
        used / 0x1p30,
        Long.parseLong(peak.replaceAll("\\D", "")) / 0x1p20,
        run.kl.squaredEuclidean().get(1, 0) / (2.0 * matrix.texts()));
  }

  private static void scaling() {
    List<int[]> shapes = new ArrayList<>();
    for (int models : new int[] {64, 128, 256, 512, 1018, 2048, 4096}) {
      shapes.add(new int[] {models, 10_000});
    }
    for (int texts : new int[] {625, 1250, 2500, 5000, 20_000, 40_000}) {
      shapes.add(new int[] {1018, texts});
    }
    LogLikelihoodMatrix warmUp = random(200, 2000);
    for (int round = 0; round < 50; round++) {
      Run.of(warmUp);
    }
    System.out.println("models\ttexts\tclip_seconds\tcentre_seconds\tdistances_seconds");
    for (int[] shape : shapes) {
      LogLikelihoodMatrix matrix = random(shape[0], shape[1]);
      Run best = Run.of(matrix);
      for (int round = 0; round < 5; round++) {
        Run run = Run.of(matrix);
        best = run.total() < best.total() ? run : best;
      }
      System.out.printf(
          "%d\t%d\t%.5f\t%.5f\t%.5f%n",
          shape[0], shape[1], best.clip, best.centre, best.distances);
    }
  }

  private static LogLikelihoodMatrix random(int models, int texts) {
    double[][] values = new double[models][texts];
    IntStream.range(0, models)
        .parallel()
        .forEach(
            i -> {
              Random random = new Random(i);
              Arrays.setAll(values[i], n -> Math.min(-1, -600 + 120 * random.nextGaussian()));
            });
    return matrix(values);
  }

  private static LogLikelihoodMatrix matrix(double[][] values) {
    int[] bytes = new int[values[0].length];
    Arrays.fill(bytes, 1000);
    return LogLikelihoodMatrix.of(names("m", values.length), names("t", bytes.length), bytes, values);
  }

  private static List<String> names(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }
}
