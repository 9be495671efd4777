package io.llmap.matrix;

import io.llmap.internal.Parallel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Quantiles by selection, so that a matrix of ten million cells is neither sorted nor copied: a
 * sample says between which values the quantile lies, one pass counts what is below and collects
 * what is between (Floyd and Rivest 1975).
 */
final class Quantiles {
  /** Sorted in a millisecond; brackets 1 % of the values at a quantile of 0.02. */
  private static final int SAMPLE = 1 << 14;

  /** A bracket of so many standard deviations to each side misses once in 10,000 times. */
  private static final double FIRST_WIDTH = 4;

  private static final int PIECE = 1 << 16;

  /** A part of a row. */
  private record Span(double[] row, int from, int to) {}

  private final List<Span> spans = new ArrayList<>();
  private final double[] sample;

  private Quantiles(double[][] rows) {
    for (double[] row : rows) {
      for (int from = 0; from < row.length; from += PIECE) {
        spans.add(new Span(row, from, Math.min(from + PIECE, row.length)));
      }
    }
    sample = sample(rows);
  }

  /** numpy's {@code quantile(values, q)}, method 'linear'. */
  static double linear(double[] values, double q) {
    return linear(new double[][] {values}, q);
  }

  /**
   * The same of all values of all rows, NaN passed over as numpy's {@code nanquantile} does; NaN if
   * nothing is left. Reads the rows on several threads, and changes nothing.
   */
  static double linear(double[][] rows, double q) {
    Quantiles quantiles = new Quantiles(rows);
    for (double width = FIRST_WIDTH; ; width *= 8) {
      Bracket bracket = quantiles.bracket(q, width);
      long count = bracket.present();
      if (count == 0) {
        return Double.NaN;
      }
      double position = q * (count - 1);
      long below = (long) Math.floor(position);
      if (bracket.holds(below) && bracket.holds(Math.min(below + 1, count - 1))) {
        return bracket.interpolate(below, position - below);
      }
    }
  }

  /** Sorted; empty if all values are so few that they are collected without one. */
  private static double[] sample(double[][] rows) {
    long[] ends = new long[rows.length];
    long total = 0;
    for (int i = 0; i < rows.length; i++) {
      total += rows[i].length;
      ends[i] = total;
    }
    if (total <= 2 * SAMPLE) {
      return new double[0];
    }
    SplittableRandom random = new SplittableRandom(1);
    double[] sample = new double[SAMPLE];
    int size = 0;
    for (int draw = 0; draw < SAMPLE; draw++) {
      long at = random.nextLong(total);
      int found = Arrays.binarySearch(ends, at + 1);
      int i = found >= 0 ? found : -found - 1;
      double value = rows[i][(int) (at - ends[i] + rows[i].length)];
      if (!Double.isNaN(value)) {
        sample[size++] = value;
      }
    }
    double[] present = Arrays.copyOf(sample, size);
    Arrays.sort(present);
    return present;
  }

  private Bracket bracket(double q, double width) {
    int s = sample.length;
    double reach = width * Math.sqrt(s * q * (1 - q)) + width;
    int low = (int) Math.floor(q * s - reach);
    int high = (int) Math.ceil(q * s + reach);
    double lower = low < 0 ? Double.NEGATIVE_INFINITY : sample[low];
    double upper = high >= s ? Double.POSITIVE_INFINITY : sample[high];
    Piece[] pieces = new Piece[spans.size()];
    Parallel.forEach(
        pieces.length, piece -> pieces[piece] = new Piece(spans.get(piece), lower, upper));
    return new Bracket(lower, upper, pieces);
  }

  /** What a span has below, at, between and above the bounds. */
  private static final class Piece {
    private final int below;
    private final int atLower;
    private final int atUpper;
    private final int above;
    private final double[] between;

    Piece(Span span, double lower, double upper) {
      int belowLower = 0;
      int equalLower = 0;
      int equalUpper = 0;
      int aboveUpper = 0;
      double[] found = new double[16];
      int size = 0;
      for (int n = span.from(); n < span.to(); n++) {
        double value = span.row()[n];
        if (value > upper) {
          aboveUpper++;
        } else if (value < lower) {
          belowLower++;
        } else if (value == lower) {
          equalLower++;
        } else if (value == upper) {
          equalUpper++;
        } else if (value < upper) {
          if (size == found.length) {
            found = Arrays.copyOf(found, 2 * size);
          }
          found[size++] = value;
        }
      }
      below = belowLower;
      atLower = equalLower;
      atUpper = equalUpper;
      above = aboveUpper;
      between = Arrays.copyOf(found, size);
    }
  }

  /** All values that are not NaN, those between the bounds one by one. */
  private static final class Bracket {
    private final double lower;
    private final double upper;
    private final long endOfBelow;
    private final long endOfLower;
    private final long endOfBetween;
    private final long endOfUpper;
    private final long present;
    private final double[] between;

    Bracket(double lower, double upper, Piece[] pieces) {
      this.lower = lower;
      this.upper = upper;
      long below = 0;
      long atLower = 0;
      long atUpper = 0;
      long above = 0;
      long inside = 0;
      for (Piece piece : pieces) {
        below += piece.below;
        atLower += piece.atLower;
        inside += piece.between.length;
        atUpper += piece.atUpper;
        above += piece.above;
      }
      endOfBelow = below;
      endOfLower = below + atLower;
      endOfBetween = endOfLower + inside;
      endOfUpper = endOfBetween + atUpper;
      present = endOfUpper + above;
      between = new double[Math.toIntExact(inside)];
      int at = 0;
      for (Piece piece : pieces) {
        System.arraycopy(piece.between, 0, between, at, piece.between.length);
        at += piece.between.length;
      }
    }

    long present() {
      return present;
    }

    boolean holds(long rank) {
      return rank >= endOfBelow && rank < endOfUpper;
    }

    private double value(long rank) {
      if (rank < endOfLower) {
        return lower;
      }
      return rank < endOfBetween ? select(between, (int) (rank - endOfLower)) : upper;
    }

    double interpolate(long below, double t) {
      double low = value(below);
      if (below + 1 == present) {
        return low;
      }
      double high = value(below + 1);
      double difference = high - low;
      // Interpolated from the nearer end, as numpy does, so that the last bit agrees with it too.
      return t >= 0.5 ? high - difference * (1 - t) : low + difference * t;
    }
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
