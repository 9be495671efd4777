package io.llmap.examples;

import io.llmap.score.TextScore;
import io.llmap.score.spi.Encoding;
import io.llmap.text.Text;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The true divergence of models with one tokenizer along a text: at every position the KL
 * divergence of their full next-token distributions given the text so far, summed over positions.
 *
 * <pre>
 * KL(i, j) = Σ_t Σ_v p_i(v | y_&lt;t) (log p_i(v | y_&lt;t) − log p_j(v | y_&lt;t))    nats per text
 * </pre>
 *
 * <p>The expectation of it over texts drawn from p_i is the divergence of p_i and p_j as
 * distributions over texts (chain rule); over given texts it is that of the models' predictions.
 *
 * @param kl [position, i · K + j], position t for the divergence at the token t of the text
 * @param logProbs [model, position], the log-probability of the text's own token
 * @param bounds the byte at which each token starts, and the length of the text
 */
record TeacherForcedKl(double[][] kl, double[][] logProbs, int[] bounds) {

  /** Runs every model once over the text, alone in its batch. */
  static TeacherForcedKl of(List<ZooModel> models, Text text) {
    Encoding encoding = models.get(0).encode(text.content());
    int tokens = encoding.ids().length;
    int[] bounds = Arrays.copyOf(encoding.byteOffsets(), tokens + 1);
    bounds[tokens] = text.bytes();
    return of(models, encoding.ids(), bounds);
  }

  /**
   * The same for a text that is given as tokens.
   *
   * @param bounds the byte at which each token starts, and the length of the text
   */
  static TeacherForcedKl of(List<ZooModel> models, int[] tokens, int[] bounds) {
    int k = models.size();
    int vocabulary = models.get(0).vocabulary();
    int[] ids = models.get(0).withPrefix(tokens);
    float[][] logits = new float[k][];
    for (int i = 0; i < k; i++) {
      if (models.get(i).vocabulary() != vocabulary) {
        throw new IllegalArgumentException(
            models.get(0).name() + " and " + models.get(i).name() + " have other vocabularies");
      }
      logits[i] = models.get(i).logits(ids);
    }
    double[][] kl = new double[tokens.length][k * k];
    double[][] own = new double[k][tokens.length];
    double[][] logProbs = new double[k][vocabulary];
    double[][] probs = new double[k][vocabulary];
    for (int t = 0; t < tokens.length; t++) {
      for (int i = 0; i < k; i++) {
        ZooModel.softmax(logits[i], t * vocabulary, logProbs[i], probs[i]);
        own[i][t] = logProbs[i][tokens[t]];
      }
      divergences(probs, logProbs, kl[t]);
    }
    return new TeacherForcedKl(kl, own, bounds);
  }

  /** The number of tokens. */
  int tokens() {
    return kl.length;
  }

  /** One model's scores of the first tokens of the text, from the same logits. */
  TextScore beginning(int i, int tokens) {
    return TokenScores.beginning(logProbs[i], bounds, Optional.empty(), tokens);
  }

  /** Sums over the first tokens of the text. */
  double[] sum(int tokens) {
    double[] sum = new double[logProbs.length * logProbs.length];
    for (int t = 0; t < tokens; t++) {
      for (int ij = 0; ij < sum.length; ij++) {
        sum[ij] += kl[t][ij];
      }
    }
    return sum;
  }

  /** All cross-entropies first: in double precision their differences lose nothing that matters. */
  private static void divergences(double[][] probs, double[][] logProbs, double[] kl) {
    int k = probs.length;
    for (int i = 0; i < k; i++) {
      double[] p = probs[i];
      for (int j = 0; j < k; j += 4) {
        double[] l0 = logProbs[j];
        double[] l1 = logProbs[Math.min(j + 1, k - 1)];
        double[] l2 = logProbs[Math.min(j + 2, k - 1)];
        double[] l3 = logProbs[Math.min(j + 3, k - 1)];
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        for (int v = 0; v < p.length; v++) {
          s0 += p[v] * l0[v];
          s1 += p[v] * l1[v];
          s2 += p[v] * l2[v];
          s3 += p[v] * l3[v];
        }
        double[] sums = {s0, s1, s2, s3};
        System.arraycopy(sums, 0, kl, i * k + j, Math.min(4, k - j));
      }
    }
    for (int i = 0; i < k; i++) {
      double negativeEntropy = kl[i * k + i];
      for (int j = 0; j < k; j++) {
        kl[i * k + j] = negativeEntropy - kl[i * k + j];
      }
    }
  }
}
