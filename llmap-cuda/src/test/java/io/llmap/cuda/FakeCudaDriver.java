package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.LlmapException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.Consumer;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;

/**
 * A driver without a device: it keeps books of all it hands out, and runs kernels in plain Java.
 *
 * <p>What is queued on a stream runs as late as it may, when somebody waits for the stream, so that
 * a buffer which is used again too early shows. Fresh memory is full of NaN.
 */
final class FakeCudaDriver implements CudaDriver {
  record Device(String name, int major, int minor, int multiprocessors) {}

  record Launch(String kernel, LaunchShape shape, List<KernelArgument> arguments) {}

  /** A device address that knows its number. */
  static final class FakePointer extends CUdeviceptr {
    final long address;

    FakePointer(long address) {
      this.address = address;
    }

    @Override
    public CUdeviceptr withByteOffset(long bytes) {
      return new FakePointer(address + bytes);
    }
  }

  /** What is the caller's is not the driver's to free. */
  private record Block(int device, ByteBuffer bytes, boolean foreign) {}

  private final List<Device> devices;

  /** Every call, as {@code cuMemAlloc 4096}. */
  final List<String> calls = new ArrayList<>();

  final List<Launch> launches = new ArrayList<>();

  /** What was still there when its context went. */
  final List<String> orphans = new ArrayList<>();

  private final Map<CUdevice, Integer> ordinals = new IdentityHashMap<>();
  private final Map<CUcontext, Integer> contexts = new IdentityHashMap<>();
  private final Map<CUmodule, Integer> modules = new IdentityHashMap<>();
  private final Map<CUfunction, String> functions = new IdentityHashMap<>();
  private final Map<CUstream, Integer> streams = new IdentityHashMap<>();
  private final Map<CUstream, Queue<Runnable>> queues = new IdentityHashMap<>();
  private final Map<Pointer, Integer> hostMemory = new IdentityHashMap<>();
  private final TreeMap<Long, Block> memory = new TreeMap<>();
  private final Map<Integer, Integer> retained = new HashMap<>();
  private final ThreadLocal<Deque<Integer>> current = ThreadLocal.withInitial(ArrayDeque::new);
  private long nextAddress = 0x7000_0000_0000L;
  private int failingCall = Integer.MAX_VALUE;
  private String failure = "";

  FakeCudaDriver(Device... devices) {
    this.devices = List.of(devices);
  }

  static FakeCudaDriver withOneDevice() {
    return new FakeCudaDriver(new Device("Fake GPU", 9, 0, 4));
  }

  /** Makes a call fail, counted from 1. */
  FakeCudaDriver failingAt(int call, String error) {
    failingCall = call;
    failure = error;
    return this;
  }

  /**
   * Does the same work again and again, each time with another of its calls failing, and demands
   * that the failure is named and leaves nothing behind.
   *
   * @param error what the call gives, as CUDA names it
   * @param work opens what it needs, and closes it
   * @return how many calls the work makes
   */
  static int failEveryCall(String error, Consumer<FakeCudaDriver> work) {
    for (int call = 1; ; call++) {
      FakeCudaDriver driver = withOneDevice().failingAt(call, error);
      boolean thrown = false;
      try {
        work.accept(driver);
      } catch (LlmapException e) {
        thrown = true;
        assertThat(e)
            .hasMessageContaining(driver.failedCall())
            .hasMessageContaining("failed: " + error);
      }
      driver.assertNothingIsLeft();
      assertThat(thrown).as("call %d", call).isEqualTo(driver.hasFailed());
      if (!driver.hasFailed()) {
        return call - 1;
      }
      // Without a current context nothing can be freed but by letting the context go.
      if (!driver.failedCall().equals("cuCtxPushCurrent")) {
        assertThat(driver.orphans).as("call %d, %s", call, driver.failedCall()).isEmpty();
      }
    }
  }

  boolean hasFailed() {
    return calls.size() >= failingCall;
  }

  String failedCall() {
    return calls.get(failingCall - 1).split(" ")[0];
  }

  /** Books a call; one that frees does so even where it reports a failure. */
  private void call(String call, Runnable effectOfFailure) {
    calls.add(call);
    if (calls.size() == failingCall) {
      effectOfFailure.run();
      throw new CudaCallException(call, failure);
    }
  }

  private void call(String call) {
    call(call, () -> {});
  }

  private int currentDevice() {
    assertThat(current.get()).as("a context is current").isNotEmpty();
    return current.get().peek();
  }

  void assertNothingIsLeft() {
    assertThat(memory.values()).allMatch(Block::foreign);
    assertThat(hostMemory).isEmpty();
    assertThat(streams).isEmpty();
    assertThat(modules).isEmpty();
    assertThat(retained.values()).allMatch(count -> count == 0);
    assertThat(current.get()).as("contexts that are current").isEmpty();
  }

  @Override
  public synchronized void init() {
    call("cuInit");
  }

  @Override
  public synchronized int version() {
    call("cuDriverGetVersion");
    return 12080;
  }

  @Override
  public synchronized int deviceCount() {
    call("cuDeviceGetCount");
    return devices.size();
  }

  @Override
  public synchronized CUdevice device(int ordinal) {
    call("cuDeviceGet");
    CUdevice device = new CUdevice();
    ordinals.put(device, ordinal);
    return device;
  }

  @Override
  public synchronized String name(CUdevice device) {
    call("cuDeviceGetName");
    return devices.get(ordinals.get(device)).name();
  }

  @Override
  public synchronized int attribute(CUdevice device, int attribute) {
    call("cuDeviceGetAttribute");
    Device of = devices.get(ordinals.get(device));
    return switch (attribute) {
      case CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR -> of.major();
      case CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR -> of.minor();
      case CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT -> of.multiprocessors();
      default -> throw new AssertionError("attribute " + attribute);
    };
  }

  @Override
  public synchronized CUcontext retainPrimaryContext(CUdevice device) {
    call("cuDevicePrimaryCtxRetain");
    CUcontext context = new CUcontext();
    contexts.put(context, ordinals.get(device));
    retained.merge(ordinals.get(device), 1, Integer::sum);
    return context;
  }

  @Override
  public synchronized void releasePrimaryContext(CUdevice device) {
    call("cuDevicePrimaryCtxRelease", () -> release(ordinals.get(device)));
    release(ordinals.get(device));
  }

  private void release(int device) {
    if (retained.merge(device, -1, Integer::sum) == 0) {
      memory
          .values()
          .removeIf(
              block ->
                  block.device() == device && !block.foreign() && orphans.add("device memory"));
      hostMemory.values().removeIf(owner -> owner == device && orphans.add("host memory"));
      streams.values().removeIf(owner -> owner == device && orphans.add("stream"));
      modules.values().removeIf(owner -> owner == device && orphans.add("module"));
    }
  }

  @Override
  public synchronized void pushContext(CUcontext context) {
    call("cuCtxPushCurrent");
    assertThat(retained.get(contexts.get(context))).as("retained").isPositive();
    current.get().push(contexts.get(context));
  }

  @Override
  public synchronized void popContext() {
    currentDevice();
    call("cuCtxPopCurrent", () -> current.get().pop());
    current.get().pop();
  }

  @Override
  public synchronized CUmodule load(byte[] ptx) {
    call("cuModuleLoadData " + ptx.length);
    CUmodule module = new CUmodule();
    modules.put(module, currentDevice());
    return module;
  }

  @Override
  public synchronized void unload(CUmodule module) {
    assertThat(modules).containsKey(module);
    call("cuModuleUnload", () -> modules.remove(module));
    modules.remove(module);
  }

  @Override
  public synchronized CUfunction function(CUmodule module, String name) {
    call("cuModuleGetFunction " + name);
    assertThat(modules).containsEntry(module, currentDevice());
    CUfunction function = new CUfunction();
    functions.put(function, name);
    return function;
  }

  @Override
  public synchronized CUdeviceptr allocate(long bytes) {
    call("cuMemAlloc " + bytes);
    assertThat(bytes).isPositive();
    long address = nextAddress;
    // Another multiple of 256 behind a gap, so that what runs over an end hits nothing.
    nextAddress += (bytes + 511) / 256 * 256;
    memory.put(address, new Block(currentDevice(), garbage(bytes), false));
    return new FakePointer(address);
  }

  private static ByteBuffer garbage(long bytes) {
    ByteBuffer buffer =
        ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
    while (buffer.hasRemaining()) {
      buffer.put((byte) 0xff);
    }
    return buffer.clear();
  }

  @Override
  public synchronized void free(CUdeviceptr pointer) {
    long address = ((FakePointer) pointer).address;
    assertThat(memory).containsKey(address);
    assertThat(memory.get(address).device()).isEqualTo(currentDevice());
    call("cuMemFree", () -> memory.remove(address));
    memory.remove(address);
  }

  @Override
  public synchronized HostBuffer allocateHost(int bytes) {
    call("cuMemHostAlloc " + bytes);
    assertThat(bytes).isPositive();
    Pointer pointer = new Pointer();
    hostMemory.put(pointer, currentDevice());
    return new HostBuffer(pointer, garbage(bytes));
  }

  @Override
  public synchronized void freeHost(HostBuffer buffer) {
    assertThat(hostMemory.get(buffer.pointer())).isEqualTo(currentDevice());
    call("cuMemFreeHost", () -> hostMemory.remove(buffer.pointer()));
    hostMemory.remove(buffer.pointer());
  }

  @Override
  public synchronized CUstream createStream() {
    call("cuStreamCreate");
    CUstream stream = new CUstream();
    streams.put(stream, currentDevice());
    return stream;
  }

  @Override
  public synchronized void destroyStream(CUstream stream) {
    assertThat(streams.get(stream)).isEqualTo(currentDevice());
    call("cuStreamDestroy", () -> streams.remove(stream));
    streams.remove(stream);
  }

  @Override
  public synchronized void copyToDevice(
      CUdeviceptr to, HostBuffer from, long bytes, CUstream stream) {
    call("cuMemcpyHtoDAsync " + bytes);
    int device = currentDevice();
    queue(
        stream,
        () -> {
          assertThat(hostMemory).containsKey(from.pointer());
          ByteBuffer target = at(to, bytes, device);
          target.put(0, from.bytes(), 0, (int) bytes);
        });
  }

  @Override
  public synchronized void copyToHost(
      HostBuffer to, CUdeviceptr from, long bytes, CUstream stream) {
    call("cuMemcpyDtoHAsync " + bytes);
    int device = currentDevice();
    queue(
        stream,
        () -> {
          assertThat(hostMemory).containsKey(to.pointer());
          to.bytes().put(0, at(from, bytes, device), 0, (int) bytes);
        });
  }

  @Override
  public synchronized void launch(
      CUfunction function, LaunchShape shape, CUstream stream, KernelArgument... arguments) {
    Launch launch = new Launch(functions.get(function), shape, List.of(arguments));
    call("cuLaunchKernel " + launch.kernel());
    launches.add(launch);
    int device = currentDevice();
    queue(stream, () -> FakeKernels.run(launch, (pointer, bytes) -> at(pointer, bytes, device)));
  }

  private void queue(CUstream stream, Runnable work) {
    queues.computeIfAbsent(stream, missing -> new ArrayDeque<>()).add(work);
  }

  @Override
  public synchronized void synchronize(CUstream stream) {
    currentDevice();
    call("cuStreamSynchronize");
    Queue<Runnable> queue = queues.getOrDefault(stream, new ArrayDeque<>());
    while (!queue.isEmpty()) {
      queue.remove().run();
    }
  }

  /** The memory from an address on; it must lie in one allocation of the device. */
  private ByteBuffer at(CUdeviceptr pointer, long bytes, int device) {
    long address = ((FakePointer) pointer).address;
    Map.Entry<Long, Block> entry = memory.floorEntry(address);
    assertThat(entry).as("memory at %x", address).isNotNull();
    assertThat(entry.getValue().device()).isEqualTo(device);
    int offset = Math.toIntExact(address - entry.getKey());
    assertThat(offset + bytes).isLessThanOrEqualTo(entry.getValue().bytes().capacity());
    return entry
        .getValue()
        .bytes()
        .slice(offset, Math.toIntExact(bytes))
        .order(ByteOrder.nativeOrder());
  }

  /** A caller's own memory on a device. */
  synchronized FakePointer put(int device, byte[] content) {
    long address = nextAddress;
    nextAddress += (content.length + 511) / 256 * 256;
    memory.put(address, new Block(device, garbage(content.length).put(0, content), true));
    return new FakePointer(address);
  }

  synchronized double[] doubles(FakePointer pointer, int count) {
    double[] values = new double[count];
    memory.get(pointer.address).bytes().asDoubleBuffer().get(values);
    return values;
  }
}
