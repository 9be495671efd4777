package io.llmap.embed;

/**
 * The membership of an edge as a function of its length on the map (McInnes, Healy and Melville
 * 2018, section 3.2).
 *
 * <pre>φ(x) = 1 / (1 + a·x^(2b))</pre>
 *
 * @param a positive
 * @param b positive
 */
record UmapCurve(double a, double b) {
  private static final int POINTS = 300;
  private static final int MAX_STEPS = 1000;

  /**
   * The least squares fit to 1 up to minDist and exp(−(x − minDist) / spread) beyond it, at the
   * points of umap-learn: 300 from 0 to 3·spread. By Levenberg and Marquardt.
   */
  static UmapCurve fit(double minDist, double spread) {
    double[] x = new double[POINTS];
    double[] y = new double[POINTS];
    for (int p = 0; p < POINTS; p++) {
      x[p] = 3 * spread * p / (POINTS - 1);
      y[p] = x[p] < minDist ? 1 : StrictMath.exp(-(x[p] - minDist) / spread);
    }
    UmapCurve curve = new UmapCurve(1, 1);
    double misfit = curve.misfit(x, y);
    double damping = 1e-3;
    for (int step = 0; step < MAX_STEPS && damping < 1e12; step++) {
      UmapCurve next = curve.step(x, y, damping);
      double nextMisfit = next.a > 0 && next.b > 0 ? next.misfit(x, y) : Double.POSITIVE_INFINITY;
      if (nextMisfit < misfit) {
        curve = next;
        misfit = nextMisfit;
        damping = Math.max(damping / 10, 1e-12);
      } else {
        damping *= 10;
      }
    }
    return curve;
  }

  private double at(double x) {
    return 1 / (1 + a * StrictMath.pow(x, 2 * b));
  }

  private double misfit(double[] x, double[] y) {
    double sum = 0;
    for (int p = 0; p < x.length; p++) {
      double difference = y[p] - at(x[p]);
      sum += difference * difference;
    }
    return sum;
  }

  private UmapCurve step(double[] x, double[] y, double damping) {
    double aa = 0;
    double ab = 0;
    double bb = 0;
    double ar = 0;
    double br = 0;
    for (int p = 0; p < x.length; p++) {
      if (x[p] > 0) {
        double value = at(x[p]);
        double power = StrictMath.pow(x[p], 2 * b);
        double byA = -value * value * power;
        double byB = byA * a * 2 * StrictMath.log(x[p]);
        double residual = y[p] - value;
        aa += byA * byA;
        ab += byA * byB;
        bb += byB * byB;
        ar += byA * residual;
        br += byB * residual;
      }
    }
    aa *= 1 + damping;
    bb *= 1 + damping;
    double determinant = aa * bb - ab * ab;
    return new UmapCurve(
        a + (bb * ar - ab * br) / determinant, b + (aa * br - ab * ar) / determinant);
  }
}
