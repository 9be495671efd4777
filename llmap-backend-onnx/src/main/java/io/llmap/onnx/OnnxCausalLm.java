package io.llmap.onnx;

import ai.onnxruntime.OrtException;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.internal.OneLine;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.CausalLm;
import io.llmap.score.spi.CausalityProbe;
import io.llmap.score.spi.LogProbKernels;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.tokenizers.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * A causal language model in an ONNX graph.
 *
 * <p>Each batch that runs at the same time as others has buffers of its own, which are reused.
 */
final class OnnxCausalLm implements CausalLm {
  /** What happens to the output head, which makes logits out of hidden states. */
  enum Head {
    /** The graph runs as one. */
    UNCUT,
    /** It runs by itself, on the rows that are scored, and gives their logits. */
    LOGITS,
    /** It gives the log-probabilities of the tokens that are scored. */
    LOG_PROBS
  }

  /**
   * Up to this size of graph and weights, threads run a batch each; above it, all of them run in
   * one batch. Measured on two cores with models of 1 to 124 M parameters: two batches on a thread
   * each beat one on both by 10 to 28 % up to 18 M parameters. Above 60 M that is 0 to 7 %, less
   * than the small chunks below would cost, and the working memory of every thread is large.
   */
  private static final long SMALL_MODEL_BYTES = 128L << 20;

  /**
   * The logits of one run of the head. The head reads all its weights in each run, which takes as
   * long as computing some 30 rows: 64 rows of 256k logits cost a fifth more than all rows at once,
   * 300 rows of 50k nothing that can be measured.
   */
  private static final long CHUNK_BYTES = 64L << 20;

  /** As above for a small model, whose weights and chunk lie in a cache; one for each thread. */
  private static final long SMALL_CHUNK_BYTES = 8L << 20;

  /** Every vocabulary has so many tokens. */
  private static final int SMALLEST_VOCABULARY = 3;

  private static final System.Logger LOG = System.getLogger(OnnxCausalLm.class.getName());

  private final Path path;
  private final ForwardPass pass;
  private final ModelConfig config;
  private final int contextLength;
  private final int vocabularySize;
  private final int concurrency;
  private final Deque<OnnxInputs> idleInputs = new ConcurrentLinkedDeque<>();

  private OnnxCausalLm(
      Path path, ForwardPass pass, ModelConfig config, int vocabularySize, int concurrency) {
    this.path = path;
    this.pass = pass;
    this.config = config;
    this.contextLength = config.contextLength().orElse(Integer.MAX_VALUE);
    this.vocabularySize = vocabularySize;
    this.concurrency = concurrency;
  }

  /**
   * Loads a model and runs two short sequences to see that it is causal.
   *
   * @param path the graph
   * @param config what config.json says about it
   * @param options threads and device
   * @throws BackendUnavailableException if the graph cannot be loaded, takes or gives something
   *     else, or is not causal
   */
  static OnnxCausalLm open(Path path, ModelConfig config, ScorerOptions options) {
    boolean wantsLogits = options.sketches() || LogProbKernels.isNamed();
    return open(path, config, options, wantsLogits ? Head.LOGITS : Head.LOG_PROBS, 0);
  }

  /**
   * As above, with the output head of one's choice.
   *
   * @param head what happens to the output head
   * @param chunkBytes what the logits of one run of the head may take; 0 to have it chosen
   */
  static OnnxCausalLm open(
      Path path, ModelConfig config, ScorerOptions options, Head head, long chunkBytes) {
    config.requireCausalLm(path);
    int concurrency = isSmall(path) ? options.threads() : 1;
    int threads = concurrency == 1 ? options.threads() : 1;
    long bytes = chunkBytes > 0 ? chunkBytes : isSmall(path) ? SMALL_CHUNK_BYTES : CHUNK_BYTES;
    ForwardPass pass = pass(path, config, options.device(), threads, head, bytes);
    try {
      int vocabularySize = probe(path, pass, config);
      return new OnnxCausalLm(path, pass, config, vocabularySize, concurrency);
    } catch (OrtException e) {
      pass.close();
      throw new BackendUnavailableException(
          "ONNX Runtime cannot run %s: %s".formatted(path, OneLine.of(e)), e);
    } catch (RuntimeException e) {
      pass.close();
      throw e;
    }
  }

  private static int probe(Path path, ForwardPass model, ModelConfig config) throws OrtException {
    int known =
        model.graph().vocabularySize().orElse(config.vocabularySize().orElse(SMALLEST_VOCABULARY));
    TokenBatch batch =
        CausalityProbe.batch(known, config.contextLength().orElse(Integer.MAX_VALUE));
    OnnxSession.Fetched fetched;
    try (OnnxInputs inputs = new OnnxInputs(path, model.graph(), config)) {
      fetched = model.fetch(inputs.of(batch, known));
    }
    return CausalityProbe.vocabularySize(path.toString(), batch, fetched.shape(), fetched.values());
  }

  private static ForwardPass pass(
      Path path, ModelConfig config, String device, int threads, Head head, long chunkBytes) {
    String reason = "";
    if (head != Head.UNCUT) {
      try {
        return SplitGraph.open(path, config, device, threads, head == Head.LOG_PROBS, chunkBytes);
      } catch (IOException | OrtException | BackendUnavailableException e) {
        reason = OneLine.of(e);
      }
    }
    OnnxSession session = OnnxSession.open(path, device, threads);
    LOG.log(
        System.Logger.Level.INFO,
        "{0} runs as one graph, with the logits of whole batches in memory: {1}",
        path,
        reason);
    return new WholeGraph(path, session);
  }

  private static boolean isSmall(Path path) {
    try {
      return OnnxModelFiles.weightBytes(path) <= SMALL_MODEL_BYTES;
    } catch (IOException e) {
      // The runtime will say what is wrong with the file.
      return false;
    }
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public int concurrency() {
    return concurrency;
  }

  /** Whether the output head runs by itself. */
  boolean isSplit() {
    return pass instanceof SplitGraph;
  }

  @Override
  public long logitsBytesPerToken() {
    return pass.logitsBytesPerToken(vocabularySize);
  }

  @Override
  public void forward(TokenBatch batch, LogitsSink sink) {
    if (batch.length() > contextLength) {
      throw new ScoringException(
          "a sequence of %d tokens does not fit the context of %s, %d tokens"
              .formatted(batch.length(), path, contextLength));
    }
    OnnxInputs pooled = idleInputs.poll();
    OnnxInputs inputs = pooled == null ? new OnnxInputs(path, pass.graph(), config) : pooled;
    try {
      pass.run(inputs.of(batch, vocabularySize), batch, vocabularySize, sink);
    } catch (OrtException e) {
      throw new ScoringException(
          "ONNX Runtime failed in %s on %d sequences of %d tokens: %s"
              .formatted(path, batch.sequences(), batch.length(), OneLine.of(e)),
          e);
    } finally {
      idleInputs.push(inputs);
    }
  }

  @Override
  public void cancel() {
    pass.cancel();
  }

  /** Frees the native sessions and the tensors of its inputs. */
  @Override
  public void close() {
    for (OnnxInputs inputs = idleInputs.poll(); inputs != null; inputs = idleInputs.poll()) {
      inputs.close();
    }
    pass.close();
  }
}
