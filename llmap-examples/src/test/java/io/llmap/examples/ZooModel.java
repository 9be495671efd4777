package io.llmap.examples;

import io.llmap.onnx.OnnxForward;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.CausalLm;
import io.llmap.score.spi.Encoding;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.tokenizers.HuggingFaceTokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiConsumer;

/**
 * A model of the zoo with its whole next-token distributions, run by the backend that scores it,
 * with a document-start prefix. Safe for use by several threads.
 */
final class ZooModel implements AutoCloseable {
  private final String name;
  private final HuggingFaceTokenizer tokenizer;
  private final CausalLm lm;

  private ZooModel(String name, HuggingFaceTokenizer tokenizer, CausalLm lm) {
    this.name = name;
    this.tokenizer = tokenizer;
    this.lm = lm;
  }

  /**
   * Opens a model.
   *
   * @param zoo the folder that {@link Zoo#extract} wrote
   */
  static ZooModel open(Path zoo, String name) {
    Path folder = zoo.resolve(name);
    HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(folder);
    try {
      return new ZooModel(name, tokenizer, OnnxForward.open(folder, ScorerOptions.defaults()));
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  String name() {
    return name;
  }

  int vocabulary() {
    return lm.vocabularySize();
  }

  /** BOS where the tokenizer has one, else EOS. */
  int prefix() {
    return tokenizer.bosId().orElseGet(() -> tokenizer.eosId().orElseThrow());
  }

  /** The tokens of a text, without a prefix. */
  Encoding encode(String text) {
    return tokenizer.encode(text);
  }

  /** A sequence behind the prefix. */
  int[] withPrefix(int[] ids) {
    int[] all = new int[ids.length + 1];
    all[0] = prefix();
    System.arraycopy(ids, 0, all, 1, ids.length);
    return all;
  }

  /** The logits of one sequence, [T, V] in one array; row t is about the token at t + 1. */
  float[] logits(int[] ids) {
    float[] all = new float[ids.length * vocabulary()];
    forward(
        new int[][] {ids},
        (sequence, block) -> {
          float[] row = new float[vocabulary()];
          for (int t = 0; t < ids.length; t++) {
            block.read(t, 0, row.length, row);
            System.arraycopy(row, 0, all, t * row.length, row.length);
          }
        });
    return all;
  }

  /**
   * Runs a batch; each sequence's logits, of all its positions, are valid inside the call that
   * hands them over.
   */
  void forward(int[][] sequences, BiConsumer<Integer, LogitsBlock> sink) {
    // One more token each, since a last token predicts nothing that could be scored.
    int[][] longer = new int[sequences.length][];
    for (int b = 0; b < sequences.length; b++) {
      longer[b] = Arrays.copyOf(sequences[b], sequences[b].length + 1);
    }
    lm.forward(
        TokenBatch.of(longer, 0),
        new LogitsSink() {
          @Override
          public void logits(int sequence, int firstTarget, LogitsBlock logits) {
            sink.accept(sequence, logits);
          }

          @Override
          public void tokenLogProbs(int sequence, int firstTarget, double[] logProbs) {
            throw new AssertionError("the model was opened to give logits");
          }
        });
  }

  @Override
  public void close() {
    try (tokenizer) {
      lm.close();
    }
  }

  /**
   * A distribution from logits, in double precision.
   *
   * @param logits holds a row from {@code from} on
   * @param logProbs receives V natural logarithms
   * @param probs receives V probabilities
   */
  static void softmax(float[] logits, int from, double[] logProbs, double[] probs) {
    int vocabulary = logProbs.length;
    float max = Float.NEGATIVE_INFINITY;
    for (int v = 0; v < vocabulary; v++) {
      max = Math.max(max, logits[from + v]);
    }
    double sum = 0;
    for (int v = 0; v < vocabulary; v++) {
      double shifted = (double) logits[from + v] - max;
      logProbs[v] = shifted;
      probs[v] = Math.exp(shifted);
      sum += probs[v];
    }
    double logSum = Math.log(sum);
    for (int v = 0; v < vocabulary; v++) {
      logProbs[v] -= logSum;
      probs[v] /= sum;
    }
  }
}
