import io.llmap.score.spi.LogProbKernel;
import io.llmap.score.spi.LogProbKernels;
import io.llmap.score.spi.LogitsBlock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * llmap's side of kernel.py. Arguments: file for the results, rounds, then for each case the type of
 * the logits, rows, vocabulary, file of the logits, file of the targets. Prints the best seconds of
 * each case in the second half of the rounds: a kernel can be fast at first and then be compiled
 * once more, with all that it is inlined into, and be slow. The cases take turns for the same reason.
 */
final class KernelBench {
  private record Case(LogitsBlock logits, int[] targets, double[] out) {
    static Case of(String[] args, int at) throws IOException {
      LogitsBlock.Type type = LogitsBlock.Type.valueOf(args[at]);
      int rows = Integer.parseInt(args[at + 1]);
      int vocabulary = Integer.parseInt(args[at + 2]);
      ByteBuffer memory = read(Path.of(args[at + 3]));
      int[] targets = new int[rows];
      read(Path.of(args[at + 4])).asIntBuffer().get(targets);
      return new Case(
          LogitsBlock.of(memory, type, 0, rows, vocabulary, vocabulary), targets, new double[rows]);
    }

    long nanos(LogProbKernel kernel) {
      long start = System.nanoTime();
      kernel.logProbs(logits, 0, logits.rows(), targets, 0, out, 0);
      return System.nanoTime() - start;
    }
  }

  public static void main(String[] args) throws IOException {
    LogProbKernel kernel = LogProbKernels.best();
    Case[] cases = new Case[(args.length - 2) / 5];
    for (int i = 0; i < cases.length; i++) {
      cases[i] = Case.of(args, 2 + 5 * i);
    }
    long[] best = new long[cases.length];
    Arrays.fill(best, Long.MAX_VALUE);
    int rounds = Integer.parseInt(args[1]);
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < cases.length; i++) {
        long nanos = cases[i].nanos(kernel);
        if (round >= rounds / 2) {
          best[i] = Math.min(best[i], nanos);
        }
      }
    }
    Files.writeString(
        Path.of(args[0]),
        Arrays.stream(cases)
            .map(c -> Arrays.stream(c.out).mapToObj(Double::toString).collect(Collectors.joining(" ")))
            .collect(Collectors.joining("\n")));
    System.out.println(
        Arrays.stream(best).mapToObj(n -> Double.toString(1e-9 * n)).collect(Collectors.joining(" ")));
  }

  private static ByteBuffer read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer memory =
          ByteBuffer.allocateDirect((int) channel.size()).order(ByteOrder.nativeOrder());
      while (memory.hasRemaining() && channel.read(memory) >= 0) {}
      return memory.flip();
    }
  }
}
