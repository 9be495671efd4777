package io.llmap.cuda;

import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;

/**
 * The calls of CUDA's driver that llmap makes. Each does what it says or throws a {@link
 * CudaCallException} that names the driver's function and its error.
 *
 * <p>From {@link #load} on, calls are about the context that is current on the calling thread.
 */
interface CudaDriver {
  /** Must come first; may be repeated. */
  void init();

  /** The newest CUDA that the driver knows, as 1000 · major + 10 · minor. */
  int version();

  int deviceCount();

  CUdevice device(int ordinal);

  String name(CUdevice device);

  /** A number of {@link jcuda.driver.CUdevice_attribute}. */
  int attribute(CUdevice device, int attribute);

  /** The context that the runtime API uses too; each call is undone by a release. */
  CUcontext retainPrimaryContext(CUdevice device);

  void releasePrimaryContext(CUdevice device);

  void pushContext(CUcontext context);

  void popContext();

  /**
   * Compiles PTX for the device.
   *
   * @param ptx with a zero at its end
   */
  CUmodule load(byte[] ptx);

  void unload(CUmodule module);

  CUfunction function(CUmodule module, String name);

  CUdeviceptr allocate(long bytes);

  void free(CUdeviceptr memory);

  HostBuffer allocateHost(int bytes);

  void freeHost(HostBuffer memory);

  /** A stream that does not wait for the default stream. */
  CUstream createStream();

  void destroyStream(CUstream stream);

  /** Returns when the copy is queued; the buffer's first bytes are read until it is done. */
  void copyToDevice(CUdeviceptr to, HostBuffer from, long bytes, CUstream stream);

  /** Returns when the copy is queued; the buffer's first bytes are written until it is done. */
  void copyToHost(HostBuffer to, CUdeviceptr from, long bytes, CUstream stream);

  /** Returns when the kernel is queued. */
  void launch(CUfunction function, LaunchShape shape, CUstream stream, KernelArgument... arguments);

  /** Waits until all that was queued is done; errors of what was queued come out here. */
  void synchronize(CUstream stream);
}
