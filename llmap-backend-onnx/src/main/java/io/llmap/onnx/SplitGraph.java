package io.llmap.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.internal.OneLine;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * A graph that was cut before its output head, in two sessions. The body runs on a batch; then the
 * head runs on the rows that are scored, so many at a time that their logits fit into a buffer of a
 * fixed size.
 *
 * <p>Prompts, padding and last tokens never reach the head, and the memory for logits depends
 * neither on the batch nor on the length of a text.
 */
final class SplitGraph implements ForwardPass {
  private static final System.Logger LOG = System.getLogger(SplitGraph.class.getName());

  private final Path path;
  private final OnnxSession body;
  private final OnnxSession head;
  private final boolean scoring;
  private final long chunkBytes;
  private final int width;
  private final Deque<Buffers> idle = new ConcurrentLinkedDeque<>();

  private SplitGraph(
      Path path, OnnxSession body, OnnxSession head, boolean scoring, long chunkBytes, int width) {
    this.path = path;
    this.body = body;
    this.head = head;
    this.scoring = scoring;
    this.chunkBytes = chunkBytes;
    this.width = width;
  }

  /**
   * Cuts a graph and loads its parts.
   *
   * @param scoring whether the head gives log-probabilities rather than logits, if the operators of
   *     the graph's version can
   * @param chunkBytes what the logits of one run of the head may take; one row is always run
   * @throws IOException if the graph cannot be read, or cannot be cut
   * @throws OrtException if a part cannot be loaded
   * @throws BackendUnavailableException if the device cannot be used, or a part takes or gives
   *     something else than it should
   */
  static SplitGraph open(
      Path path, ModelConfig config, String device, int threads, boolean scoring, long chunkBytes)
      throws IOException, OrtException {
    OutputHead cut =
        OutputHead.find(GraphFile.map(path))
            .orElseThrow(
                () ->
                    new IOException(
                        "its logits are not a product of hidden states and constant weights"));
    OnnxSession body = OnnxSession.body(path, cut, device, threads);
    try {
      int width = width(path, body, config);
      if (scoring) {
        try {
          OnnxSession head = body.head(path, cut, width, true, device, threads);
          return new SplitGraph(path, body, head, true, chunkBytes, width);
        } catch (OrtException e) {
          LOG.log(
              System.Logger.Level.INFO,
              "{0}: the runtime cannot take log-probabilities, the kernel does: {1}",
              path,
              OneLine.of(e));
        }
      }
      OnnxSession head = body.head(path, cut, width, false, device, threads);
      return new SplitGraph(path, body, head, false, chunkBytes, width);
    } catch (IOException | OrtException | RuntimeException e) {
      body.close();
      throw e;
    }
  }

  /** The size of a hidden state, which only a run tells for every graph. */
  private static int width(Path path, OnnxSession body, ModelConfig config)
      throws IOException, OrtException {
    try (OnnxInputs inputs = new OnnxInputs(path, body.graph(), config)) {
      long[] shape = body.fetch(inputs.of(TokenBatch.of(new int[1][2], 0), 1)).shape();
      if (shape.length != 3 || shape[0] != 1 || shape[1] != 2) {
        throw new IOException(
            "hidden states of one sequence of two tokens have the shape " + Arrays.toString(shape));
      }
      return Math.toIntExact(shape[2]);
    }
  }

  @Override
  public OnnxGraph graph() {
    return head.graph();
  }

  @Override
  public OnnxSession.Fetched fetch(Map<String, OnnxTensor> inputs) throws OrtException {
    return body.fetch(inputs, head, scoring);
  }

  /** A position takes a hidden state; its logits come and go in pieces. */
  @Override
  public long logitsBytesPerToken(int vocabularySize) {
    return (long) width * body.graph().type().bytes();
  }

  @Override
  public void run(
      Map<String, OnnxTensor> inputs, TokenBatch batch, int vocabularySize, LogitsSink sink)
      throws OrtException {
    Buffers pooled = idle.poll();
    Buffers buffers = pooled == null ? new Buffers() : pooled;
    try {
      ByteBuffer states = buffers.states.reserve(stateBytes(batch));
      body.run(inputs, states, new long[] {batch.sequences(), batch.length(), width});
      int rows = pack(states, batch);
      Targets targets = new Targets(batch);
      // Chunks of one size: a short last one would cost nearly as much as a full one.
      int most = mostRows(vocabularySize);
      int chunks = (rows + most - 1) / most;
      int chunk = (rows + chunks - 1) / chunks;
      for (int from = 0; from < rows; from += chunk) {
        int count = Math.min(chunk, rows - from);
        ByteBuffer slice = slice(states, from, count);
        if (scoring) {
          score(slice, count, targets, buffers, sink);
        } else {
          logits(slice, count, vocabularySize, targets, buffers, sink);
        }
      }
    } finally {
      idle.push(buffers);
    }
  }

  private int mostRows(int vocabularySize) {
    long rowBytes = (long) vocabularySize * head.graph().type().bytes();
    return (int) Math.min(Integer.MAX_VALUE, Math.max(1, chunkBytes / rowBytes));
  }

  private long stateBytes(TokenBatch batch) {
    long bytesPerToken = (long) width * body.graph().type().bytes();
    long bytes = (long) batch.sequences() * batch.length() * bytesPerToken;
    if (bytes > NativeBuffer.LARGEST) {
      throw new ScoringException(
          ("a batch of %d × %d tokens needs %d bytes of hidden states in %s, more than one buffer"
                  + " holds; %s %d tokens")
              .formatted(
                  batch.sequences(),
                  batch.length(),
                  bytes,
                  path,
                  batch.sequences() > 1
                      ? "lower the token budget to"
                      : "cut the text into pieces of at most",
                  NativeBuffer.LARGEST / bytesPerToken));
    }
    return bytes;
  }

  /**
   * Moves the rows that are scored to the front.
   *
   * @return how many they are
   */
  private int pack(ByteBuffer states, TokenBatch batch) {
    int rowBytes = width * body.graph().type().bytes();
    int rows = 0;
    for (int b = 0; b < batch.sequences(); b++) {
      int from = b * batch.length() + batch.firstTarget(b) - 1;
      int count = batch.targets(b);
      if (from > rows) {
        states.put(rows * rowBytes, states, from * rowBytes, count * rowBytes);
      }
      rows += count;
    }
    return rows;
  }

  private ByteBuffer slice(ByteBuffer states, int firstRow, int rows) {
    int rowBytes = width * body.graph().type().bytes();
    return states.slice(firstRow * rowBytes, rows * rowBytes).order(states.order());
  }

  private void logits(
      ByteBuffer states,
      int rows,
      int vocabularySize,
      Targets targets,
      Buffers buffers,
      LogitsSink sink)
      throws OrtException {
    LogitsBlock.Type type = head.graph().type();
    ByteBuffer logits = buffers.results.reserve((long) rows * vocabularySize * type.bytes());
    try (OnnxTensor in = hidden(states, rows)) {
      head.run(Map.of(body.graph().logits(), in), logits, new long[] {1, rows, vocabularySize});
    }
    for (int row = 0; row < rows; ) {
      int sequence = targets.sequence();
      int firstTarget = targets.position();
      int count = targets.take(rows - row);
      long offset = (long) row * vocabularySize;
      sink.logits(
          sequence,
          firstTarget,
          LogitsBlock.of(logits, type, offset, count, vocabularySize, vocabularySize));
      row += count;
    }
  }

  private void score(ByteBuffer states, int rows, Targets targets, Buffers buffers, LogitsSink sink)
      throws OrtException {
    ByteBuffer ids = buffers.targets.reserve((long) rows * Long.BYTES);
    Targets ahead = targets.copy();
    for (int row = 0; row < rows; row++) {
      ids.putLong(row * Long.BYTES, ahead.id());
      ahead.take(1);
    }
    ByteBuffer results = buffers.results.reserve((long) rows * Float.BYTES);
    long[] shape = {1, rows, 1};
    try (OnnxTensor in = hidden(states, rows);
        OnnxTensor tokens = head.tensor(ids, shape, OnnxJavaType.INT64);
        OnnxTensor out = head.tensor(results, shape, OnnxJavaType.FLOAT)) {
      Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
      inputs.put(body.graph().logits(), in);
      inputs.put(OutputHead.TARGETS, tokens);
      head.run(inputs, OutputHead.LOG_PROBS, out);
    }
    for (int row = 0; row < rows; ) {
      int sequence = targets.sequence();
      int firstTarget = targets.position();
      double[] logProbs = new double[targets.take(rows - row)];
      for (int r = 0; r < logProbs.length; r++) {
        logProbs[r] = results.getFloat((row + r) * Float.BYTES);
      }
      sink.tokenLogProbs(sequence, firstTarget, logProbs);
      row += logProbs.length;
    }
  }

  private OnnxTensor hidden(ByteBuffer states, int rows) throws OrtException {
    return head.tensor(states, new long[] {1, rows, width}, body.graph().javaType());
  }

  @Override
  public void cancel() {
    body.cancel();
    head.cancel();
  }

  @Override
  public void close() {
    try (body) {
      head.close();
    }
  }

  /** The memory of one run. */
  private static final class Buffers {
    final NativeBuffer states = new NativeBuffer();
    final NativeBuffer results = new NativeBuffer();
    final NativeBuffer targets = new NativeBuffer();
  }
}
