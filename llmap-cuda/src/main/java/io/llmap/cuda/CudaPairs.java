package io.llmap.cuda;

import io.llmap.LlmapException;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;

/**
 * Products and squared distances of all pairs of rows of a matrix that is on a device: of K models
 * over N texts,
 *
 * <pre>gram[i, j] = Σ_n a[i, n] · a[j, n]     distances[i, j] = Σ_n (a[i, n] − a[j, n])²</pre>
 *
 * <p>Sums in double precision, over the texts in order. Distances are summed from differences, so
 * that those of near duplicates keep their digits; they are never negative.
 *
 * <p>The matrix is [K, N], row after row without gaps; the result, double[K, K] with both halves,
 * is overwritten. Calls return when the kernel is queued on the stream they are given; memory and
 * stream are the caller's, in the primary context of the device. Safe for use by many threads.
 * O(K²·N) time; same inputs, same bits.
 */
public final class CudaPairs {
  /** Rows and columns of the square of pairs that one block sums. */
  private static final int TILE = 64;

  private final CudaContext context;

  /**
   * Makes calls on a device.
   *
   * @param context the device; must stay open for as long as this is used
   */
  public CudaPairs(CudaContext context) {
    this.context = context;
  }

  /**
   * Queues the products of rows of doubles.
   *
   * @param rows double[K, N] on the device
   * @param models K, 1 to 65535
   * @param texts N, at least 0
   * @param gram receives double[K, K]
   * @param stream where the kernel is queued
   * @throws IllegalArgumentException if K or N is out of its range
   * @throws LlmapException if a call of the driver fails, also one that was queued before
   */
  public void gram(CUdeviceptr rows, int models, long texts, CUdeviceptr gram, CUstream stream) {
    launch("llmap_gram_f64", rows, models, texts, gram, stream);
  }

  /**
   * Queues the products of rows of floats, multiplied and summed in double precision.
   *
   * @param rows float[K, N] on the device
   * @param models K, 1 to 65535
   * @param texts N, at least 0
   * @param gram receives double[K, K]
   * @param stream where the kernel is queued
   * @throws IllegalArgumentException if K or N is out of its range
   * @throws LlmapException if a call of the driver fails, also one that was queued before
   */
  public void gramOfFloats(
      CUdeviceptr rows, int models, long texts, CUdeviceptr gram, CUstream stream) {
    launch("llmap_gram_f32", rows, models, texts, gram, stream);
  }

  /**
   * Queues the squared Euclidean distances between rows of doubles.
   *
   * @param rows double[K, N] on the device
   * @param models K, 1 to 65535
   * @param texts N, at least 0
   * @param distances receives double[K, K], 0 on the diagonal
   * @param stream where the kernel is queued
   * @throws IllegalArgumentException if K or N is out of its range
   * @throws LlmapException if a call of the driver fails, also one that was queued before
   */
  public void squaredDistances(
      CUdeviceptr rows, int models, long texts, CUdeviceptr distances, CUstream stream) {
    launch("llmap_squared_distances_f64", rows, models, texts, distances, stream);
  }

  private void launch(
      String kernel, CUdeviceptr rows, int models, long texts, CUdeviceptr pairs, CUstream stream) {
    if (models < 1 || models > 65535 || texts < 0) {
      throw new IllegalArgumentException(
          "a matrix of %d models by %d texts".formatted(models, texts));
    }
    int tiles = (models + TILE - 1) / TILE;
    context.current(
        () -> {
          context.launch(
              kernel,
              new LaunchShape(tiles * (tiles + 1) / 2, 1, CudaLogProbs.BLOCK),
              stream,
              KernelArgument.of(rows),
              KernelArgument.of(models),
              KernelArgument.of(texts),
              KernelArgument.of(pairs));
          return true;
        });
  }
}
