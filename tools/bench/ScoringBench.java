import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.sun.management.OperatingSystemMXBean;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.score.Scorers;
import io.llmap.text.TextSet;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * llmap and the bare loop of scoring.py. Arguments: model folder, texts (JSONL), token ids of the
 * texts (a line each), threads. A line of standard input is an order, a line of output its answer:
 *
 * <pre>
 * bare B             session.run over all texts in batches of B, longest first: seconds of wall
 *                    clock and of processor time
 * llmap              llmap's scorer over all texts: the same two
 * check              the texts' log-likelihoods by the bare session's logits, then by llmap
 * memory bare B      bytes of the process once the model is open, and their peak while it scores
 * memory llmap       the same two, then the peak of direct buffers
 * </pre>
 */
final class ScoringBench {
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();
  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private final Path folder;
  private final TextSet texts;
  private final int[][] ids;
  private final int threads;
  private OrtSession session;
  private LogLikelihoodScorer scorer;

  private ScoringBench(String[] args) throws IOException {
    folder = Path.of(args[0]);
    texts = TextSet.readJsonl(Path.of(args[1]));
    ids =
        Files.readAllLines(Path.of(args[2])).stream()
            .map(line -> Arrays.stream(line.split(" ")).mapToInt(Integer::parseInt).toArray())
            .toArray(int[][]::new);
    threads = Integer.parseInt(args[3]);
  }

  public static void main(String[] args) throws Exception {
    ScoringBench bench = new ScoringBench(args);
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String order = orders.readLine(); order != null; order = orders.readLine()) {
      System.out.println(bench.answer(order.split(" ")));
    }
  }

  private String answer(String[] order) throws Exception {
    return switch (order[0]) {
      case "bare" -> seconds(() -> bare(Integer.parseInt(order[1])));
      case "llmap" -> seconds(() -> llmap(new double[ids.length]));
      case "check" -> check();
      case "memory" -> order[1].equals("bare") ? bareMemory(Integer.parseInt(order[2])) : llmapMemory();
      default -> throw new IllegalArgumentException(order[0]);
    };
  }

  private String seconds(Callable<Void> job) throws Exception {
    session();
    scorer();
    long processor = PROCESS.getProcessCpuTime();
    long start = System.nanoTime();
    job.call();
    long elapsed = System.nanoTime() - start;
    return 1e-9 * elapsed + " " + 1e-9 * (PROCESS.getProcessCpuTime() - processor);
  }

  private OrtSession session() throws OrtException {
    if (session == null) {
      try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
        options.setIntraOpNumThreads(threads);
        session = ENVIRONMENT.createSession(folder.resolve("model.onnx").toString(), options);
      }
    }
    return session;
  }

  private LogLikelihoodScorer scorer() {
    if (scorer == null) {
      scorer =
          Scorers.open(
              new ModelSpec("onnx", folder, "model"),
              ScorerOptions.defaults().withThreads(threads));
    }
    return scorer;
  }

  /** Runs the graph on every text; all logits are made, none is fetched. */
  private Void bare(int batch) throws OrtException {
    OrtSession runtime = session();
    int[][] order = ids.clone();
    Arrays.sort(order, Comparator.comparingInt(sequence -> -sequence.length));
    for (int from = 0; from < order.length; from += batch) {
      int[][] sequences = Arrays.copyOfRange(order, from, Math.min(order.length, from + batch));
      try (Inputs inputs = new Inputs(runtime, sequences)) {
        runtime.run(inputs.tensors).close();
      }
    }
    return null;
  }

  private Void llmap(double[] logLikelihoods) {
    scorer().score(texts.texts(), (n, score) -> logLikelihoods[n] = score.logLikelihood());
    return null;
  }

  private String check() throws OrtException {
    double[] expected = new double[ids.length];
    for (int n = 0; n < ids.length; n++) {
      try (Inputs inputs = new Inputs(session(), new int[][] {ids[n]});
          OrtSession.Result result = session().run(inputs.tensors)) {
        OnnxTensor logits = (OnnxTensor) result.iterator().next().getValue();
        int vocabulary = (int) logits.getInfo().getShape()[2];
        FloatBuffer values = logits.getFloatBuffer();
        for (int t = 1; t < ids[n].length; t++) {
          float[] row = new float[vocabulary];
          values.get((t - 1) * vocabulary, row);
          double sum = 0;
          for (float value : row) {
            sum += Math.exp(value);
          }
          expected[n] += row[ids[n][t]] - Math.log(sum);
        }
      }
    }
    double[] actual = new double[ids.length];
    llmap(actual);
    return join(expected) + " " + join(actual);
  }

  private static String join(double[] values) {
    return Arrays.stream(values).mapToObj(Double::toString).collect(Collectors.joining(" "));
  }

  private String bareMemory(int batch) throws IOException, OrtException {
    session();
    long before = resetPeak();
    bare(batch);
    return before + " " + status("VmHWM");
  }

  private String llmapMemory() throws IOException {
    scorer();
    long before = resetPeak();
    AtomicLong direct = new AtomicLong();
    AtomicBoolean done = new AtomicBoolean();
    Thread sampler =
        new Thread(
            () -> {
              while (!done.get()) {
                direct.accumulateAndGet(directBytes(), Math::max);
                try {
                  Thread.sleep(1);
                } catch (InterruptedException e) {
                  return;
                }
              }
            });
    sampler.setDaemon(true);
    sampler.start();
    llmap(new double[ids.length]);
    done.set(true);
    return before + " " + status("VmHWM") + " " + direct.get();
  }

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  /** Forgets the peak of loading, which is higher than that of a small batch; Linux only. */
  private static long resetPeak() throws IOException {
    System.gc();
    Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    return status("VmRSS");
  }

  private static long status(String field) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith(field + ":"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }

  /** Ids and mask of one batch, padded on the right. */
  private static final class Inputs implements AutoCloseable {
    final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();

    Inputs(OrtSession session, int[][] sequences) throws OrtException {
      int length = Arrays.stream(sequences).mapToInt(sequence -> sequence.length).max().orElseThrow();
      long[] shape = {sequences.length, length};
      LongBuffer tokens = longs(sequences.length * length);
      LongBuffer mask = longs(sequences.length * length);
      for (int[] sequence : sequences) {
        for (int t = 0; t < length; t++) {
          tokens.put(t < sequence.length ? sequence[t] : 0);
          mask.put(t < sequence.length ? 1 : 0);
        }
      }
      tensors.put("input_ids", OnnxTensor.createTensor(ENVIRONMENT, tokens.flip(), shape));
      if (session.getInputNames().contains("attention_mask")) {
        tensors.put("attention_mask", OnnxTensor.createTensor(ENVIRONMENT, mask.flip(), shape));
      }
    }

    private static LongBuffer longs(int size) {
      return ByteBuffer.allocateDirect(size * Long.BYTES)
          .order(ByteOrder.nativeOrder())
          .asLongBuffer();
    }

    @Override
    public void close() {
      tensors.values().forEach(OnnxValue::close);
    }
  }
}
