package io.llmap.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;

/**
 * Streams, device memory and page-locked host memory of a context, reused from call to call and
 * freed together. For one thread at a time.
 */
final class CudaResources implements AutoCloseable {
  private final CudaContext context;
  private final Deque<Runnable> frees = new ArrayDeque<>();
  private boolean closed;

  CudaResources(CudaContext context) {
    this.context = context;
  }

  /** Makes something that holds resources; they are freed where that fails. */
  static <T> T open(CudaContext context, Function<CudaResources, T> maker) {
    CudaResources resources = new CudaResources(context);
    try {
      return context.current(() -> maker.apply(resources));
    } catch (RuntimeException | Error e) {
      CudaContext.alsoRun(e, resources::close);
      throw e;
    }
  }

  /** Does something with the context current; only there may buffers be asked for memory. */
  <T> T use(Supplier<T> work) {
    if (closed) {
      throw new IllegalStateException("these kernels of %s are closed".formatted(context.name()));
    }
    return context.current(work);
  }

  CUstream stream() {
    CUstream stream = context.driver().createStream();
    frees.push(() -> context.driver().destroyStream(stream));
    return stream;
  }

  DeviceBuffer device() {
    DeviceBuffer buffer = new DeviceBuffer();
    frees.push(buffer::free);
    return buffer;
  }

  PinnedBuffer pinned() {
    PinnedBuffer buffer = new PinnedBuffer();
    frees.push(buffer::free);
    return buffer;
  }

  /** Frees everything, the newest first, even after a failure; the first one is thrown. */
  @Override
  public void close() {
    closed = true;
    if (!frees.isEmpty()) {
      context.current(this::freeAll);
    }
  }

  private boolean freeAll() {
    RuntimeException failure = null;
    while (!frees.isEmpty()) {
      try {
        frees.pop().run();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
    return true;
  }

  /** Device memory that grows; nothing queued may use it then. */
  final class DeviceBuffer {
    private Optional<CUdeviceptr> memory = Optional.empty();
    private long bytes;

    /** At least so many bytes, of undefined content. */
    CUdeviceptr atLeast(long needed) {
      if (memory.isEmpty() || needed > bytes) {
        free();
        memory = Optional.of(context.driver().allocate(needed));
        bytes = needed;
      }
      return memory.get();
    }

    private void free() {
      Optional<CUdeviceptr> old = memory;
      memory = Optional.empty();
      old.ifPresent(context.driver()::free);
    }
  }

  /** Page-locked host memory that grows; nothing queued may use it then. */
  final class PinnedBuffer {
    private Optional<HostBuffer> memory = Optional.empty();

    /** At least so many bytes, of undefined content. */
    HostBuffer atLeast(int needed) {
      if (memory.isEmpty() || needed > memory.get().bytes().capacity()) {
        free();
        memory = Optional.of(context.driver().allocateHost(needed));
      }
      return memory.get();
    }

    private void free() {
      Optional<HostBuffer> old = memory;
      memory = Optional.empty();
      old.ifPresent(context.driver()::freeHost);
    }
  }
}
