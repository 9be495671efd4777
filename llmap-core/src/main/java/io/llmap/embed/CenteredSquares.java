package io.llmap.embed;

import io.llmap.distance.DistanceMatrix;
import io.llmap.internal.Parallel;
import java.util.Arrays;
import org.ejml.data.DMatrixRMaj;

/**
 * B = −½·J·D²·J with J = I − 1·1ᵀ/K, the Gram matrix of points whose distances are D. Products with
 * it read the distances and hold no other K × K matrix.
 */
final class CenteredSquares implements SymmetricOperator {
  /** Each adds to K sums of its own, so there must not be many. */
  private static final int PIECES = 16;

  private final DistanceMatrix distances;

  /** The means of the rows of D², and of all of it. */
  private final double[] means;

  private final double mean;

  CenteredSquares(DistanceMatrix distances) {
    this.distances = distances;
    int k = distances.size();
    double[] ones = new double[k];
    Arrays.fill(ones, 1);
    means = k == 0 ? ones : squaresTimes(new double[][] {ones})[0];
    double sum = 0;
    for (int i = 0; i < k; i++) {
      means[i] /= k;
      sum += means[i];
    }
    mean = k == 0 ? 0 : sum / k;
    if (!Double.isFinite(mean)) {
      throw new IllegalArgumentException(
          "the largest distance, " + largest() + ", is too large to be squared");
    }
  }

  private double largest() {
    double largest = 0;
    for (int i = 0; i < distances.size(); i++) {
      for (int j = 0; j < i; j++) {
        largest = Math.max(largest, distances.get(i, j));
      }
    }
    return largest;
  }

  @Override
  public int size() {
    return distances.size();
  }

  @Override
  public double[][] multiply(double[][] vectors) {
    // Centred before the product as well as behind it, because D² alone is nearly a constant.
    double[][] products =
        squaresTimes(Arrays.stream(vectors).map(v -> centered(v, 1)).toArray(double[][]::new));
    return Arrays.stream(products).map(v -> centered(v, -0.5)).toArray(double[][]::new);
  }

  private static double[] centered(double[] vector, double scale) {
    double mean = Arrays.stream(vector).sum() / vector.length;
    return Arrays.stream(vector).map(v -> scale * (v - mean)).toArray();
  }

  private double[][] squaresTimes(double[][] vectors) {
    int k = size();
    double[][][] parts = new double[PIECES][vectors.length][];
    Parallel.forEach(
        PIECES,
        piece -> {
          // Equal areas of the triangle.
          int from = (int) (k * Math.sqrt((double) piece / PIECES));
          int to = (int) (k * Math.sqrt((piece + 1.0) / PIECES));
          double[] squares = new double[to];
          for (int c = 0; c < vectors.length; c++) {
            parts[piece][c] = new double[to];
          }
          for (int i = from; i < to; i++) {
            for (int j = 0; j < i; j++) {
              double d = distances.get(i, j);
              squares[j] = d * d;
            }
            for (int c = 0; c < vectors.length; c++) {
              double[] part = parts[piece][c];
              part[i] += dot(squares, vectors[c], i);
              addMultiple(vectors[c][i], squares, part, i);
            }
          }
        });
    double[][] products = new double[vectors.length][k];
    for (double[][] part : parts) {
      for (int c = 0; c < vectors.length; c++) {
        addMultiple(1, part[c], products[c], part[c].length);
      }
    }
    return products;
  }

  static double dot(double[] a, double[] b, int count) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;
    for (; i + 4 <= count; i += 4) {
      s0 += a[i] * b[i];
      s1 += a[i + 1] * b[i + 1];
      s2 += a[i + 2] * b[i + 2];
      s3 += a[i + 3] * b[i + 3];
    }
    for (; i < count; i++) {
      s0 += a[i] * b[i];
    }
    return (s0 + s1) + (s2 + s3);
  }

  static void addMultiple(double factor, double[] a, double[] sum, int count) {
    for (int i = 0; i < count; i++) {
      sum[i] += factor * a[i];
    }
  }

  private double element(int i, int j) {
    double d = distances.get(i, j);
    return -0.5 * (d * d - means[i] - means[j] + mean);
  }

  /** B itself, new. */
  DMatrixRMaj toMatrix() {
    DMatrixRMaj b = new DMatrixRMaj(size(), size());
    for (int i = 0; i < size(); i++) {
      for (int j = 0; j <= i; j++) {
        double value = element(i, j);
        b.set(i, j, value);
        b.set(j, i, value);
      }
    }
    return b;
  }

  /** The sum of squares of B / unit, which is that of its eigenvalues. */
  double sumOfSquares(double unit) {
    double[] rows = new double[size()];
    Parallel.forEach(
        size(),
        i -> {
          double sum = 0;
          for (int j = 0; j < i; j++) {
            double value = element(i, j) / unit;
            sum += value * value;
          }
          double diagonal = element(i, i) / unit;
          rows[i] = 2 * sum + diagonal * diagonal;
        });
    return Arrays.stream(rows).sum();
  }
}
