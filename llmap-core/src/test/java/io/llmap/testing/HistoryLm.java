package io.llmap.testing;

import io.llmap.score.spi.CausalLm;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A model whose probabilities are known in closed form, each of which depends on the last tokens
 * before it, up to an order, and on how many of them it sees: a token too few or too many in front
 * changes every number. Its tokens are those of {@link BigramLm}.
 */
public final class HistoryLm implements CausalLm {
  private static final int VOCABULARY = 28;

  private final int order;
  private final int contextLength;
  private int rowsPerBlock = Integer.MAX_VALUE;
  private boolean readyLogProbs;

  /** What is missing when the model hands over a sequence's logits: nothing, or the last rows. */
  private int rowsLeftOut;

  public HistoryLm(int order, int contextLength) {
    this.order = order;
    this.contextLength = contextLength;
  }

  /** Hands logits over in several blocks. */
  public HistoryLm withRowsPerBlock(int rows) {
    rowsPerBlock = rows;
    return this;
  }

  /** Hands log-probabilities over in place of logits. */
  public HistoryLm withReadyLogProbs() {
    readyLogProbs = true;
    return this;
  }

  /** Hands over too little, or with a negative number too much. */
  public HistoryLm withRowsLeftOut(int rows) {
    rowsLeftOut = rows;
    return this;
  }

  /** log p(next | before), by the definition. */
  public double logProb(int[] before, int next) {
    float[] logits = logits(before);
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return logits[next] - Math.log(sum);
  }

  private float[] logits(int[] before) {
    long hash = 0;
    for (int t = Math.max(0, before.length - order); t < before.length; t++) {
      hash = mix(hash + before[t] + 1);
    }
    float[] logits = new float[VOCABULARY];
    for (int v = 0; v < VOCABULARY; v++) {
      logits[v] = (mix(hash ^ (v + 1L)) >>> 40) * 0x1p-22f - 2;
    }
    return logits;
  }

  /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
  private static long mix(long z) {
    long y = z + 0x9e3779b97f4a7c15L;
    y = (y ^ (y >>> 30)) * 0xbf58476d1ce4e5b9L;
    y = (y ^ (y >>> 27)) * 0x94d049bb133111ebL;
    return y ^ (y >>> 31);
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public int vocabularySize() {
    return VOCABULARY;
  }

  @Override
  public int concurrency() {
    return 3;
  }

  @Override
  public void forward(TokenBatch batch, LogitsSink sink) {
    if (batch.length() > contextLength) {
      throw new AssertionError(batch.length() + " tokens in a context of " + contextLength);
    }
    for (int b = 0; b < batch.sequences(); b++) {
      int[] ids = new int[batch.length(b)];
      for (int t = 0; t < ids.length; t++) {
        ids[t] = batch.id(b, t);
      }
      int end = ids.length - rowsLeftOut;
      for (int first = batch.firstTarget(b); first < end; ) {
        int rows = Math.min(rowsPerBlock, end - first);
        handOver(b, first, rows, ids, sink);
        first += rows;
      }
    }
  }

  private void handOver(int sequence, int firstTarget, int rows, int[] ids, LogitsSink sink) {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(rows * VOCABULARY * Float.BYTES).order(ByteOrder.nativeOrder());
    double[] ready = new double[rows];
    for (int r = 0; r < rows; r++) {
      int[] before = Arrays.copyOf(ids, firstTarget + r);
      memory.asFloatBuffer().put(r * VOCABULARY, logits(before));
      ready[r] = firstTarget + r < ids.length ? logProb(before, ids[firstTarget + r]) : 0;
    }
    if (readyLogProbs) {
      sink.tokenLogProbs(sequence, firstTarget, ready);
    } else {
      sink.logits(
          sequence,
          firstTarget,
          LogitsBlock.of(memory, LogitsBlock.Type.F32, 0, rows, VOCABULARY, VOCABULARY));
    }
  }

  @Override
  public void close() {}
}
