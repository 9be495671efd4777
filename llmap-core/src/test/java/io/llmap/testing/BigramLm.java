package io.llmap.testing;

import io.llmap.score.spi.CausalLm;
import io.llmap.score.spi.Encoding;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.score.spi.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A model whose probabilities are known in closed form: each token depends on the one before it.
 * Its tokens are the bytes a to z, 26 is BOS and 27 is EOS.
 */
public final class BigramLm implements CausalLm {
  public static final int BOS = 26;
  public static final int EOS = 27;
  private static final int VOCABULARY = 28;

  private final float[][] logits = new float[VOCABULARY][VOCABULARY];
  private final int contextLength;

  /**
   * The longest sequence and the number of sequences of every batch so far, padded length first.
   */
  public final List<int[]> shapes = Collections.synchronizedList(new ArrayList<>());

  /** How many forward passes are running now. */
  public final AtomicInteger running = new AtomicInteger();

  public boolean closed;
  private int concurrency = 1;

  public BigramLm(long seed, int contextLength) {
    Random random = new Random(seed);
    for (float[] row : logits) {
      for (int v = 0; v < VOCABULARY; v++) {
        row[v] = (float) random.nextGaussian() * 2;
      }
    }
    this.contextLength = contextLength;
  }

  /** Replaces the logit of one pair. */
  public BigramLm with(int previous, int next, float logit) {
    logits[previous][next] = logit;
    return this;
  }

  /** Lets several threads in at once. */
  public BigramLm withConcurrency(int threads) {
    concurrency = threads;
    return this;
  }

  /** log p(next | previous), by the definition. */
  public double logProb(int previous, int next) {
    double sum = 0;
    for (float logit : logits[previous]) {
      sum += Math.exp(logit);
    }
    return logits[previous][next] - Math.log(sum);
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
    return concurrency;
  }

  @Override
  public void forward(TokenBatch batch, LogitsSink sink) {
    if (running.incrementAndGet() > concurrency) {
      throw new AssertionError("more than " + concurrency + " batches at once");
    }
    try {
      run(batch, sink);
    } finally {
      running.decrementAndGet();
    }
  }

  private void run(TokenBatch batch, LogitsSink sink) {
    shapes.add(new int[] {batch.length(), batch.sequences()});
    int t = batch.length();
    ByteBuffer memory =
        ByteBuffer.allocateDirect(batch.sequences() * t * VOCABULARY * Float.BYTES)
            .order(ByteOrder.nativeOrder());
    for (int b = 0; b < batch.sequences(); b++) {
      for (int position = 0; position < t; position++) {
        int at = (b * t + position) * VOCABULARY;
        memory.asFloatBuffer().put(at, logits[batch.id(b, position)]);
      }
      int firstTarget = batch.firstTarget(b);
      sink.logits(
          b,
          firstTarget,
          LogitsBlock.of(
              memory,
              LogitsBlock.Type.F32,
              (long) (b * t + firstTarget - 1) * VOCABULARY,
              batch.targets(b),
              VOCABULARY,
              VOCABULARY));
    }
  }

  @Override
  public void close() {
    closed = true;
  }

  /** One token a letter; other characters have no token. */
  public static final class Letters implements Tokenizer {
    private final OptionalInt bos;
    private final OptionalInt eos;
    public boolean closed;

    public Letters(OptionalInt bos, OptionalInt eos) {
      this.bos = bos;
      this.eos = eos;
    }

    @Override
    public Encoding encode(String text) {
      int[] at = new int[text.length()];
      int[] ids = new int[text.length()];
      int count = 0;
      for (int i = 0; i < text.length(); i++) {
        if (text.charAt(i) >= 'a' && text.charAt(i) <= 'z') {
          ids[count] = text.charAt(i) - 'a';
          at[count++] = i;
        }
      }
      return new Encoding(Arrays.copyOf(ids, count), Arrays.copyOf(at, count));
    }

    /** BOS in front, where there is one. */
    @Override
    public Encoding encodeWithSpecialTokens(String text) {
      Encoding plain = encode(text);
      if (bos.isEmpty()) {
        return plain;
      }
      int n = plain.ids().length;
      int[] ids = new int[n + 1];
      int[] at = new int[n + 1];
      ids[0] = bos.getAsInt();
      System.arraycopy(plain.ids(), 0, ids, 1, n);
      System.arraycopy(plain.byteOffsets(), 0, at, 1, n);
      return new Encoding(ids, at);
    }

    @Override
    public OptionalInt bosId() {
      return bos;
    }

    @Override
    public OptionalInt eosId() {
      return eos;
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
