package io.llmap.examples;

import io.llmap.internal.Parallel;
import io.llmap.score.spi.Encoding;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * KL divergences of models with any tokenizers, by sampling: of their distributions over the next
 * words of real texts, as strings of bytes.
 *
 * <p>A place is a byte of a text at which white space follows something else. From there a
 * continuation c is drawn: it begins with white space and ends before the next white space that
 * follows something else. Such continuations are a partition of all that can follow, no token of a
 * byte-level BPE tokenizer crosses a place, and by the chain rule the divergence over a text is the
 * sum over its words of
 *
 * <pre>KL = E_i [log p_i(c, white space | text so far) − log p_j(c, white space | text so far)]
 * </pre>
 *
 * <p>p(c, white space) is the probability of c's tokens as the tokenizer cuts them, divided by that
 * of white space at the place and times that of white space behind c, each the sum over all tokens
 * that begin with it. Left out are other ways to cut c into tokens.
 */
final class WordKl {
  /** A continuation that is longer is given up, and counted. */
  private static final int MAX_TOKENS = 96;

  /** The texts before the places. */
  private final List<String> places;

  private final double wordsPerText;

  /**
   * What was drawn from one model.
   *
   * @param continuations a continuation for each place; empty where it was given up
   * @param pathLogProbs log p(c, white space) along the very tokens that were drawn
   */
  record Sample(List<Optional<String>> continuations, double[] pathLogProbs) {
    double lost() {
      return continuations.stream().filter(Optional::isEmpty).count()
          / (double) continuations.size();
    }
  }

  /**
   * An average.
   *
   * @param mean the mean
   * @param error its standard error
   */
  record Mean(double mean, double error) {
    static Mean of(double[] values) {
      double mean = Arrays.stream(values).average().orElseThrow();
      double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
      return new Mean(mean, Math.sqrt(squares / (values.length - 1.0) / values.length));
    }
  }

  /**
   * Chooses places evenly among all of them.
   *
   * @param count about how many
   */
  WordKl(TextSet texts, int count) {
    List<String> all = new ArrayList<>();
    for (Text text : texts) {
      byte[] utf8 = text.content().getBytes(StandardCharsets.UTF_8);
      for (int b = 1; b < utf8.length; b++) {
        if (isPlace(utf8, b)) {
          all.add(new String(utf8, 0, b, StandardCharsets.UTF_8));
        }
      }
    }
    this.wordsPerText = (double) all.size() / texts.size();
    this.places = new ArrayList<>();
    for (int c = 0; c < count; c++) {
      places.add(all.get((int) ((c + 0.5) * all.size() / count)));
    }
  }

  private static boolean isPlace(byte[] utf8, int b) {
    return TokenBytes.isWhiteSpace(utf8[b]) && !TokenBytes.isWhiteSpace(utf8[b - 1]);
  }

  /** Words in a text, on average. */
  double wordsPerText() {
    return wordsPerText;
  }

  /** Draws a continuation for each place. */
  Sample draw(ZooModel model, TokenBytes vocabulary, long seed) {
    List<int[]> beginnings =
        places.stream().map(before -> model.withPrefix(model.encode(before).ids())).toList();
    int[][] drawn =
        new SampledTokens(model, seed)
            .continueAll(
                beginnings,
                vocabulary::startsWithWhiteSpace,
                tokens ->
                    tokens.length >= MAX_TOKENS
                        || end(vocabulary, tokens) >= 0
                        || vocabulary.get(tokens[tokens.length - 1]).length == 0);
    List<Optional<String>> continuations = new ArrayList<>();
    int[][] paths = new int[drawn.length][];
    for (int n = 0; n < drawn.length; n++) {
      int[] tokens = Arrays.copyOfRange(drawn[n], beginnings.get(n).length, drawn[n].length);
      int end = end(vocabulary, tokens);
      Optional<String> c = end < 0 ? Optional.empty() : decode(bytes(vocabulary, tokens), end);
      continuations.add(c);
      // The token that showed the end begins there: none holds white space behind something else.
      paths[n] = Arrays.copyOf(drawn[n], drawn[n].length - 1);
    }
    double[] logProbs = new double[drawn.length];
    Parallel.forEach(
        drawn.length,
        n ->
            logProbs[n] =
                continuations.get(n).isEmpty()
                    ? Double.NaN
                    : logProb(model, vocabulary, paths[n], beginnings.get(n).length));
    return new Sample(continuations, logProbs);
  }

  /**
   * log p(c, white space | text so far) for every continuation, with c's tokens as the tokenizer
   * cuts them; NaN where there is none.
   */
  double[] logProbs(ZooModel model, TokenBytes vocabulary, Sample sample) {
    double[] logProbs = new double[places.size()];
    Parallel.forEach(
        logProbs.length,
        n -> {
          logProbs[n] = Double.NaN;
          sample
              .continuations
              .get(n)
              .ifPresent(
                  c -> {
                    String before = places.get(n);
                    Encoding beginning = model.encode(before);
                    int[] all = model.encode(before + c).ids();
                    int from = beginning.ids().length;
                    if (!Arrays.equals(beginning.ids(), Arrays.copyOf(all, from))) {
                      throw new AssertionError("a token crosses the place behind: " + before);
                    }
                    logProbs[n] = logProb(model, vocabulary, model.withPrefix(all), from + 1);
                  });
        });
    return logProbs;
  }

  /** The differences where both are there. */
  static double[] differences(double[] first, double[] second) {
    double[] differences = new double[first.length];
    for (int n = 0; n < first.length; n++) {
      differences[n] = first[n] - second[n];
    }
    return Arrays.stream(differences).filter(d -> !Double.isNaN(d)).toArray();
  }

  /** The mean length of a continuation. */
  static double meanBytes(Sample sample) {
    return sample.continuations.stream()
        .flatMap(Optional::stream)
        .mapToInt(c -> c.getBytes(StandardCharsets.UTF_8).length)
        .average()
        .orElseThrow();
  }

  private static double logProb(ZooModel model, TokenBytes vocabulary, int[] ids, int from) {
    int size = model.vocabulary();
    double[] sum = new double[1];
    model.forward(
        new int[][] {ids},
        (sequence, block) -> {
          double[] logProbs = new double[size];
          double[] probs = new double[size];
          float[] row = new float[size];
          for (int t = from; t <= ids.length; t++) {
            block.read(t - 1, 0, size, row);
            ZooModel.softmax(row, 0, logProbs, probs);
            if (t == from) {
              sum[0] -= Math.log(whiteSpace(vocabulary, probs));
            }
            sum[0] += t < ids.length ? logProbs[ids[t]] : Math.log(whiteSpace(vocabulary, probs));
          }
        });
    return sum[0];
  }

  private static double whiteSpace(TokenBytes vocabulary, double[] probs) {
    double sum = 0;
    for (int v = 0; v < probs.length; v++) {
      sum += vocabulary.startsWithWhiteSpace(v) ? probs[v] : 0;
    }
    return sum;
  }

  /** The byte at which a continuation ends, or −1 where its end was not yet drawn. */
  private static int end(TokenBytes vocabulary, int[] tokens) {
    byte[] bytes = bytes(vocabulary, tokens);
    for (int b = 1; b < bytes.length; b++) {
      if (isPlace(bytes, b)) {
        return b;
      }
    }
    return -1;
  }

  private static byte[] bytes(TokenBytes vocabulary, int[] tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int token : tokens) {
      bytes.writeBytes(vocabulary.get(token));
    }
    return bytes.toByteArray();
  }

  private static Optional<String> decode(byte[] bytes, int end) {
    try {
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, end)).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }
}
