package io.llmap.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import java.util.Map;

/** A graph that runs: as one, or cut before its output head. */
interface ForwardPass extends AutoCloseable {
  /** What the graph takes and gives. */
  OnnxGraph graph();

  /**
   * Runs a few short sequences and copies the logits of all positions.
   *
   * @param inputs all that the graph takes
   * @return the shape of the logits, and the logits widened to float
   */
  OnnxSession.Fetched fetch(Map<String, OnnxTensor> inputs) throws OrtException;

  /**
   * Runs a batch and hands over what it gives for every token that is scored.
   *
   * @param inputs all that the graph takes
   * @param vocabularySize V
   */
  void run(Map<String, OnnxTensor> inputs, TokenBatch batch, int vocabularySize, LogitsSink sink)
      throws OrtException;

  /** What one position of a batch takes in memory for its logits. */
  long logitsBytesPerToken(int vocabularySize);

  /** Makes every {@code run} in progress fail soon; may be called by any thread. */
  void cancel();

  @Override
  void close();
}
