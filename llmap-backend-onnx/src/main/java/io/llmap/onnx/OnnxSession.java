package io.llmap.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.RunOptions;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.OneLine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An ONNX Runtime session over a graph that takes token ids and gives logits; everything in llmap
 * that calls ONNX Runtime's session is here.
 *
 * <p>{@link #run} may be called by several threads at once.
 */
final class OnnxSession implements AutoCloseable {
  private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

  private final OrtEnvironment environment;
  private final OrtSession session;
  private final OnnxGraph graph;
  private final Set<RunOptions> running = new HashSet<>();

  private OnnxSession(OrtEnvironment environment, OrtSession session, OnnxGraph graph) {
    this.environment = environment;
    this.session = session;
    this.graph = graph;
  }

  /**
   * Loads a graph and checks its inputs and outputs.
   *
   * @param device {@code cpu} or {@code cuda:N}
   * @param threads how many threads share one operator
   * @throws BackendUnavailableException if the device or the file cannot be used, or the graph
   *     takes or gives something else
   */
  static OnnxSession open(Path model, String device, int threads) {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (SessionOptions settings = settings(device, threads)) {
      OrtSession session = environment.createSession(model.toString(), settings);
      try {
        OnnxGraph graph =
            OnnxGraph.of(model, session.getInputInfo().values(), session.getOutputInfo().values());
        return new OnnxSession(environment, session, graph);
      } catch (OrtException | RuntimeException e) {
        session.close();
        throw e;
      }
    } catch (OrtException e) {
      throw new BackendUnavailableException(
          "ONNX Runtime cannot load %s: %s".formatted(model, OneLine.of(e)), e);
    }
  }

  /**
   * Loads the part of a graph that takes token ids and gives hidden states.
   *
   * @param model the file that it is a part of
   * @throws OrtException if it cannot be loaded
   * @throws BackendUnavailableException if the device cannot be used, or the part takes or gives
   *     something else
   */
  static OnnxSession body(Path model, OutputHead cut, String device, int threads)
      throws IOException, OrtException {
    OrtSession session = load(cut.body(device.equals("cpu")), cut.folder(), device, threads);
    try {
      NodeInfo states = Objects.requireNonNull(session.getOutputInfo().get(cut.hidden()));
      OnnxGraph graph = OnnxGraph.ofBody(model, session.getInputInfo().values(), states);
      return new OnnxSession(OrtEnvironment.getEnvironment(), session, graph);
    } catch (OrtException | RuntimeException e) {
      session.close();
      throw e;
    }
  }

  /**
   * Loads the part of a graph that takes the hidden states of this one.
   *
   * @param width the size of a hidden state, H
   * @param scoring whether it gives token log-probabilities too
   * @return a session whose graph has the inputs of this one
   * @throws OrtException if it cannot be loaded
   * @throws BackendUnavailableException if it gives something other than logits
   */
  OnnxSession head(
      Path model, OutputHead cut, int width, boolean scoring, String device, int threads)
      throws IOException, OrtException {
    OnnxJavaType type = graph.javaType();
    byte[] part = scoring ? cut.scoringHead(type, width) : cut.head(type, width);
    OrtSession head = load(part, cut.folder(), device, threads);
    try {
      NodeInfo logits = Objects.requireNonNull(head.getOutputInfo().get(cut.logits()));
      OnnxGraph whole = OnnxGraph.of(model, session.getInputInfo().values(), List.of(logits));
      return new OnnxSession(environment, head, whole);
    } catch (OrtException | RuntimeException e) {
      head.close();
      throw e;
    }
  }

  private static OrtSession load(byte[] part, Path weights, String device, int threads)
      throws OrtException {
    try (SessionOptions settings = settings(device, threads)) {
      settings.addConfigEntry(
          "session.model_external_initializers_file_folder_path", weights.toString());
      return OrtEnvironment.getEnvironment().createSession(part, settings);
    }
  }

  /** What the graph takes and gives. */
  OnnxGraph graph() {
    return graph;
  }

  /**
   * Runs the graph and leaves the logits where they are to lie.
   *
   * @param inputs all that the graph takes
   * @param out a direct buffer, from its position to its limit exactly B·T·V logits
   * @param shape [B, T, V]
   */
  void run(Map<String, OnnxTensor> inputs, ByteBuffer out, long[] shape) throws OrtException {
    try (OnnxTensor pinned = tensor(out, shape, graph.javaType())) {
      run(inputs, graph.logits(), pinned);
    }
  }

  /**
   * Runs the graph for one output.
   *
   * @param out where it is to lie
   */
  void run(Map<String, OnnxTensor> inputs, String output, OnnxTensor out) throws OrtException {
    try (RunOptions options = new RunOptions()) {
      synchronized (running) {
        running.add(options);
      }
      try {
        session.run(inputs, Set.of(), Map.of(output, out), options).close();
      } finally {
        synchronized (running) {
          running.remove(options);
        }
      }
    }
  }

  /** Makes every {@code run} in progress fail at the end of its current operator. */
  void cancel() {
    // Inside the lock none of them can be freed.
    synchronized (running) {
      try {
        for (RunOptions options : running) {
          options.setTerminate(true);
        }
      } catch (OrtException e) {
        throw new IllegalStateException("ONNX Runtime cannot end a run", e);
      }
    }
  }

  /**
   * A tensor in the memory of a direct buffer, from its position to its limit.
   *
   * @return the caller's to close
   */
  OnnxTensor tensor(ByteBuffer memory, long[] shape, OnnxJavaType type) throws OrtException {
    return OnnxTensor.createTensor(environment, memory, shape, type);
  }

  /**
   * Runs the graph and copies the logits, whatever their shape.
   *
   * @param inputs all that the graph takes
   * @return the shape, and the logits widened to float
   */
  Fetched fetch(Map<String, OnnxTensor> inputs) throws OrtException {
    try (OrtSession.Result result = session.run(inputs, Set.of(graph.logits()))) {
      OnnxTensor tensor = (OnnxTensor) result.get(0);
      FloatBuffer copy = tensor.getFloatBuffer();
      float[] values = new float[copy.remaining()];
      copy.get(values);
      return new Fetched(tensor.getInfo().getShape(), values);
    }
  }

  /**
   * Runs this and then the head on all its hidden states, whatever their shape, and copies the
   * logits.
   *
   * @param inputs all that the graph takes
   * @param scoring whether the head takes targets too
   */
  Fetched fetch(Map<String, OnnxTensor> inputs, OnnxSession head, boolean scoring)
      throws OrtException {
    try (OrtSession.Result result = session.run(inputs, Set.of(graph.logits()))) {
      OnnxTensor states = (OnnxTensor) result.get(0);
      if (!scoring) {
        return head.fetch(Map.of(graph.logits(), states));
      }
      long[] shape = states.getInfo().getShape().clone();
      shape[shape.length - 1] = 1;
      int rows = Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b));
      ByteBuffer zeros =
          ByteBuffer.allocateDirect(rows * Long.BYTES).order(ByteOrder.nativeOrder());
      try (OnnxTensor targets = tensor(zeros, shape, OnnxJavaType.INT64)) {
        return head.fetch(Map.of(graph.logits(), states, OutputHead.TARGETS, targets));
      }
    }
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime cannot close its session", e);
    }
  }

  /** Logits out of the runtime's own memory. */
  record Fetched(long[] shape, float[] values) {}

  private static SessionOptions settings(String device, int threads) throws OrtException {
    SessionOptions settings = new SessionOptions();
    try {
      settings.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      settings.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
      settings.setInterOpNumThreads(1);
      settings.setIntraOpNumThreads(threads);
      // Between two batches the processors belong to the log-probability kernel.
      settings.addConfigEntry("session.force_spinning_stop", "1");
      addDevice(settings, device);
      return settings;
    } catch (OrtException | RuntimeException e) {
      settings.close();
      throw e;
    }
  }

  private static void addDevice(SessionOptions settings, String device) {
    if (device.equals("cpu")) {
      return;
    }
    Matcher cuda = CUDA.matcher(device);
    if (!cuda.matches()) {
      throw new BackendUnavailableException(
          "device \"%s\" is unknown to the onnx provider; use \"cpu\" or \"cuda:0\""
              .formatted(device));
    }
    try {
      settings.addCUDA(cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
    } catch (OrtException e) {
      throw new BackendUnavailableException(
          ("device \"%s\" cannot be used: %s; put com.microsoft.onnxruntime:onnxruntime_gpu on the"
                  + " class path in place of onnxruntime, beside the CUDA libraries that it needs")
              .formatted(device, OneLine.of(e)),
          e);
    }
  }
}
