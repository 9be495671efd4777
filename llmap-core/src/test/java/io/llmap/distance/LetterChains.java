package io.llmap.distance;

import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Texts and models with divergences in closed form: a letter depends on the one before it. Texts of
 * the first domain use the letters a to m, those of the second n to z. A model knows the true
 * transitions up to noise in its logits, whose size can differ between the domains: its quality.
 */
final class LetterChains {
  private static final int HALF = 13;
  private static final int LETTERS = 2 * HALF;

  private final Random random;
  private final double[][] truth = new double[LETTERS][HALF];
  private final List<double[][]> models = new ArrayList<>();

  LetterChains(long seed) {
    random = new Random(seed);
    for (double[] row : truth) {
      Arrays.setAll(row, v -> random.nextGaussian());
      normalize(row);
    }
  }

  /** Adds a model with the standard deviations of its logits' noise. */
  LetterChains model(double firstDomain, double secondDomain) {
    double[][] logProbs = new double[LETTERS][HALF];
    for (int a = 0; a < LETTERS; a++) {
      double noise = a < HALF ? firstDomain : secondDomain;
      double[] from = truth[a];
      Arrays.setAll(logProbs[a], v -> from[v] + noise * random.nextGaussian());
      normalize(logProbs[a]);
    }
    models.add(logProbs);
    return this;
  }

  private static void normalize(double[] row) {
    double sum = Arrays.stream(row).map(Math::exp).sum();
    Arrays.setAll(row, v -> row[v] - Math.log(sum));
  }

  /** Texts of the two domains in turn. */
  TextSet texts(int count, int length) {
    List<Text> texts = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      int offset = n % 2 * HALF;
      StringBuilder text = new StringBuilder();
      int last = offset + random.nextInt(HALF);
      text.append((char) ('a' + last));
      while (text.length() < length) {
        double u = random.nextDouble();
        int v = 0;
        while (v < HALF - 1 && (u -= Math.exp(truth[last][v])) > 0) {
          v++;
        }
        last = offset + v;
        text.append((char) ('a' + last));
      }
      texts.add(Text.of("t" + n, text.toString()));
    }
    return TextSet.of(texts);
  }

  int size() {
    return models.size();
  }

  /** A model's log-probability of each letter but the first. */
  double[] logProbs(int i, Text text) {
    String letters = text.content();
    double[] logProbs = new double[letters.length() - 1];
    Arrays.setAll(
        logProbs,
        t -> models.get(i)[letters.charAt(t) - 'a'][(letters.charAt(t + 1) - 'a') % HALF]);
    return logProbs;
  }

  /** A token a letter; the first is not scored. */
  List<TextScore> scores(int i, TextSet texts) {
    List<TextScore> scores = new ArrayList<>();
    for (Text text : texts) {
      double[] logProbs = logProbs(i, text);
      int[] offsets = new int[logProbs.length];
      Arrays.setAll(offsets, t -> t + 1);
      scores.add(score(text, offsets, logProbs));
    }
    return scores;
  }

  /** Tokens of up to so many letters, at random; the first letter is not scored. */
  List<TextScore> scores(int i, TextSet texts, int longest, Random lengths) {
    List<TextScore> scores = new ArrayList<>();
    for (Text text : texts) {
      double[] letters = logProbs(i, text);
      int[] offsets = new int[letters.length];
      double[] logProbs = new double[letters.length];
      int tokens = 0;
      int t = 0;
      while (t < letters.length) {
        offsets[tokens] = t + 1;
        int end = Math.min(letters.length, t + 1 + lengths.nextInt(longest));
        while (t < end) {
          logProbs[tokens] += letters[t++];
        }
        tokens++;
      }
      scores.add(score(text, Arrays.copyOf(offsets, tokens), Arrays.copyOf(logProbs, tokens)));
    }
    return scores;
  }

  /** The same letters in tokens of a fixed length. */
  static TextScore inGroups(TextScore letters, int length) {
    TokenLogProbs each = letters.tokenLogProbs().orElseThrow();
    int count = (each.logProbs().length + length - 1) / length;
    int[] offsets = new int[count];
    double[] logProbs = new double[count];
    for (int t = 0; t < each.logProbs().length; t++) {
      if (t % length == 0) {
        offsets[t / length] = each.byteOffsets()[t];
      }
      logProbs[t / length] += each.logProbs()[t];
    }
    return new TextScore(
        letters.logLikelihood(),
        count,
        letters.bytes(),
        false,
        Optional.of(new TokenLogProbs(logProbs, offsets)));
  }

  static TextScore score(Text text, int[] offsets, double[] logProbs) {
    return new TextScore(
        Arrays.stream(logProbs).sum(),
        logProbs.length,
        text.bytes(),
        false,
        Optional.of(new TokenLogProbs(logProbs, offsets)));
  }

  /**
   * The mean over texts of Σ_t KL(p_i(·|y_&lt;t), p_j(·|y_&lt;t)), the mean of both directions, in
   * nats per text.
   */
  double divergence(int i, int j, TextSet texts) {
    double[] byLetter = new double[LETTERS];
    for (int a = 0; a < LETTERS; a++) {
      for (int v = 0; v < HALF; v++) {
        double p = models.get(i)[a][v];
        double q = models.get(j)[a][v];
        byLetter[a] += (Math.exp(p) - Math.exp(q)) * (p - q) / 2;
      }
    }
    double sum = 0;
    for (Text text : texts) {
      for (int t = 0; t + 1 < text.content().length(); t++) {
        sum += byLetter[text.content().charAt(t) - 'a'];
      }
    }
    return sum / texts.size();
  }
}
