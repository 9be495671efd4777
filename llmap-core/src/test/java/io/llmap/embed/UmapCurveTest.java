package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.testing.GoldenFiles;
import org.junit.jupiter.api.Test;

class UmapCurveTest {
  @Test
  void isTheFitOfScipy() {
    for (double[] expected : GoldenFiles.matrix("umap_curves.npy")) {
      UmapCurve curve = UmapCurve.fit(expected[0], expected[1]);

      // The sum of squares is flat at its minimum: half of the digits are all that it decides.
      assertThat(curve.a()).isCloseTo(expected[2], within(1e-6 * expected[2]));
      assertThat(curve.b()).isCloseTo(expected[3], within(1e-6 * expected[3]));
    }
  }
}
