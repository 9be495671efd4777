package io.llmap.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;

/**
 * Takes log-probabilities on the device that the logits are on, in chunks of rows, and copies only
 * them to the host.
 *
 * <p>Maximum and sum of exponentials are the engine's, in single precision; the rest is done in
 * double precision. PyTorch's own log-softmax adds up a row in as many numbers as the processor has
 * lanes, and on the CPU is 1e-5 off at a vocabulary of 151,669.
 */
final class DeviceHead implements LogitsReader {
  /** What one chunk may take on the device. */
  private static final long CHUNK_BYTES = 64L << 20;

  /** Logits in single precision, differences from the maximum, and their exponentials. */
  private static final int COPIES = 3;

  private final long chunkBytes;

  DeviceHead() {
    this(CHUNK_BYTES);
  }

  /**
   * As above, with a memory budget of one's choice.
   *
   * @param chunkBytes bytes; one row is always taken
   */
  DeviceHead(long chunkBytes) {
    this.chunkBytes = chunkBytes;
  }

  @Override
  public void read(NDArray logits, TokenBatch batch, LogitsSink sink) {
    long rowBytes = COPIES * logits.getShape().get(2) * Float.BYTES;
    int most = (int) Math.max(1, Math.min(Integer.MAX_VALUE, chunkBytes / rowBytes));
    for (int b = 0; b < batch.sequences(); b++) {
      int end = batch.length(b);
      for (int target = batch.firstTarget(b); target < end; target += most) {
        int rows = Math.min(most, end - target);
        sink.tokenLogProbs(b, target, logProbs(logits, batch, b, target, rows));
      }
    }
  }

  private static double[] logProbs(
      NDArray logits, TokenBatch batch, int sequence, int firstTarget, int rows) {
    long[] targets = new long[rows];
    for (int r = 0; r < rows; r++) {
      targets[r] = batch.id(sequence, firstTarget + r);
    }
    String chunk = "%d, %d:%d".formatted(sequence, firstTarget - 1, firstTarget - 1 + rows);
    // Closed at once, not with the batch, so that one chunk is in memory at a time.
    try (NDArray block = logits.get(new NDIndex(chunk));
        NDArray index = logits.getManager().create(targets, new Shape(rows, 1));
        NDArray picked = block.gather(index, 1);
        NDArray widePicked = picked.toType(DataType.FLOAT32, false);
        NDArray wide = block.toType(DataType.FLOAT32, false);
        NDArray max = wide.max(new int[] {1}, true);
        NDArray differences = wide.sub(max);
        NDArray exponentials = differences.exp();
        NDArray sum = exponentials.sum(new int[] {1})) {
      float[] ofTargets = widePicked.toFloatArray();
      float[] maxima = max.toFloatArray();
      float[] sums = sum.toFloatArray();
      double[] logProbs = new double[rows];
      for (int r = 0; r < rows; r++) {
        logProbs[r] = ofTargets[r] - (maxima[r] + Math.log(sums[r]));
      }
      return logProbs;
    }
  }
}
