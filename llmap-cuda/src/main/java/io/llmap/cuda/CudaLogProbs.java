package io.llmap.cuda;

import io.llmap.LlmapException;
import io.llmap.cuda.CudaResources.DeviceBuffer;
import io.llmap.cuda.CudaResources.PinnedBuffer;
import java.nio.IntBuffer;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Supplier;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;

/**
 * Token log-probabilities and their sums over texts, from logits that are on a device already:
 *
 * <pre>
 * logProbs[r] = logits[r, targets[r]] − log Σ_v exp(logits[r, v])
 * sums[s] = Σ logProbs[t], t = starts[s] … starts[s + 1] − 1
 * </pre>
 *
 * <p>Each logit is read once and nothing but the results is written. Sums are compensated; a row's
 * log-probability is right to 2⁻²³ · (|log p| + log₂ V + 8), a text's sum is in double precision. A
 * row with a NaN, a +∞, or nothing but −∞ gives NaN, and so does a target outside the vocabulary; a
 * target whose logit is −∞ gives −∞; the target {@code ignoreIndex} gives 0 and its row is not
 * read.
 *
 * <p><b>Streams.</b> All work is queued on the stream given to {@link #open}. The methods that take
 * a pointer for their results return at once: inputs must be ready on that stream, or by then, and
 * results are there once the stream gets to them. The methods that return an array wait for it.
 *
 * <p><b>Ownership.</b> Pointers stay the caller's, in the primary context of the device, or
 * reachable from it; memory that a queued call reads or writes must stay until that is done. The
 * stream is the caller's and must outlive this object.
 *
 * <p><b>Threads.</b> For one thread at a time, since scratch memory is shared by the calls in the
 * order of the stream; make one for each stream.
 *
 * <p><b>Determinism.</b> Same inputs, same bits, on the same kind of device. Fewer rows than twice
 * the device's multiprocessors are shared by several blocks each, which add in another order: the
 * same row can then differ in its last bits from one call to another with other rows beside it.
 *
 * <pre>{@code
 * try (CudaContext context = CudaContext.open(0);
 *     CudaLogProbs kernels = CudaLogProbs.open(context, stream)) {
 *   CudaLogits logits = new CudaLogits(pointer, LogitsBlock.Type.BF16, rows, vocabulary, stride);
 *   double[] logLikelihoods = kernels.logLikelihoods(logits, targets, starts, -100);
 *   System.out.println(Arrays.toString(logLikelihoods));
 * }
 * }</pre>
 */
public final class CudaLogProbs implements AutoCloseable {
  /** Threads of a block, of every kernel. */
  static final int BLOCK = 256;

  private static final int WARP = 32;

  /** How many blocks run on a multiprocessor at once: what the kernels are compiled for. */
  private static final int RESIDENT_BLOCKS = 4;

  /** Fewer logits than one round of 128-bit loads by all threads are not worth another block. */
  private static final int LEAST_CHUNK = 8192;

  /** A running maximum and sum. */
  private static final int PARTIAL_BYTES = 2 * Float.BYTES;

  private final CudaContext context;
  private final CUstream stream;
  private final CudaResources resources;
  private final CUdeviceptr partials;
  private final DeviceBuffer input;
  private final DeviceBuffer logProbs;
  private final DeviceBuffer sums;
  private final PinnedBuffer staging;
  private final PinnedBuffer downloaded;
  private boolean closed;

  private CudaLogProbs(CudaContext context, CUstream stream, CudaResources resources) {
    this.context = context;
    this.stream = stream;
    this.resources = resources;
    this.input = resources.device();
    this.logProbs = resources.device();
    this.sums = resources.device();
    this.staging = resources.pinned();
    this.downloaded = resources.pinned();
    // For m multiprocessors: rows · ⌈4 m / rows⌉ < 4 m + rows, and the rows are fewer than 2 m.
    long most = (RESIDENT_BLOCKS + 2L) * context.multiprocessors();
    this.partials = resources.device().atLeast(most * PARTIAL_BYTES);
  }

  /**
   * Prepares calls on a stream.
   *
   * @param context the device; must stay open for as long as this
   * @param stream of the device's primary context, such as a {@code cudaStream_t}; {@code new
   *     CUstream()} is the default stream
   * @return kernels, to be closed
   * @throws LlmapException if a call of the driver fails; the message names it and CUDA's error
   */
  public static CudaLogProbs open(CudaContext context, CUstream stream) {
    return CudaResources.open(context, resources -> new CudaLogProbs(context, stream, resources));
  }

  /**
   * A pointer to what another library gives as an address.
   *
   * @param address in device memory
   * @return the pointer; it owns nothing
   */
  public static CUdeviceptr pointer(long address) {
    return new CUdeviceptr().withByteOffset(address);
  }

  /**
   * Queues the log-probabilities of all rows.
   *
   * @param logits [R, V]
   * @param targets int[R] on the device
   * @param ignoreIndex the target whose rows are passed over, such as −100
   * @param logProbs receives double[R] on the device
   * @throws LlmapException if a call of the driver fails, also one that was queued before
   */
  public void logProbs(
      CudaLogits logits, CUdeviceptr targets, int ignoreIndex, CUdeviceptr logProbs) {
    resources.use(() -> launch(logits, targets, ignoreIndex, logProbs));
  }

  /**
   * Computes the log-probabilities of all rows and waits for them.
   *
   * @param logits [R, V]
   * @param targets R tokens, each 0 to V − 1 or {@code ignoreIndex}
   * @param ignoreIndex the target whose rows are passed over, such as −100
   * @return R natural log-probabilities
   * @throws IllegalArgumentException if there is another number of targets
   * @throws IndexOutOfBoundsException if a target is not in the vocabulary
   * @throws LlmapException if a call of the driver fails, also one that was queued before
   */
  public double[] logProbs(CudaLogits logits, int[] targets, int ignoreIndex) {
    requireTargets(logits, targets, ignoreIndex);
    return untilDone(
        () -> {
          CUdeviceptr results = logProbs.atLeast(doubles(targets.length));
          launch(logits, upload(targets), ignoreIndex, results);
          return download(results, targets.length);
        });
  }

  /**
   * Queues the sums of segments, in double precision and a fixed order.
   *
   * @param logProbs double[T] on the device
   * @param starts int[S + 1] on the device, not decreasing: where each segment starts, and the end
   *     of the last
   * @param segments S, at least 0
   * @param sums receives double[S] on the device; a segment without elements is 0
   * @throws IllegalArgumentException if S is negative
   * @throws LlmapException if a call of the driver fails, also one that was queued before
   */
  public void segmentSums(
      CUdeviceptr logProbs, CUdeviceptr starts, int segments, CUdeviceptr sums) {
    if (segments < 0) {
      throw new IllegalArgumentException("the number of segments is " + segments);
    }
    resources.use(() -> launchSums(logProbs, starts, segments, sums));
  }

  /**
   * Computes the log-likelihoods of texts whose tokens follow one another in the rows, and waits
   * for them; only they leave the device.
   *
   * @param logits [R, V]
   * @param targets R tokens, each 0 to V − 1 or {@code ignoreIndex}
   * @param starts N + 1 rows, not decreasing, from 0 to R: where each text starts, and the end of
   *     the last
   * @param ignoreIndex the target whose rows count 0, such as −100
   * @return N sums of natural log-probabilities
   * @throws IllegalArgumentException if there is another number of targets, or the starts decrease
   *     or leave the rows
   * @throws IndexOutOfBoundsException if a target is not in the vocabulary
   * @throws LlmapException if a call of the driver fails, also one that was queued before
   */
  public double[] logLikelihoods(CudaLogits logits, int[] targets, int[] starts, int ignoreIndex) {
    requireTargets(logits, targets, ignoreIndex);
    requireStarts(starts, logits.rows());
    int texts = starts.length - 1;
    int[] both = new int[targets.length + starts.length];
    System.arraycopy(targets, 0, both, 0, targets.length);
    System.arraycopy(starts, 0, both, targets.length, starts.length);
    return untilDone(
        () -> {
          CUdeviceptr tokens = logProbs.atLeast(doubles(targets.length));
          CUdeviceptr results = sums.atLeast(doubles(texts));
          CUdeviceptr uploaded = upload(both);
          launch(logits, uploaded, ignoreIndex, tokens);
          launchSums(
              tokens,
              uploaded.withByteOffset((long) targets.length * Integer.BYTES),
              texts,
              results);
          return download(results, texts);
        });
  }

  /** Where a call fails, what was queued before it may still use the buffers. */
  private double[] untilDone(Supplier<double[]> work) {
    return resources.use(
        () -> {
          try {
            return work.get();
          } catch (RuntimeException | Error e) {
            CudaContext.alsoRun(e, this::synchronize);
            throw e;
          }
        });
  }

  private void synchronize() {
    context.driver().synchronize(stream);
  }

  private static void requireTargets(CudaLogits logits, int[] targets, int ignoreIndex) {
    if (targets.length != logits.rows()) {
      throw new IllegalArgumentException(
          "%d targets for %d rows of logits".formatted(targets.length, logits.rows()));
    }
    for (int target : targets) {
      if (target != ignoreIndex) {
        Objects.checkIndex(target, logits.vocabulary());
      }
    }
  }

  private static void requireStarts(int[] starts, int rows) {
    int last = 0;
    for (int start : starts) {
      if (start < last || start > rows) {
        throw new IllegalArgumentException(
            "a text that starts at row %d, after one at %d, of %d rows"
                .formatted(start, last, rows));
      }
      last = start;
    }
    if (starts.length == 0) {
      throw new IllegalArgumentException("no starts: the end of the last text is one too");
    }
  }

  private CUdeviceptr upload(int[] values) {
    int bytes = pinnedBytes(values.length, Integer.BYTES);
    HostBuffer host = staging.atLeast(bytes);
    IntBuffer ints = host.bytes().asIntBuffer();
    ints.put(values);
    CUdeviceptr device = input.atLeast(bytes);
    context.driver().copyToDevice(device, host, bytes, stream);
    return device;
  }

  private double[] download(CUdeviceptr results, int count) {
    double[] values = new double[count];
    int bytes = pinnedBytes(count, Double.BYTES);
    HostBuffer host = downloaded.atLeast(Math.max(bytes, Double.BYTES));
    if (count > 0) {
      context.driver().copyToHost(host, results, bytes, stream);
    }
    synchronize();
    host.bytes().asDoubleBuffer().get(values);
    return values;
  }

  private static long doubles(int count) {
    return Math.max(1, count) * (long) Double.BYTES;
  }

  private static int pinnedBytes(int count, int size) {
    long bytes = (long) count * size;
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "%d numbers of %d bytes are more than one call can copy; take fewer rows at a time"
              .formatted(count, size));
    }
    return (int) bytes;
  }

  private boolean launch(
      CudaLogits logits, CUdeviceptr targets, int ignoreIndex, CUdeviceptr results) {
    int chunks = chunks(logits.rows(), logits.vocabulary(), context.multiprocessors());
    if (chunks == 1) {
      launchRows(context, logits, targets, ignoreIndex, results, stream);
      return true;
    }
    context.launch(
        kernel("llmap_log_probs_split_", logits),
        new LaunchShape(chunks, logits.rows(), BLOCK),
        stream,
        KernelArgument.of(logits.address()),
        KernelArgument.of(logits.rowStride()),
        KernelArgument.of(logits.vocabulary()),
        KernelArgument.of(logits.rows()),
        KernelArgument.of(chunks),
        KernelArgument.of(partials));
    context.launch(
        kernel("llmap_log_probs_combine_", logits),
        new LaunchShape(logits.rows(), 1, BLOCK),
        stream,
        KernelArgument.of(logits.address()),
        KernelArgument.of(logits.rowStride()),
        KernelArgument.of(logits.vocabulary()),
        KernelArgument.of(targets),
        KernelArgument.of(logits.rows()),
        KernelArgument.of(chunks),
        KernelArgument.of(partials),
        KernelArgument.of(ignoreIndex),
        KernelArgument.of(results));
    return true;
  }

  /**
   * How many blocks share a row: one where the rows alone keep the device busy, else as many as it
   * can run at once.
   */
  static int chunks(int rows, int vocabulary, int multiprocessors) {
    if (rows >= 2 * multiprocessors) {
      return 1;
    }
    int blocks = RESIDENT_BLOCKS * multiprocessors;
    return Math.max(1, Math.min((blocks + rows - 1) / rows, vocabulary / LEAST_CHUNK));
  }

  /** One block a row, whatever the number of rows, so that a result depends on its row alone. */
  static void launchRows(
      CudaContext context,
      CudaLogits logits,
      CUdeviceptr targets,
      int ignoreIndex,
      CUdeviceptr results,
      CUstream stream) {
    context.launch(
        kernel("llmap_log_probs_", logits),
        new LaunchShape(logits.rows(), 1, BLOCK),
        stream,
        KernelArgument.of(logits.address()),
        KernelArgument.of(logits.rowStride()),
        KernelArgument.of(logits.vocabulary()),
        KernelArgument.of(targets),
        KernelArgument.of(logits.rows()),
        KernelArgument.of(ignoreIndex),
        KernelArgument.of(results));
  }

  private static String kernel(String prefix, CudaLogits logits) {
    return prefix + logits.type().name().toLowerCase(Locale.ROOT);
  }

  private boolean launchSums(
      CUdeviceptr logProbs, CUdeviceptr starts, int segments, CUdeviceptr results) {
    if (segments > 0) {
      int blocks = (int) (((long) segments * WARP + BLOCK - 1) / BLOCK);
      context.launch(
          "llmap_segment_sums",
          new LaunchShape(blocks, 1, BLOCK),
          stream,
          KernelArgument.of(logProbs),
          KernelArgument.of(starts),
          KernelArgument.of(segments),
          KernelArgument.of(results));
    }
    return true;
  }

  /**
   * Waits for the stream and frees the scratch memory; a second call does nothing.
   *
   * @throws LlmapException if a call of the driver fails
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      resources.use(
          () -> {
            synchronize();
            return true;
          });
    } catch (RuntimeException | Error e) {
      CudaContext.alsoRun(e, resources::close);
      throw e;
    }
    resources.close();
  }
}
