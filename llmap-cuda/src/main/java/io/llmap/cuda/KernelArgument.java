package io.llmap.cuda;

import jcuda.driver.CUdeviceptr;

/** One argument of a kernel: the driver is told addresses and no sizes, so the type is the size. */
sealed interface KernelArgument {
  /** A {@code T*}. */
  record Address(CUdeviceptr pointer) implements KernelArgument {}

  /** An {@code int}. */
  record Int32(int value) implements KernelArgument {}

  /** A {@code long long}. */
  record Int64(long value) implements KernelArgument {}

  static KernelArgument of(CUdeviceptr pointer) {
    return new Address(pointer);
  }

  static KernelArgument of(int value) {
    return new Int32(value);
  }

  static KernelArgument of(long value) {
    return new Int64(value);
  }
}
