package io.llmap.cuda;

import java.nio.ByteBuffer;
import jcuda.Pointer;

/**
 * Page-locked memory of the host, which a device copies from and to by itself.
 *
 * @param pointer where it is
 * @param bytes the same memory, in native order; its position and limit do not matter
 */
record HostBuffer(Pointer pointer, ByteBuffer bytes) {}
