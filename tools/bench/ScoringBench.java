import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
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
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
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
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * llmap and the bare loop of scoring.py. Arguments: backend (onnx, djl, or djl-onnx: ONNX Runtime
 * through DJL), model folder, texts (JSONL), token ids of the texts (a line each), threads. A line
 * of standard input is an order, a line of output its answer:
 *
 * <pre>
 * open               seconds until llmap has opened the model; to be the first order
 * bare B MODE        the runtime's forward pass over all texts in batches of B, longest first:
 *                    seconds of wall clock and of processor time. MODE is default, or for djl
 *                    unoptimized: without TorchScript's graph executor optimizer
 * llmap              llmap's scorer over all texts: the same two
 * check              the texts' log-likelihoods by the bare loop's logits, then by llmap
 * cancel             seconds from a cancellation in the middle of a run to its end
 * memory bare B MODE bytes of the process once the model is open, and their peak while it scores
 * memory llmap       the same two, then the peak of direct buffers
 * </pre>
 */
final class ScoringBench {
  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private final String backend;
  private final Path folder;
  private final TextSet texts;
  private final int[][] ids;
  private final int threads;
  private Bare bare;
  private LogLikelihoodScorer scorer;

  private ScoringBench(String[] args) throws IOException {
    backend = args[0];
    folder = Path.of(args[1]);
    texts = TextSet.readJsonl(Path.of(args[2]));
    ids =
        Files.readAllLines(Path.of(args[3])).stream()
            .map(line -> Arrays.stream(line.split(" ")).mapToInt(Integer::parseInt).toArray())
            .toArray(int[][]::new);
    threads = Integer.parseInt(args[4]);
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
      case "open" -> open();
      case "bare" -> seconds(() -> apart(() -> bare(Integer.parseInt(order[1]), order[2])));
      case "llmap" -> seconds(() -> llmap(new double[ids.length]));
      case "check" -> apart(this::check);
      case "cancel" -> cancel();
      case "memory" -> {
        if (order[1].equals("llmap")) {
          yield llmapMemory();
        }
        yield bareMemory(Integer.parseInt(order[2]), order[3]);
      }
      default -> throw new IllegalArgumentException(order[0]);
    };
  }

  /**
   * On a thread that ends with it, as llmap's own do: a team that libgomp leaves to a thread makes
   * those of all others sleep.
   */
  private static <T> T apart(Callable<T> job) throws Exception {
    FutureTask<T> task = new FutureTask<>(job);
    Thread thread = new Thread(task);
    thread.start();
    thread.join();
    return task.get();
  }

  private String open() {
    long start = System.nanoTime();
    scorer();
    return String.valueOf(1e-9 * (System.nanoTime() - start));
  }

  private String seconds(Callable<Void> job) throws Exception {
    runtime();
    scorer();
    long processor = PROCESS.getProcessCpuTime();
    long start = System.nanoTime();
    job.call();
    long elapsed = System.nanoTime() - start;
    return 1e-9 * elapsed + " " + 1e-9 * (PROCESS.getProcessCpuTime() - processor);
  }

  private Bare runtime() throws Exception {
    if (bare == null) {
      bare =
          backend.equals("djl")
              ? new BareDjl(folder.resolve("model.pt"), threads)
              : new BareOnnx(folder.resolve("model.onnx"), threads);
    }
    return bare;
  }

  private LogLikelihoodScorer scorer() {
    if (scorer == null) {
      String provider = backend.equals("onnx") ? "onnx" : "djl";
      Path file = folder.resolve(backend.equals("djl") ? "model.pt" : "model.onnx");
      scorer =
          Scorers.open(
              new ModelSpec(provider, file, "model"),
              ScorerOptions.defaults().withThreads(threads));
    }
    return scorer;
  }

  /** Runs the model on every text; all logits are made, none is read. */
  private Void bare(int batch, String mode) throws Exception {
    Bare runtime = runtime();
    runtime.set(mode);
    int[][] order = ids.clone();
    Arrays.sort(order, Comparator.comparingInt(sequence -> -sequence.length));
    for (int from = 0; from < order.length; from += batch) {
      runtime.forward(
          Arrays.copyOfRange(order, from, Math.min(order.length, from + batch)), logits -> {});
    }
    return null;
  }

  private Void llmap(double[] logLikelihoods) {
    scorer().score(texts.texts(), (n, score) -> logLikelihoods[n] = score.logLikelihood());
    return null;
  }

  private String check() throws Exception {
    double[] expected = new double[ids.length];
    runtime().set("default");
    for (int n = 0; n < ids.length; n++) {
      int[] sequence = ids[n];
      double[] sum = new double[1];
      runtime()
          .forward(
              new int[][] {sequence}, values -> sum[0] = logLikelihood(sequence, values.get()));
      expected[n] = sum[0];
    }
    double[] actual = new double[ids.length];
    llmap(actual);
    return join(expected) + " " + join(actual);
  }

  private static double logLikelihood(int[] sequence, FloatBuffer logits) {
    float[] row = new float[logits.capacity() / sequence.length];
    double logLikelihood = 0;
    for (int t = 1; t < sequence.length; t++) {
      logits.get((t - 1) * row.length, row);
      double sum = 0;
      for (float value : row) {
        sum += Math.exp(value);
      }
      logLikelihood += row[sequence[t]] - Math.log(sum);
    }
    return logLikelihood;
  }

  private String cancel() {
    llmap(new double[ids.length]);
    AtomicLong cancelled = new AtomicLong();
    scorer()
        .score(
            texts.texts(),
            new ScoringListener() {
              private long first;

              @Override
              public void scored(int n, TextScore score) {
                first = first == 0 ? System.nanoTime() : first;
              }

              @Override
              public boolean cancelled() {
                // Once the second batch has begun: nearly the most that there is to wait for.
                long now = System.nanoTime();
                boolean begun = first != 0 && now - first > 20_000_000;
                if (begun) {
                  cancelled.compareAndSet(0, now);
                }
                return begun;
              }
            });
    return String.valueOf(1e-9 * (System.nanoTime() - cancelled.get()));
  }

  private static String join(double[] values) {
    return Arrays.stream(values).mapToObj(Double::toString).collect(Collectors.joining(" "));
  }

  private String bareMemory(int batch, String mode) throws Exception {
    runtime();
    long before = resetPeak();
    apart(() -> bare(batch, mode));
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

  /** A runtime without llmap. */
  private interface Bare {
    void set(String mode);

    /** Pads on the right; the logits [B, T, V] can be had inside the call. */
    void forward(int[][] sequences, Consumer<Supplier<FloatBuffer>> logits) throws Exception;
  }

  /** [B, T] of ids, or of ones. */
  private static LongBuffer padded(int[][] sequences, boolean ones) {
    int length = sequences[0].length;
    LongBuffer values =
        ByteBuffer.allocateDirect(sequences.length * length * Long.BYTES)
            .order(ByteOrder.nativeOrder())
            .asLongBuffer();
    for (int[] sequence : sequences) {
      for (int t = 0; t < length; t++) {
        values.put(ones ? 1 : t < sequence.length ? sequence[t] : 0);
      }
    }
    return values.flip();
  }

  private static final class BareOnnx implements Bare {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    BareOnnx(Path model, int threads) throws OrtException {
      try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
        options.setIntraOpNumThreads(threads);
        session = environment.createSession(model.toString(), options);
      }
    }

    @Override
    public void set(String mode) {
      if (!mode.equals("default")) {
        throw new IllegalArgumentException(mode);
      }
    }

    @Override
    public void forward(int[][] sequences, Consumer<Supplier<FloatBuffer>> logits)
        throws OrtException {
      Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
      try {
        put(tensors, "input_ids", sequences, false);
        if (session.getInputNames().contains("attention_mask")) {
          put(tensors, "attention_mask", sequences, true);
        }
        try (OrtSession.Result result = session.run(tensors)) {
          logits.accept(() -> ((OnnxTensor) result.get(0)).getFloatBuffer());
        }
      } finally {
        tensors.values().forEach(OnnxValue::close);
      }
    }

    private void put(
        Map<String, OnnxTensor> tensors, String name, int[][] sequences, boolean ones)
        throws OrtException {
      long[] shape = {sequences.length, sequences[0].length};
      tensors.put(name, OnnxTensor.createTensor(environment, padded(sequences, ones), shape));
    }
  }

  private static final class BareDjl implements Bare {
    private final Model model = Model.newInstance("bare", "PyTorch");
    private final int threads;

    BareDjl(Path file, int threads) throws IOException, MalformedModelException {
      model.load(file.getParent(), String.valueOf(file.getFileName()));
      this.threads = threads;
    }

    @Override
    public void set(String mode) {
      JniUtils.setNumThreads(threads);
      JniUtils.setGraphExecutorOptimize(mode.equals("default"));
    }

    @Override
    public void forward(int[][] sequences, Consumer<Supplier<FloatBuffer>> logits) {
      Shape shape = new Shape(sequences.length, sequences[0].length);
      try (NDManager manager = model.getNDManager().newSubManager()) {
        NDArray ids = manager.create(padded(sequences, false), shape, DataType.INT64);
        NDArray mask = manager.create(padded(sequences, true), shape, DataType.INT64);
        NDList outputs =
            model
                .getBlock()
                .forward(new ParameterStore(manager, false), new NDList(ids, mask), false);
        logits.accept(() -> outputs.head().toByteBuffer(true).asFloatBuffer());
      }
    }
  }
}
