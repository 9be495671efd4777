package io.llmap.cuda;

import static jcuda.driver.JCudaDriver.cuCtxPopCurrent;
import static jcuda.driver.JCudaDriver.cuCtxPushCurrent;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDeviceGetAttribute;
import static jcuda.driver.JCudaDriver.cuDeviceGetCount;
import static jcuda.driver.JCudaDriver.cuDeviceGetName;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRelease;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain;
import static jcuda.driver.JCudaDriver.cuDriverGetVersion;
import static jcuda.driver.JCudaDriver.cuInit;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuMemAlloc;
import static jcuda.driver.JCudaDriver.cuMemFree;
import static jcuda.driver.JCudaDriver.cuMemFreeHost;
import static jcuda.driver.JCudaDriver.cuMemHostAlloc;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuModuleLoadDataJIT;
import static jcuda.driver.JCudaDriver.cuModuleUnload;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamDestroy;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;

import java.nio.charset.StandardCharsets;
import java.util.function.IntSupplier;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JITOptions;

/** The driver through JCuda. Making one loads nothing: {@link JCudaLibrary} comes first. */
final class JCudaCalls implements CudaDriver {
  private static final int NAME_BYTES = 256;
  private static final int LOG_BYTES = 8192;

  @Override
  public void init() {
    check("cuInit", () -> cuInit(0));
  }

  @Override
  public int version() {
    int[] version = new int[1];
    check("cuDriverGetVersion", () -> cuDriverGetVersion(version));
    return version[0];
  }

  @Override
  public int deviceCount() {
    int[] count = new int[1];
    check("cuDeviceGetCount", () -> cuDeviceGetCount(count));
    return count[0];
  }

  @Override
  public CUdevice device(int ordinal) {
    CUdevice device = new CUdevice();
    check("cuDeviceGet of device " + ordinal, () -> cuDeviceGet(device, ordinal));
    return device;
  }

  @Override
  public String name(CUdevice device) {
    byte[] name = new byte[NAME_BYTES];
    check("cuDeviceGetName", () -> cuDeviceGetName(name, name.length, device));
    return upToZero(name);
  }

  @Override
  public int attribute(CUdevice device, int attribute) {
    int[] value = new int[1];
    check(
        "cuDeviceGetAttribute of attribute " + attribute,
        () -> cuDeviceGetAttribute(value, attribute, device));
    return value[0];
  }

  @Override
  public CUcontext retainPrimaryContext(CUdevice device) {
    CUcontext context = new CUcontext();
    check("cuDevicePrimaryCtxRetain", () -> cuDevicePrimaryCtxRetain(context, device));
    return context;
  }

  @Override
  public void releasePrimaryContext(CUdevice device) {
    check("cuDevicePrimaryCtxRelease", () -> cuDevicePrimaryCtxRelease(device));
  }

  @Override
  public void pushContext(CUcontext context) {
    check("cuCtxPushCurrent", () -> cuCtxPushCurrent(context));
  }

  @Override
  public void popContext() {
    check("cuCtxPopCurrent", () -> cuCtxPopCurrent(new CUcontext()));
  }

  @Override
  public CUmodule load(byte[] ptx) {
    CUmodule module = new CUmodule();
    try {
      check("cuModuleLoadData", () -> cuModuleLoadData(module, ptx));
    } catch (CudaCallException e) {
      throw new CudaCallException(
          "cuModuleLoadData of %d bytes of PTX (the driver is for CUDA %s)%s"
              .formatted(ptx.length, CudaContext.version(version()), compilerLog(ptx)),
          e.error());
    }
    return module;
  }

  /** What the compiler said: asked for only after a failure, so that options can break nothing. */
  private static String compilerLog(byte[] ptx) {
    byte[] log = new byte[LOG_BYTES];
    JITOptions options = new JITOptions();
    options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, log);
    options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, log.length);
    CUmodule module = new CUmodule();
    if (cuModuleLoadDataJIT(module, Pointer.to(ptx), options) == CUresult.CUDA_SUCCESS) {
      check("cuModuleUnload", () -> cuModuleUnload(module));
    }
    String said =
        options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER).replaceAll("\\s+", " ").strip();
    return said.isEmpty() ? "" : ", whose compiler says \"" + said + "\",";
  }

  @Override
  public void unload(CUmodule module) {
    check("cuModuleUnload", () -> cuModuleUnload(module));
  }

  @Override
  public CUfunction function(CUmodule module, String name) {
    CUfunction function = new CUfunction();
    check("cuModuleGetFunction of " + name, () -> cuModuleGetFunction(function, module, name));
    return function;
  }

  @Override
  public CUdeviceptr allocate(long bytes) {
    CUdeviceptr memory = new CUdeviceptr();
    check("cuMemAlloc of " + bytes + " bytes", () -> cuMemAlloc(memory, bytes));
    return memory;
  }

  @Override
  public void free(CUdeviceptr memory) {
    check("cuMemFree", () -> cuMemFree(memory));
  }

  @Override
  public HostBuffer allocateHost(int bytes) {
    Pointer memory = new Pointer();
    check("cuMemHostAlloc of " + bytes + " bytes", () -> cuMemHostAlloc(memory, bytes, 0));
    return new HostBuffer(memory, memory.getByteBuffer());
  }

  @Override
  public void freeHost(HostBuffer memory) {
    check("cuMemFreeHost", () -> cuMemFreeHost(memory.pointer()));
  }

  @Override
  public CUstream createStream() {
    CUstream stream = new CUstream();
    check("cuStreamCreate", () -> cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    return stream;
  }

  @Override
  public void destroyStream(CUstream stream) {
    check("cuStreamDestroy", () -> cuStreamDestroy(stream));
  }

  @Override
  public void copyToDevice(CUdeviceptr to, HostBuffer from, long bytes, CUstream stream) {
    check(
        "cuMemcpyHtoDAsync of " + bytes + " bytes",
        () -> cuMemcpyHtoDAsync(to, from.pointer(), bytes, stream));
  }

  @Override
  public void copyToHost(HostBuffer to, CUdeviceptr from, long bytes, CUstream stream) {
    check(
        "cuMemcpyDtoHAsync of " + bytes + " bytes",
        () -> cuMemcpyDtoHAsync(to.pointer(), from, bytes, stream));
  }

  @Override
  public void launch(
      CUfunction function, LaunchShape shape, CUstream stream, KernelArgument... arguments) {
    Pointer[] addresses = new Pointer[arguments.length];
    for (int i = 0; i < addresses.length; i++) {
      addresses[i] = addressOf(arguments[i]);
    }
    check(
        "cuLaunchKernel of %d x %d blocks of %d threads"
            .formatted(shape.gridX(), shape.gridY(), shape.blockX()),
        () ->
            cuLaunchKernel(
                function,
                shape.gridX(),
                shape.gridY(),
                1,
                shape.blockX(),
                1,
                1,
                0,
                stream,
                Pointer.to(addresses),
                null));
  }

  private static Pointer addressOf(KernelArgument argument) {
    if (argument instanceof KernelArgument.Address address) {
      return Pointer.to(address.pointer());
    }
    if (argument instanceof KernelArgument.Int32 number) {
      return Pointer.to(new int[] {number.value()});
    }
    return Pointer.to(new long[] {((KernelArgument.Int64) argument).value()});
  }

  @Override
  public void synchronize(CUstream stream) {
    check("cuStreamSynchronize", () -> cuStreamSynchronize(stream));
  }

  /** JCuda returns the result, or throws it where the application has switched that on. */
  static void check(String call, IntSupplier driver) {
    int result;
    try {
      result = driver.getAsInt();
    } catch (CudaException e) {
      throw new CudaCallException(call, String.valueOf(e.getMessage()));
    }
    if (result != CUresult.CUDA_SUCCESS) {
      throw new CudaCallException(call, CUresult.stringFor(result));
    }
  }

  private static String upToZero(byte[] text) {
    int length = 0;
    while (length < text.length && text[length] != 0) {
      length++;
    }
    return new String(text, 0, length, StandardCharsets.UTF_8);
  }
}
