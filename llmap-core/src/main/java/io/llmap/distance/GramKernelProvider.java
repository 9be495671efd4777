package io.llmap.distance;

import io.llmap.score.Availability;

/**
 * Offers a {@link GramKernel} of one technology; found by {@link java.util.ServiceLoader} from
 * {@code META-INF/services/io.llmap.distance.GramKernelProvider}.
 */
public interface GramKernelProvider {
  /**
   * The kernel's name.
   *
   * @return such as {@code cuda}
   */
  String name();

  /**
   * Where this kernel stands among those that can run: the highest is chosen.
   *
   * @return scalar 0, vector 10; below 0 if it is to run only where it is named
   */
  int rank();

  /**
   * Says whether the kernel can run here.
   *
   * @return what it runs on, or what is missing and how to get it
   */
  Availability availability();

  /**
   * Makes the kernel; called only when it is available.
   *
   * @return a kernel
   */
  GramKernel newKernel();
}
