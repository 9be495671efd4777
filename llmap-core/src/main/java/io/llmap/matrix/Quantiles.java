package io.llmap.matrix;

/** Quantiles by selection, so that a matrix of ten million cells is not sorted. */
final class Quantiles {
  private Quantiles() {}

  /** numpy's {@code quantile(values, q)}, method 'linear'. Reorders the array. */
  static double linear(double[] values, double q) {
    double position = q * (values.length - 1);
    int below = (int) Math.floor(position);
    double lower = select(values, below);
    if (below + 1 == values.length) {
      return lower;
    }
    // After selection everything behind `below` is at least as large: the next one is their
    // minimum.
    double upper = Double.POSITIVE_INFINITY;
    for (int i = below + 1; i < values.length; i++) {
      upper = Math.min(upper, values[i]);
    }
    double t = position - below;
    double difference = upper - lower;
    // Interpolated from the nearer end, as numpy does, so that the last bit agrees with it too.
    return t >= 0.5 ? upper - difference * (1 - t) : lower + difference * t;
  }

  /** Hoare's quickselect with the median of three as pivot: the k-th smallest ends at index k. */
  private static double select(double[] a, int k) {
    int left = 0;
    int right = a.length - 1;
    while (left < right) {
      double pivot = median(a[left], a[(left + right) >>> 1], a[right]);
      int i = left;
      int j = right;
      while (i <= j) {
        while (a[i] < pivot) {
          i++;
        }
        while (a[j] > pivot) {
          j--;
        }
        if (i <= j) {
          double swap = a[i];
          a[i++] = a[j];
          a[j--] = swap;
        }
      }
      if (k <= j) {
        right = j;
      } else if (k >= i) {
        left = i;
      } else {
        break;
      }
    }
    return a[k];
  }

  private static double median(double a, double b, double c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
