package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.cuda.KernelArgument.Address;
import io.llmap.cuda.KernelArgument.Int32;
import io.llmap.cuda.KernelArgument.Int64;
import java.nio.ByteBuffer;
import java.util.List;
import jcuda.driver.CUdeviceptr;

/**
 * The kernels of log_prob.cu by their documentation, in double precision: what they read and write,
 * and which part of it a launch covers. Rounding is another test's matter.
 */
final class FakeKernels {
  interface Memory {
    ByteBuffer at(CUdeviceptr pointer, long bytes);
  }

  private final FakeCudaDriver.Launch launch;
  private final Memory memory;
  private int next;

  private FakeKernels(FakeCudaDriver.Launch launch, Memory memory) {
    this.launch = launch;
    this.memory = memory;
  }

  static void run(FakeCudaDriver.Launch launch, Memory memory) {
    assertThat(launch.shape().blockX()).isEqualTo(256);
    assertThat(launch.shape().gridX()).isPositive();
    assertThat(launch.shape().gridY()).isBetween(1, 65535);
    FakeKernels kernels = new FakeKernels(launch, memory);
    String name = launch.kernel();
    if (name.startsWith("llmap_log_probs_split_")) {
      kernels.split();
    } else if (name.startsWith("llmap_log_probs_combine_")) {
      kernels.combine();
    } else if (name.startsWith("llmap_log_probs_")) {
      kernels.rows();
    } else if (name.equals("llmap_segment_sums")) {
      kernels.segmentSums();
    } else {
      kernels.pairs();
    }
    assertThat(kernels.next).isEqualTo(launch.arguments().size());
  }

  private CUdeviceptr pointer() {
    return ((Address) launch.arguments().get(next++)).pointer();
  }

  private int int32() {
    return ((Int32) launch.arguments().get(next++)).value();
  }

  private long int64() {
    return ((Int64) launch.arguments().get(next++)).value();
  }

  private int bytes() {
    return launch.kernel().endsWith("_f32") ? 4 : 2;
  }

  private double[] row(CUdeviceptr logits, long stride, int row, int from, int count) {
    int size = bytes();
    ByteBuffer bytes =
        memory.at(logits.withByteOffset((row * stride + from) * size), (long) count * size);
    double[] z = new double[count];
    for (int v = 0; v < count; v++) {
      z[v] =
          size == 4
              ? bytes.getFloat(v * 4)
              : launch.kernel().endsWith("_bf16")
                  ? Float.intBitsToFloat(bytes.getShort(v * 2) << 16)
                  : half(bytes.getShort(v * 2));
    }
    return z;
  }

  private static double half(short bits) {
    int exponent = bits >> 10 & 31;
    int fraction = bits & 1023;
    double size =
        exponent == 0
            ? fraction * 0x1p-24
            : exponent == 31
                ? (fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
                : Math.scalb(1024.0 + fraction, exponent - 25);
    return bits < 0 ? -size : size;
  }

  private static double max(double[] z) {
    double max = Double.NEGATIVE_INFINITY;
    for (double logit : z) {
      max = Math.max(max, logit);
    }
    return max;
  }

  private static double sum(double[] z, double max) {
    double sum = 0;
    for (double logit : z) {
      sum += Math.exp(logit - max);
    }
    return sum;
  }

  private void rows() {
    CUdeviceptr logits = pointer();
    long stride = int64();
    int vocabulary = int32();
    CUdeviceptr targets = pointer();
    int rows = int32();
    int ignored = int32();
    CUdeviceptr out = pointer();
    for (int r = 0; r < Math.min(rows, launch.shape().gridX()); r++) {
      double[] z = row(logits, stride, r, 0, vocabulary);
      double max = max(z);
      write(out, r, targets, ignored, z, max + Math.log(sum(z, max)));
    }
  }

  private void write(
      CUdeviceptr out, int row, CUdeviceptr targets, int ignored, double[] z, double logSumExp) {
    int target = memory.at(targets.withByteOffset(4L * row), 4).getInt(0);
    double logProb =
        target == ignored
            ? 0
            : target < 0 || target >= z.length ? Double.NaN : z[target] - logSumExp;
    memory.at(out.withByteOffset(8L * row), 8).putDouble(0, logProb);
  }

  private void split() {
    CUdeviceptr logits = pointer();
    long stride = int64();
    int vocabulary = int32();
    int rows = int32();
    int chunks = int32();
    CUdeviceptr partials = pointer();
    assertThat(launch.shape().gridX()).isEqualTo(chunks);
    assertThat(launch.shape().gridY()).isEqualTo(rows);
    int length = (vocabulary + chunks - 1) / chunks;
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < chunks; c++) {
        int from = Math.min(vocabulary, c * length);
        double[] z = row(logits, stride, r, from, Math.min(length, vocabulary - from));
        float max = (float) max(z);
        memory
            .at(partials.withByteOffset(8L * (r * chunks + c)), 8)
            .putFloat(0, max)
            .putFloat(4, (float) sum(z, max));
      }
    }
  }

  private void combine() {
    CUdeviceptr logits = pointer();
    long stride = int64();
    int vocabulary = int32();
    CUdeviceptr targets = pointer();
    int rows = int32();
    int chunks = int32();
    CUdeviceptr partials = pointer();
    int ignored = int32();
    CUdeviceptr out = pointer();
    for (int r = 0; r < Math.min(rows, launch.shape().gridX()); r++) {
      ByteBuffer of = memory.at(partials.withByteOffset(8L * r * chunks), 8L * chunks);
      double max = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < chunks; c++) {
        max = Math.max(max, of.getFloat(8 * c));
      }
      double sum = 0;
      for (int c = 0; c < chunks; c++) {
        sum += of.getFloat(8 * c + 4) * Math.exp(of.getFloat(8 * c) - max);
      }
      double[] z = row(logits, stride, r, 0, vocabulary);
      write(out, r, targets, ignored, z, max + Math.log(sum));
    }
  }

  private void segmentSums() {
    CUdeviceptr logProbs = pointer();
    CUdeviceptr starts = pointer();
    int segments = int32();
    CUdeviceptr sums = pointer();
    for (int s = 0; s < Math.min(segments, launch.shape().gridX() * 8L); s++) {
      ByteBuffer bounds = memory.at(starts.withByteOffset(4L * s), 8);
      double sum = 0;
      for (int t = bounds.getInt(0); t < bounds.getInt(4); t++) {
        sum += memory.at(logProbs.withByteOffset(8L * t), 8).getDouble(0);
      }
      memory.at(sums.withByteOffset(8L * s), 8).putDouble(0, sum);
    }
  }

  private void pairs() {
    assertThat(List.of("llmap_gram_f64", "llmap_gram_f32", "llmap_squared_distances_f64"))
        .contains(launch.kernel());
    CUdeviceptr rows = pointer();
    int models = int32();
    long texts = int64();
    CUdeviceptr out = pointer();
    int size = launch.kernel().endsWith("f32") ? 4 : 8;
    int tiles = (models + 63) / 64;
    assertThat(launch.shape().gridX()).isEqualTo(tiles * (tiles + 1) / 2);
    ByteBuffer a = memory.at(rows, models * texts * size);
    for (int i = 0; i < models; i++) {
      for (int j = 0; j < models; j++) {
        double sum = 0;
        for (int n = 0; n < texts; n++) {
          double x = number(a, i * texts + n, size);
          double y = number(a, j * texts + n, size);
          sum += launch.kernel().contains("gram") ? x * y : (x - y) * (x - y);
        }
        memory.at(out.withByteOffset(8L * (i * models + j)), 8).putDouble(0, sum);
      }
    }
  }

  private static double number(ByteBuffer bytes, long index, int size) {
    int at = Math.toIntExact(index * size);
    return size == 4 ? bytes.getFloat(at) : bytes.getDouble(at);
  }
}
