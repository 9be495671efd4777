package io.llmap;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.distance.Bootstrap;
import io.llmap.distance.TextSample;
import io.llmap.distance.TextSampling;
import io.llmap.embed.Pca;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.predict.RidgeRegression;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What needs every cell says so, instead of computing with a number that is not there. */
class MissingCellRefusalTest {
  private static final double[][] VALUES = {
    {-1, -2, -3, -9}, {-1, Double.NaN, -4, -5}, {-2, -2, -6, -4}
  };
  private static final LogLikelihoodMatrix PARTIAL =
      LogLikelihoodMatrix.ofPartial(
          List.of("a", "b", "c"),
          List.of("0", "1", "2", "3"),
          new int[] {10, 10, 10, 10},
          VALUES,
          new boolean[][] {new boolean[4], {false, true, false, false}, new boolean[4]});
  private static final CenteredMatrix COORDINATES = CenteredMatrix.of(PARTIAL, Clipping.NONE);

  @Test
  void methodsThatNeedEveryCellNameTheModelThatLacksOne() {
    assertRefused(() -> Pca.of(COORDINATES), "PCA");
    assertRefused(() -> Bootstrap.of(COORDINATES, 10, 1), "a bootstrap");
    assertRefused(
        () -> TextSampling.lengthSquared(PARTIAL, Clipping.NONE),
        "sampling texts by the models' differences");
    assertRefused(
        () -> RidgeRegression.fit(COORDINATES, new double[] {1, 2, 3}, 1), "ridge regression");
    TextSample all = TextSampling.uniform(PARTIAL, Clipping.NONE).sample(new int[] {0, 1, 2, 3});
    assertRefused(() -> all.distances(PARTIAL), "a sample of texts");
  }

  private static void assertRefused(ThrowingCallable call, String what) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            what + " needs every cell, but model \"b\" lacks 1 of 4 texts; select texts or models");
  }
}
