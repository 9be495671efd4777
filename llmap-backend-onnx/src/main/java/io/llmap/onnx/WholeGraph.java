package io.llmap.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;

/** A graph that runs as one and gives the logits of every position of a batch at once. */
final class WholeGraph implements ForwardPass {
  private final Path path;
  private final OnnxSession session;
  private final Deque<NativeBuffer> idle = new ConcurrentLinkedDeque<>();

  /**
   * Over a session, which is closed with this.
   *
   * @param path the model, for errors
   */
  WholeGraph(Path path, OnnxSession session) {
    this.path = path;
    this.session = session;
  }

  @Override
  public OnnxGraph graph() {
    return session.graph();
  }

  @Override
  public OnnxSession.Fetched fetch(Map<String, OnnxTensor> inputs) throws OrtException {
    return session.fetch(inputs);
  }

  @Override
  public long logitsBytesPerToken(int vocabularySize) {
    return (long) vocabularySize * session.graph().type().bytes();
  }

  @Override
  public void run(
      Map<String, OnnxTensor> inputs, TokenBatch batch, int vocabularySize, LogitsSink sink)
      throws OrtException {
    NativeBuffer pooled = idle.poll();
    NativeBuffer buffer = pooled == null ? new NativeBuffer() : pooled;
    try {
      ByteBuffer logits = buffer.reserve(logitsBytes(batch, vocabularySize));
      session.run(inputs, logits, new long[] {batch.sequences(), batch.length(), vocabularySize});
      for (int b = 0; b < batch.sequences(); b++) {
        int firstTarget = batch.firstTarget(b);
        long offset = ((long) b * batch.length() + firstTarget - 1) * vocabularySize;
        sink.logits(
            b,
            firstTarget,
            LogitsBlock.of(
                logits,
                session.graph().type(),
                offset,
                batch.targets(b),
                vocabularySize,
                vocabularySize));
      }
    } finally {
      idle.push(buffer);
    }
  }

  private long logitsBytes(TokenBatch batch, int vocabularySize) {
    long bytesPerToken = logitsBytesPerToken(vocabularySize);
    long bytes = (long) batch.sequences() * batch.length() * bytesPerToken;
    if (bytes > NativeBuffer.LARGEST) {
      throw new ScoringException(
          ("a batch of %d × %d tokens with a vocabulary of %d needs %d bytes of logits in %s, more"
                  + " than one buffer holds; %s %d tokens")
              .formatted(
                  batch.sequences(),
                  batch.length(),
                  vocabularySize,
                  bytes,
                  path,
                  batch.sequences() > 1
                      ? "lower the token budget to"
                      : "cut the text into pieces of at most",
                  NativeBuffer.LARGEST / bytesPerToken));
    }
    return bytes;
  }

  @Override
  public void cancel() {
    session.cancel();
  }

  @Override
  public void close() {
    session.close();
  }
}
