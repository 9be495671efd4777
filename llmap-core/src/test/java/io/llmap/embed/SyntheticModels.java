package io.llmap.embed;

/**
 * 1018 models in 40 families of unequal size, as tools/fixtures/tsne_objective.py makes them, to
 * the last bit: SplitMix64, and twelve uniforms to a deviate.
 */
final class SyntheticModels {
  private static final int DRAWS = 12;

  private SyntheticModels() {}

  static double[][] points() {
    double[] u = uniforms(1018, 1);
    double[][] centers = deviates(40, 2);
    double[][] points = deviates(1018, 3);
    for (int i = 0; i < points.length; i++) {
      double[] center = centers[(int) (centers.length * (u[i] * u[i]))];
      for (int a = 0; a < center.length; a++) {
        points[i][a] += 3 * center[a];
      }
    }
    return points;
  }

  private static double[][] deviates(int rows, long seed) {
    double[][] values = new double[rows][20];
    double[] u = uniforms(rows * 20 * DRAWS, seed);
    int next = 0;
    for (double[] row : values) {
      for (int a = 0; a < row.length; a++) {
        double sum = 0;
        for (int d = 0; d < DRAWS; d++) {
          sum += u[next++];
        }
        row[a] = sum - DRAWS / 2;
      }
    }
    return values;
  }

  private static double[] uniforms(int count, long seed) {
    double[] values = new double[count];
    for (int n = 0; n < count; n++) {
      long z = seed + (n + 1) * 0x9E3779B97F4A7C15L;
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      z ^= z >>> 31;
      values[n] = (z >>> 11) * 0x1p-53;
    }
    return values;
  }
}
