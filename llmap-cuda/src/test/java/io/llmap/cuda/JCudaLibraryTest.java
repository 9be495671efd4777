package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.distance.GramKernelProvider;
import io.llmap.distance.GramKernels;
import io.llmap.score.Availability;
import io.llmap.score.spi.LogProbKernelProvider;
import io.llmap.score.spi.LogProbKernels;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JCudaLibraryTest {
  private static final String ATTEMPTS =
      """
      Error while loading native library "JCudaDriver-12.6.0-linux-x86_64"
      Stack trace from the attempt to load the library as a file:
      java.lang.UnsatisfiedLinkError: no JCudaDriver-12.6.0-linux-x86_64 in java.library.path: /lib
      Stack trace from the attempt to load the library as a resource:
      %s
      \tat java.base/java.lang.System.load(System.java:1970)
      """;

  @Test
  void aMissingDriverIsToldFromTheLibraryThatItHas() {
    assertThat(
            JCudaLibrary.explain(
                ATTEMPTS.formatted(
                    "java.lang.UnsatisfiedLinkError: /tmp/x/libJCudaDriver-12.6.0-linux-x86_64.so:"
                        + " libcuda.so.1: cannot open shared object file: No such file or directory"),
                true))
        .isEqualTo(
            "there is no NVIDIA driver (libcuda.so.1: cannot open shared object file: No such file"
                + " or directory)");
    assertThat(
            JCudaLibrary.explain(
                ATTEMPTS.formatted(
                    "java.lang.UnsatisfiedLinkError: C:\\x\\JCudaDriver-12.6.0-windows-x86_64.dll:"
                        + " Can't find dependent libraries"),
                true))
        .isEqualTo("there is no NVIDIA driver (Can't find dependent libraries)");
  }

  @Test
  void anotherReasonNotToLoadIsQuoted() {
    assertThat(
            JCudaLibrary.explain(
                ATTEMPTS.formatted(
                    "java.lang.UnsatisfiedLinkError: /tmp/libJCudaDriver-12.6.0-linux-x86_64.so:"
                        + " /lib/libc.so.6: version `GLIBC_2.17' not found"),
                true))
        .isEqualTo(
            "JCuda's native library does not load (/lib/libc.so.6: version `GLIBC_2.17' not"
                + " found)");
  }

  @Test
  void aPlatformWithoutNativesIsToldWhatToAdd() {
    assertThat(
            JCudaLibrary.explain(
                ATTEMPTS.formatted("java.io.IOException: No resource found with name '/lib/x'"),
                false))
        .startsWith("JCuda's native library for " + System.getProperty("os.name"))
        .endsWith(
            "is missing: add org.jcuda:jcuda-natives:12.6.0 with the classifier linux-x86_64 or"
                + " windows-x86_64");
  }

  @Nested
  class WithoutADriver {
    @BeforeEach
    void thereIsNone() {
      assumeFalse(
          CudaContext.availability(0).available(), "skipped: this machine has a CUDA device");
    }

    @Test
    void everyCallSaysWhyAndNoneThrowsALinkageError() {
      Availability availability = CudaContext.availability(0);
      assertThat(availability.available()).isFalse();
      assertThat(availability.detail()).isNotBlank().doesNotContain("\n");
      assertThat(CudaContext.availability(0)).isEqualTo(availability);
      assertThatThrownBy(() -> CudaContext.open(3))
          .isInstanceOf(BackendUnavailableException.class)
          .hasMessage("CUDA device 3 cannot be used: " + availability.detail());
    }

    @Test
    void kernelsAreListedLastWithTheReasonAndOthersRun() {
      String reason = CudaContext.availability(0).detail();
      List<LogProbKernelProvider> logProbs = LogProbKernels.providers();
      assertThat(logProbs)
          .extracting(LogProbKernelProvider::name)
          .containsExactly("vector", "scalar", "cuda");
      assertThat(logProbs.get(2).availability()).isEqualTo(Availability.no(reason));
      assertThatThrownBy(() -> logProbs.get(2).newKernel()).hasMessageContaining(reason);
      List<GramKernelProvider> grams = GramKernels.providers();
      assertThat(grams)
          .extracting(GramKernelProvider::name)
          .containsExactly("vector", "scalar", "cuda");
      assertThat(grams.get(2).availability()).isEqualTo(Availability.no(reason));
      assertThatThrownBy(() -> grams.get(2).newKernel()).hasMessageContaining(reason);
      assertThat(LogProbKernels.best().name()).isEqualTo("vector");
    }

    @Test
    void aKernelThatIsNamedAllTheSameIsAnErrorWithTheReason() throws Exception {
      String reason = CudaContext.availability(0).detail();
      assertThat(messageOfBest("io.llmap.score.spi.LogProbKernels", "llmap.kernel.log-prob"))
          .isEqualTo("-Dllmap.kernel.log-prob=cuda cannot be met: " + reason);
      assertThat(messageOfBest("io.llmap.distance.GramKernels", "llmap.kernel.gram"))
          .isEqualTo("-Dllmap.kernel.gram=cuda cannot be met: " + reason);
    }

    @Test
    void aMissingNativeLibraryIsNamedAndNoneIsTakenFromTheSharedTemporaryFolder(
        @TempDir Path folder) throws Exception {
      Path planted =
          folder.resolve(
              LibUtils.createLibraryFileName(
                  LibUtils.createPlatformLibraryName("JCudaDriver-" + JCudaVersion.get())));
      Files.writeString(planted, "not a library");
      String before = System.setProperty("java.io.tmpdir", folder.toString());
      try (URLClassLoader classes = classes(false)) {
        Object availability =
            classes
                .loadClass(CudaContext.class.getName())
                .getMethod("availability", int.class)
                .invoke(null, 0);
        assertThat(availability.toString())
            .contains("is missing: add org.jcuda:jcuda-natives:12.6.0");
        assertThat(System.getProperty("java.io.tmpdir")).isEqualTo(folder.toString());
      } finally {
        System.setProperty("java.io.tmpdir", before);
      }
    }
  }

  /** What choosing the kernel that the property names ends with. */
  private static String messageOfBest(String kernels, String property) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (URLClassLoader classes = classes(true)) {
      System.setProperty(property, "cuda");
      thread.setContextClassLoader(classes);
      classes.loadClass(kernels).getMethod("best").invoke(null);
      return "";
    } catch (InvocationTargetException e) {
      return e.getCause().getMessage();
    } finally {
      System.clearProperty(property);
      thread.setContextClassLoader(before);
    }
  }

  private static URLClassLoader classes(boolean natives) throws IOException {
    List<URL> path = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      boolean isNative = entry.toLowerCase(Locale.ROOT).contains("jcuda-natives");
      if (natives || !isNative) {
        path.add(url(entry));
      }
    }
    return new URLClassLoader(path.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
  }

  private static URL url(String entry) throws MalformedURLException {
    return Path.of(entry).toUri().toURL();
  }
}
