package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The estimate against the truth on a family whose divergences are known (method 2.1 and 8.1): p_i
 * = p_0 · exp(ε·f_i − ψ_i) over 4000 outcomes, and texts drawn from p_0.
 */
class KlFactorTest {
  private static final int SUPPORT = 4000;
  private static final int MODELS = 5;

  private final double[][] logP = new double[MODELS][SUPPORT];
  private final double[] cumulative = new double[SUPPORT];
  private final Random random = new Random(20);

  private void makeFamily(double epsilon) {
    double[] p0 = new double[SUPPORT];
    for (int x = 0; x < SUPPORT; x++) {
      p0[x] = Math.exp(random.nextGaussian());
    }
    double total = Arrays.stream(p0).sum();
    double below = 0;
    for (int x = 0; x < SUPPORT; x++) {
      p0[x] /= total;
      below += p0[x];
      cumulative[x] = below;
    }
    for (double[] row : logP) {
      double norm = 0;
      for (int x = 0; x < SUPPORT; x++) {
        row[x] = epsilon * random.nextGaussian();
        norm += p0[x] * Math.exp(row[x]);
      }
      for (int x = 0; x < SUPPORT; x++) {
        row[x] += Math.log(p0[x]) - Math.log(norm);
      }
    }
  }

  private double divergence(int i, int j) {
    double kl = 0;
    for (int x = 0; x < SUPPORT; x++) {
      kl += Math.exp(logP[i][x]) * (logP[i][x] - logP[j][x]);
    }
    return kl;
  }

  private CenteredMatrix coordinates(int texts) {
    double[][] values = new double[MODELS][texts];
    for (int s = 0; s < texts; s++) {
      int found = Arrays.binarySearch(cumulative, random.nextDouble() * cumulative[SUPPORT - 1]);
      int x = found < 0 ? -found - 1 : found;
      for (int i = 0; i < MODELS; i++) {
        values[i][s] = logP[i][x];
      }
    }
    return CenteredMatrix.of(Simulated.matrix(values), Clipping.NONE);
  }

  /** Both directions and their mean: to this order they are one number. */
  @ParameterizedTest
  @ValueSource(doubles = {0.01, 0.02, 0.05})
  void nearbyModelsHaveTheirTrueDivergenceWithinTheIntervalAndThreePercent(double epsilon) {
    makeFamily(epsilon);
    BootstrapSummary summary = Bootstrap.of(coordinates(100_000), 40, 31).summarize(0.98, 1);
    DistanceMatrix estimate = summary.estimate().in(KlUnit.NATS_PER_TEXT);
    for (int i = 0; i < MODELS; i++) {
      for (int j = 0; j < i; j++) {
        double symmetric = (divergence(i, j) + divergence(j, i)) / 2;
        assertThat(estimate.get(i, j) / symmetric).isCloseTo(1, within(0.03));
        assertThat(estimate.get(i, j) / divergence(i, j)).isCloseTo(1, within(0.03));
        assertThat(estimate.get(i, j) / divergence(j, i)).isCloseTo(1, within(0.03));
        assertThat(summary.estimate().jeffreys(KlUnit.NATS_PER_TEXT).get(i, j) / (2 * symmetric))
            .isCloseTo(1, within(0.03));
        assertThat(symmetric)
            .isBetween(
                summary.lower(KlUnit.NATS_PER_TEXT).get(i, j),
                summary.upper(KlUnit.NATS_PER_TEXT).get(i, j));
      }
    }
  }

  /** How the ratio spreads as models move apart, at the paper's number of texts. */
  @ParameterizedTest
  @CsvSource({
    "0.01, 0.96, 1.04",
    "0.1,  0.96, 1.04",
    "0.3,  0.93, 1.07",
    "1.0,  0.80, 1.20",
    "2.0,  0.60, 1.60"
  })
  void theErrorGrowsWithTheDistanceOfTheModels(double epsilon, double least, double most) {
    makeFamily(epsilon);
    DistanceMatrix estimate = KlDistances.of(coordinates(10_000)).in(KlUnit.NATS_PER_TEXT);
    for (int i = 0; i < MODELS; i++) {
      for (int j = 0; j < MODELS; j++) {
        if (i != j) {
          assertThat(estimate.get(i, j) / divergence(i, j)).isBetween(least, most);
        }
      }
    }
  }
}
