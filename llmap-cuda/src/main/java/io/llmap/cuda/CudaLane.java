package io.llmap.cuda;

import io.llmap.cuda.CudaResources.PinnedBuffer;
import jcuda.driver.CUstream;

/**
 * A stream and the host memory that it copies from or to. Of two lanes one is filled while the
 * device works on the other.
 */
final class CudaLane {
  private static final Runnable NOTHING = () -> {};

  private final CudaDriver driver;
  private final CUstream stream;
  private final PinnedBuffer host;
  private Runnable whenDone = NOTHING;
  private boolean busy;

  CudaLane(CudaContext context, CudaResources resources) {
    this.driver = context.driver();
    this.stream = resources.stream();
    this.host = resources.pinned();
  }

  static CudaLane[] two(CudaContext context, CudaResources resources) {
    return new CudaLane[] {new CudaLane(context, resources), new CudaLane(context, resources)};
  }

  CUstream stream() {
    return stream;
  }

  /** The host memory, for a lane that is idle. */
  HostBuffer host(int bytes) {
    return host.atLeast(bytes);
  }

  /**
   * Starts what an idle lane does next.
   *
   * @param queue queues it on the stream
   * @param then for the host to do, once the device is done
   */
  void start(Runnable queue, Runnable then) {
    busy = true;
    queue.run();
    whenDone = then;
  }

  /** Waits until the lane is idle. */
  void finish() {
    if (busy) {
      driver.synchronize(stream);
      busy = false;
      Runnable done = whenDone;
      whenDone = NOTHING;
      done.run();
    }
  }

  /**
   * Makes lanes idle after a failure: what was queued may still use the buffers. The results are
   * dropped.
   */
  static void abandon(CudaLane[] lanes, Throwable failure) {
    for (CudaLane lane : lanes) {
      if (lane.busy) {
        lane.busy = false;
        lane.whenDone = NOTHING;
        CudaContext.alsoRun(failure, () -> lane.driver.synchronize(lane.stream));
      }
    }
  }
}
