package io.llmap.cuda;

import io.llmap.LlmapException;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.Availability;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.zip.GZIPInputStream;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;

/**
 * A device with llmap's kernels loaded: its primary context, the one that the CUDA runtime and thus
 * PyTorch, ONNX Runtime and most libraries use, so that their device memory and streams can be
 * handed to llmap as they are.
 *
 * <p>Opening one takes some tenths of a second, most of it for the driver to compile the kernels,
 * which it keeps on disk for the next time; so open one for each device and share it. Safe for use
 * by many threads. Nothing that was made with a context may be used once it is closed: close that
 * first. The context that is current on a thread is the same after a call as before.
 *
 * <p>Devices are numbered as CUDA does, among those that {@code CUDA_VISIBLE_DEVICES} leaves.
 */
public final class CudaContext implements AutoCloseable {
  /** Where the kernels are; the PTX is for this compute capability, Turing's, and newer ones. */
  private static final String PTX = "log_prob.ptx.gz";

  private static final int LEAST_MAJOR = 7;
  private static final int LEAST_MINOR = 5;

  private final CudaDriver driver;
  private final int ordinal;
  private final CUdevice device;
  private final String name;
  private final int multiprocessors;
  private final CUcontext context;
  private final CUmodule module;
  private final Map<String, CUfunction> functions = new ConcurrentHashMap<>();
  private volatile boolean closed;

  private CudaContext(CudaDriver driver, int ordinal, byte[] ptx) {
    this.driver = driver;
    this.ordinal = ordinal;
    this.device = driver.device(ordinal);
    this.name = driver.name(device);
    this.multiprocessors =
        driver.attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    this.context = driver.retainPrimaryContext(device);
    List<CUmodule> loaded = new ArrayList<>();
    try {
      pushed(() -> loaded.add(driver.load(ptx)));
    } catch (RuntimeException | Error e) {
      loaded.forEach(kernels -> alsoRun(e, () -> pushed(() -> unload(kernels))));
      alsoRun(e, () -> driver.releasePrimaryContext(device));
      throw e;
    }
    this.module = loaded.get(0);
  }

  /**
   * Says whether a device can be used; never throws over what is missing.
   *
   * @param device from 0
   * @return the device's name and what it can do, or why there is none: no driver, no device, too
   *     old a one, or no native library for this platform
   */
  public static Availability availability(int device) {
    return JCudaLibrary.problem()
        .map(Availability::no)
        .orElseGet(() -> availability(new JCudaCalls(), device));
  }

  static Availability availability(CudaDriver driver, int device) {
    try {
      driver.init();
      int count = driver.deviceCount();
      if (count == 0) {
        return Availability.no("the NVIDIA driver sees no device");
      }
      if (device < 0 || device >= count) {
        return Availability.no(
            "there is no CUDA device %d among %d, numbered from 0".formatted(device, count));
      }
      CUdevice handle = driver.device(device);
      int major =
          driver.attribute(handle, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
      int minor =
          driver.attribute(handle, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
      String detail =
          "%s, compute capability %d.%d, driver for CUDA %s"
              .formatted(driver.name(handle), major, minor, version(driver.version()));
      return major > LEAST_MAJOR || major == LEAST_MAJOR && minor >= LEAST_MINOR
          ? Availability.yes(detail)
          : Availability.no(
              "%s; at least %d.%d is needed".formatted(detail, LEAST_MAJOR, LEAST_MINOR));
    } catch (CudaCallException e) {
      return Availability.no(
          e.error().equals("CUDA_ERROR_NO_DEVICE")
              ? "the NVIDIA driver sees no device"
              : String.valueOf(e.getMessage()));
    }
  }

  static String version(int number) {
    return number / 1000 + "." + number % 1000 / 10;
  }

  /**
   * Opens a device and loads the kernels.
   *
   * @param device from 0
   * @return a context, to be closed
   * @throws BackendUnavailableException if the device cannot be used
   * @throws LlmapException if a call of the driver fails; the message names it and CUDA's error
   */
  public static CudaContext open(int device) {
    Optional<String> problem = JCudaLibrary.problem();
    if (problem.isPresent()) {
      throw unavailable(device, problem.get());
    }
    return open(new JCudaCalls(), device, ptx());
  }

  static CudaContext open(CudaDriver driver, int device, byte[] ptx) {
    Availability availability = availability(driver, device);
    if (!availability.available()) {
      throw unavailable(device, availability.detail());
    }
    return new CudaContext(driver, device, ptx);
  }

  private static BackendUnavailableException unavailable(int device, String reason) {
    return new BackendUnavailableException(
        "CUDA device %d cannot be used: %s".formatted(device, reason));
  }

  /** With the zero at the end that the driver looks for. */
  private static byte[] ptx() {
    try (InputStream resource = CudaContext.class.getResourceAsStream(PTX)) {
      if (resource == null) {
        throw new BackendUnavailableException("llmap-cuda was built without " + PTX);
      }
      byte[] ptx = new GZIPInputStream(resource).readAllBytes();
      return Arrays.copyOf(ptx, ptx.length + 1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The device's number.
   *
   * @return from 0
   */
  public int device() {
    return ordinal;
  }

  /**
   * The device's name.
   *
   * @return as the driver gives it
   */
  public String name() {
    return name;
  }

  int multiprocessors() {
    return multiprocessors;
  }

  CudaDriver driver() {
    return driver;
  }

  /** Does something with this context current on the calling thread, which keeps its own. */
  <T> T current(Supplier<T> work) {
    if (closed) {
      throw new IllegalStateException("the CUDA context of device %d is closed".formatted(ordinal));
    }
    return pushed(work);
  }

  private <T> T pushed(Supplier<T> work) {
    driver.pushContext(context);
    T result;
    try {
      result = work.get();
    } catch (RuntimeException | Error e) {
      alsoRun(e, driver::popContext);
      throw e;
    }
    driver.popContext();
    return result;
  }

  /** Queues a kernel; the context must be current. */
  void launch(String kernel, LaunchShape shape, CUstream stream, KernelArgument... arguments) {
    CUfunction function =
        functions.computeIfAbsent(kernel, missing -> driver.function(module, missing));
    driver.launch(function, shape, stream, arguments);
  }

  /**
   * Unloads the kernels and releases the device; a second call does nothing.
   *
   * @throws LlmapException if a call of the driver fails
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      pushed(() -> unload(module));
    } catch (RuntimeException | Error e) {
      alsoRun(e, () -> driver.releasePrimaryContext(device));
      throw e;
    }
    driver.releasePrimaryContext(device);
  }

  private boolean unload(CUmodule kernels) {
    driver.unload(kernels);
    return true;
  }

  /** Cleans up after a failure; what fails in that is added to it. */
  static void alsoRun(Throwable failure, Runnable cleanup) {
    try {
      cleanup.run();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }
}
