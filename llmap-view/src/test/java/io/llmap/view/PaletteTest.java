package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PaletteTest {
  private static final double[][] IDENTITY = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

  /** Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB. */
  static Stream<Arguments> eyes() {
    return Stream.of(
        Arguments.of("normal", IDENTITY, 20.0),
        Arguments.of(
            "protanopia",
            new double[][] {
              {0.152286, 1.052583, -0.204868},
              {0.114503, 0.786281, 0.099216},
              {-0.003882, -0.048116, 1.051998}
            },
            10.0),
        Arguments.of(
            "deuteranopia",
            new double[][] {
              {0.367322, 0.860646, -0.227968},
              {0.280085, 0.672501, 0.047413},
              {-0.011820, 0.042940, 0.968881}
            },
            10.0));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("eyes")
  void coloursStayApart(String eye, double[][] vision, double apart) {
    List<Integer> colors = Palette.GROUPS;
    for (int i = 0; i < colors.size(); i++) {
      for (int j = i + 1; j < colors.size(); j++) {
        assertThat(difference(lab(colors.get(i), vision), lab(colors.get(j), vision)))
            .as("%06X and %06X", colors.get(i), colors.get(j))
            .isGreaterThan(apart);
      }
    }
  }

  @Test
  void everyMarkDiffersInColourOrShape() {
    assertThat(
            Stream.iterate(0, g -> g + 1)
                .limit(Palette.MARKS)
                .map(g -> Palette.color(g) + " " + Palette.shape(g)))
        .hasSize(24)
        .doesNotHaveDuplicates();
  }

  @Test
  void labelsAreDarkEnoughToRead() {
    for (int color : Palette.GROUPS) {
      double label = lab(Palette.darken(color, 0.5), IDENTITY)[0];
      // L* below 53 is a contrast of 4.5 to 1 on white, the WCAG 2 level AA for text.
      assertThat(label).as("%06X", color).isLessThan(53);
    }
  }

  private static double[] lab(int rgb, double[][] vision) {
    double[] linear = new double[3];
    for (int c = 0; c < 3; c++) {
      double v = ((rgb >> (16 - 8 * c)) & 0xFF) / 255.0;
      linear[c] = v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
    }
    double[] seen = times(vision, linear);
    double[] xyz =
        times(
            new double[][] {
              {0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047},
              {0.2126729, 0.7151522, 0.0721750},
              {0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883}
            },
            seen);
    double[] f = new double[3];
    for (int c = 0; c < 3; c++) {
      double t = Math.max(0, xyz[c]);
      f[c] = t > 216.0 / 24389 ? Math.cbrt(t) : (24389.0 / 27 * t + 16) / 116;
    }
    return new double[] {116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])};
  }

  private static double[] times(double[][] matrix, double[] vector) {
    double[] product = new double[3];
    for (int r = 0; r < 3; r++) {
      for (int c = 0; c < 3; c++) {
        product[r] += matrix[r][c] * vector[c];
      }
    }
    return product;
  }

  private static double difference(double[] a, double[] b) {
    return Math.sqrt(
        Math.pow(a[0] - b[0], 2) + Math.pow(a[1] - b[1], 2) + Math.pow(a[2] - b[2], 2));
  }
}
