package io.llmap.cuda;

import io.llmap.LlmapException;
import io.llmap.cuda.CudaResources.DeviceBuffer;
import io.llmap.distance.GramKernel;
import io.llmap.distance.RowSource;
import io.llmap.internal.Parallel;
import java.nio.DoubleBuffer;
import jcuda.driver.CUdeviceptr;

/**
 * A·Aᵀ on a device, in double precision: A is uploaded, and K² numbers come back.
 *
 * <p>The device holds K·N numbers and the K² results, and keeps the memory for them until the
 * kernel is closed. A matrix of more than 1 GiB goes in blocks of columns that are added in order
 * on the host. Both ways two page-locked buffers of some 16 MiB, or a row, take turns, so that
 * reading the rows overlaps copying them.
 *
 * <p>Safe for use by many threads, which take turns. For matrices that are on a device already
 * there is {@link CudaPairs}.
 */
public final class CudaGramKernel implements GramKernel, AutoCloseable {
  private static final long BLOCK_BYTES = 1L << 30;
  private static final int CHUNK_BYTES = 16 << 20;

  private final CudaContext context;
  private final CudaPairs pairs;
  private final CudaResources resources;
  private final long blockBytes;
  private final int chunkBytes;
  private final DeviceBuffer matrix;
  private final DeviceBuffer gram;
  private final CudaLane[] lanes;

  private CudaGramKernel(
      CudaContext context, CudaResources resources, long blockBytes, int chunkBytes) {
    this.context = context;
    this.pairs = new CudaPairs(context);
    this.resources = resources;
    this.blockBytes = blockBytes;
    this.chunkBytes = chunkBytes;
    this.matrix = resources.device();
    this.gram = resources.device();
    this.lanes = CudaLane.two(context, resources);
  }

  /**
   * Makes a kernel for a device.
   *
   * @param context the device; must stay open for as long as this
   * @return a kernel, to be closed
   * @throws LlmapException if a call of the driver fails; the message names it and CUDA's error
   */
  public static CudaGramKernel open(CudaContext context) {
    return open(context, BLOCK_BYTES, CHUNK_BYTES);
  }

  static CudaGramKernel open(CudaContext context, long blockBytes, int chunkBytes) {
    return CudaResources.open(
        context, resources -> new CudaGramKernel(context, resources, blockBytes, chunkBytes));
  }

  /**
   * {@inheritDoc}
   *
   * @throws LlmapException if a call of the driver fails; the message names it and CUDA's error
   */
  @Override
  public synchronized void add(RowSource a, double[] triangle) {
    long length = (long) a.rows() * (a.rows() + 1) / 2;
    if (triangle.length != length) {
      throw new IllegalArgumentException(
          "the triangle of %d rows has %d numbers, got %d"
              .formatted(a.rows(), length, triangle.length));
    }
    if (a.rows() > 0 && a.columns() > 0) {
      resources.use(() -> run(a, triangle));
    }
  }

  private boolean run(RowSource a, double[] triangle) {
    long columns = Math.max(1, blockBytes / ((long) a.rows() * Double.BYTES));
    try {
      for (int from = 0, to; from < a.columns(); from = to) {
        to = (int) Math.min(a.columns(), from + columns);
        addBlock(a, from, to, triangle);
      }
      return true;
    } catch (RuntimeException | Error e) {
      CudaLane.abandon(lanes, e);
      throw e;
    }
  }

  private void addBlock(RowSource a, int from, int to, double[] triangle) {
    int rows = a.rows();
    int columns = to - from;
    CUdeviceptr block = matrix.atLeast((long) rows * columns * Double.BYTES);
    CUdeviceptr results = gram.atLeast((long) rows * rows * Double.BYTES);
    inChunks(
        rows, columns, (lane, first, count) -> upload(a, from, columns, first, count, block, lane));
    lanes[0].start(() -> pairs.gram(block, rows, columns, results, lanes[0].stream()), () -> {});
    lanes[0].finish();
    inChunks(
        rows, rows, (lane, first, count) -> download(results, rows, first, count, triangle, lane));
  }

  private void upload(
      RowSource a, int from, int columns, int first, int count, CUdeviceptr block, CudaLane lane) {
    int bytes = count * columns * Double.BYTES;
    HostBuffer host = lane.host(bytes);
    DoubleBuffer numbers = host.bytes().asDoubleBuffer();
    Parallel.forEach(
        count,
        r -> {
          double[] row = new double[columns];
          a.read(first + r, from, from + columns, row, 0);
          numbers.put(r * columns, row);
        });
    CUdeviceptr to = block.withByteOffset((long) first * columns * Double.BYTES);
    lane.start(() -> context.driver().copyToDevice(to, host, bytes, lane.stream()), () -> {});
  }

  private void download(
      CUdeviceptr gram, int rows, int first, int count, double[] triangle, CudaLane lane) {
    int bytes = count * rows * Double.BYTES;
    HostBuffer host = lane.host(bytes);
    CUdeviceptr from = gram.withByteOffset((long) first * rows * Double.BYTES);
    lane.start(
        () -> context.driver().copyToHost(host, from, bytes, lane.stream()),
        () -> {
          DoubleBuffer numbers = host.bytes().asDoubleBuffer();
          for (int r = 0; r < count; r++) {
            addRow(numbers, r * rows, first + r, triangle);
          }
        });
  }

  private static void addRow(DoubleBuffer numbers, int at, int i, double[] triangle) {
    int start = (int) ((long) i * (i + 1) / 2);
    for (int j = 0; j <= i; j++) {
      triangle[start + j] += numbers.get(at + j);
    }
  }

  /** Hands the rows of a matrix to the lanes in turn and waits for them. */
  private void inChunks(int rows, int columns, Chunk chunk) {
    int rowsOfChunk = Math.max(1, chunkBytes / Double.BYTES / columns);
    int turn = 0;
    for (int first = 0; first < rows; first += rowsOfChunk, turn++) {
      CudaLane lane = lanes[turn % lanes.length];
      lane.finish();
      chunk.start(lane, first, Math.min(rowsOfChunk, rows - first));
    }
    for (CudaLane lane : lanes) {
      lane.finish();
    }
  }

  /** Starts to copy a chunk of rows. */
  private interface Chunk {
    void start(CudaLane lane, int first, int count);
  }

  /**
   * Frees the buffers; a second call does nothing.
   *
   * @throws LlmapException if a call of the driver fails
   */
  @Override
  public synchronized void close() {
    resources.close();
  }
}
