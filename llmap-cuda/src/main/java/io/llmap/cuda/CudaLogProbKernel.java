package io.llmap.cuda;

import io.llmap.LlmapException;
import io.llmap.cuda.CudaResources.DeviceBuffer;
import io.llmap.score.spi.LogProbKernel;
import io.llmap.score.spi.LogitsBlock;
import java.util.Objects;
import jcuda.driver.CUdeviceptr;

/**
 * Log-probabilities on a device, from logits on the host, which are uploaded. Copying them to where
 * the device can fetch them takes one thread about as long as two or three threads take to reduce
 * them on the host, so this serves to compare and to test; logits that are made on a device belong
 * to {@link CudaLogProbs}.
 *
 * <p>Rows go in chunks of some 32 MiB through two page-locked buffers: while the device copies and
 * reduces one, the processor fills the other. Each of the two takes that much memory on the host
 * and on the device, or a row where that is longer.
 *
 * <p>Safe for use by many threads, which take turns. A result depends on its row alone.
 */
public final class CudaLogProbKernel implements LogProbKernel, AutoCloseable {
  private static final int CHUNK_BYTES = 32 << 20;

  /** Rows start where 128-bit loads can. */
  private static final int ALIGNMENT = 16;

  /** No target is negative. */
  private static final int IGNORE_NOTHING = -1;

  private final CudaContext context;
  private final CudaResources resources;
  private final int chunkBytes;
  private final CudaLane[] lanes;
  private final DeviceBuffer[] uploaded;
  private final DeviceBuffer[] results;

  private CudaLogProbKernel(CudaContext context, CudaResources resources, int chunkBytes) {
    this.context = context;
    this.resources = resources;
    this.chunkBytes = chunkBytes;
    this.lanes = CudaLane.two(context, resources);
    this.uploaded = new DeviceBuffer[] {resources.device(), resources.device()};
    this.results = new DeviceBuffer[] {resources.device(), resources.device()};
  }

  /**
   * Makes a kernel for a device.
   *
   * @param context the device; must stay open for as long as this
   * @return a kernel, to be closed
   * @throws LlmapException if a call of the driver fails; the message names it and CUDA's error
   */
  public static CudaLogProbKernel open(CudaContext context) {
    return open(context, CHUNK_BYTES);
  }

  static CudaLogProbKernel open(CudaContext context, int chunkBytes) {
    return CudaResources.open(
        context, resources -> new CudaLogProbKernel(context, resources, chunkBytes));
  }

  @Override
  public String name() {
    return CudaLogProbKernelProvider.NAME;
  }

  /**
   * {@inheritDoc}
   *
   * @throws LlmapException if a call of the driver fails; the message names it and CUDA's error
   */
  @Override
  public synchronized void logProbs(
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      double[] out,
      int outOffset) {
    Objects.checkFromIndexSize(firstRow, rows, logits.rows());
    Objects.checkFromIndexSize(targetsOffset, rows, targets.length);
    Objects.checkFromIndexSize(outOffset, rows, out.length);
    for (int r = 0; r < rows; r++) {
      Objects.checkIndex(targets[targetsOffset + r], logits.vocabulary());
    }
    if (rows > 0) {
      resources.use(() -> run(logits, firstRow, rows, targets, targetsOffset, out, outOffset));
    }
  }

  private boolean run(
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      double[] out,
      int outOffset) {
    int rowsOfChunk = (int) Math.max(1, chunkBytes / (rowBytes(logits) + Integer.BYTES));
    int turn = 0;
    try {
      for (int from = 0; from < rows; from += rowsOfChunk, turn = (turn + 1) % lanes.length) {
        lanes[turn].finish();
        start(
            turn,
            logits,
            firstRow + from,
            Math.min(rowsOfChunk, rows - from),
            targets,
            targetsOffset + from,
            out,
            outOffset + from);
      }
      for (CudaLane lane : lanes) {
        lane.finish();
      }
      return true;
    } catch (RuntimeException | Error e) {
      CudaLane.abandon(lanes, e);
      throw e;
    }
  }

  /** Goes up: the targets, then the rows. Comes down, to the same host memory: the results. */
  private void start(
      int turn,
      LogitsBlock logits,
      int firstRow,
      int rows,
      int[] targets,
      int targetsOffset,
      double[] out,
      int outOffset) {
    CudaDriver driver = context.driver();
    CudaLane lane = lanes[turn];
    int head = (int) roundedUp((long) rows * Integer.BYTES);
    int stride = Math.toIntExact(rowBytes(logits));
    int bytes = Math.toIntExact(head + (long) rows * stride);
    int resultBytes = rows * Double.BYTES;
    HostBuffer host = lane.host(Math.max(bytes, resultBytes));
    host.bytes().asIntBuffer().put(targets, targetsOffset, rows);
    for (int r = 0; r < rows; r++) {
      host.bytes()
          .put(
              head + r * stride,
              logits.memory(),
              logits.byteOffset(firstRow + r),
              logits.vocabulary() * logits.type().bytes());
    }
    CUdeviceptr device = uploaded[turn].atLeast(bytes);
    CUdeviceptr logProbs = results[turn].atLeast(resultBytes);
    CudaLogits onDevice =
        new CudaLogits(
            device.withByteOffset(head),
            logits.type(),
            rows,
            logits.vocabulary(),
            stride / logits.type().bytes());
    lane.start(
        () -> {
          driver.copyToDevice(device, host, bytes, lane.stream());
          CudaLogProbs.launchRows(
              context, onDevice, device, IGNORE_NOTHING, logProbs, lane.stream());
          driver.copyToHost(host, logProbs, resultBytes, lane.stream());
        },
        () -> host.bytes().asDoubleBuffer().get(out, outOffset, rows));
  }

  /** The size of a row on the device, where it starts at a multiple of the alignment. */
  private static long rowBytes(LogitsBlock logits) {
    return roundedUp((long) logits.vocabulary() * logits.type().bytes());
  }

  private static long roundedUp(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
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
