package io.llmap.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.cuda.FakeCudaDriver.Device;
import io.llmap.distance.RowSource;
import io.llmap.score.Availability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;

class CudaContextTest {
  private static final byte[] PTX = {0};

  @Test
  void aDeviceThatCanBeUsedSaysWhatItIs() {
    assertThat(CudaContext.availability(new FakeCudaDriver(new Device("Tesla T4", 7, 5, 40)), 0))
        .isEqualTo(Availability.yes("Tesla T4, compute capability 7.5, driver for CUDA 12.8"));
    assertThat(CudaContext.availability(new FakeCudaDriver(new Device("B200", 10, 0, 148)), 0))
        .isEqualTo(Availability.yes("B200, compute capability 10.0, driver for CUDA 12.8"));
  }

  @Test
  void anOlderDeviceIsRefusedWithItsComputeCapability() {
    FakeCudaDriver driver = new FakeCudaDriver(new Device("Tesla V100", 7, 0, 80));
    assertThat(CudaContext.availability(driver, 0))
        .isEqualTo(
            Availability.no(
                "Tesla V100, compute capability 7.0, driver for CUDA 12.8; at least 7.5 is needed"));
    assertThatThrownBy(() -> CudaContext.open(driver, 0, PTX))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage(
            "CUDA device 0 cannot be used: Tesla V100, compute capability 7.0, driver for CUDA"
                + " 12.8; at least 7.5 is needed");
    assertThat(driver.calls).doesNotContain("cuDevicePrimaryCtxRetain");
  }

  @Test
  void aDriverWithoutADeviceSaysSo() {
    assertThat(CudaContext.availability(new FakeCudaDriver(), 0))
        .isEqualTo(Availability.no("the NVIDIA driver sees no device"));
    assertThat(
            CudaContext.availability(
                FakeCudaDriver.withOneDevice().failingAt(1, "CUDA_ERROR_NO_DEVICE"), 0))
        .isEqualTo(Availability.no("the NVIDIA driver sees no device"));
  }

  @Test
  void aDeviceNumberBeyondTheLastIsRefused() {
    assertThat(CudaContext.availability(FakeCudaDriver.withOneDevice(), 1))
        .isEqualTo(Availability.no("there is no CUDA device 1 among 1, numbered from 0"));
    assertThat(CudaContext.availability(FakeCudaDriver.withOneDevice(), -1).available()).isFalse();
  }

  @Test
  void whateverFailsIsAReasonAndNotAnException() {
    int call = 1;
    while (true) {
      FakeCudaDriver driver =
          FakeCudaDriver.withOneDevice().failingAt(call, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH");
      Availability availability = CudaContext.availability(driver, 0);
      if (!driver.hasFailed()) {
        break;
      }
      assertThat(availability)
          .isEqualTo(
              Availability.no(driver.failedCall() + " failed: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"));
      call++;
    }
    assertThat(call).isGreaterThan(6);
  }

  @Test
  void kernelsAreLoadedOnceAndFoundOnce() {
    FakeCudaDriver driver = FakeCudaDriver.withOneDevice();
    try (CudaContext context = CudaContext.open(driver, 0, PTX)) {
      for (int i = 0; i < 2; i++) {
        try (CudaGramKernel kernel = CudaGramKernel.open(context)) {
          kernel.add(RowSource.wrap(new double[][] {{1, 2}}), new double[1]);
        }
      }
    }
    assertThat(driver.calls).filteredOn(call -> call.startsWith("cuModuleLoad")).hasSize(1);
    assertThat(driver.calls).filteredOn(call -> call.startsWith("cuModuleGet")).hasSize(1);
    driver.assertNothingIsLeft();
    assertThat(driver.orphans).isEmpty();
  }

  @Test
  void aFailureToOpenOrCloseReleasesTheDevice() {
    int call = 1;
    while (true) {
      FakeCudaDriver driver =
          FakeCudaDriver.withOneDevice().failingAt(call, "CUDA_ERROR_INVALID_PTX");
      try (CudaContext context = CudaContext.open(driver, 0, PTX)) {
        assertThat(context.device()).isZero();
      } catch (LlmapException e) {
        assertThat(e).hasMessageContaining(driver.failedCall());
      }
      driver.assertNothingIsLeft();
      if (!driver.hasFailed()) {
        break;
      }
      call++;
    }
    assertThat(call).isGreaterThan(15);
  }

  @Test
  void theErrorOfACallHasCudasNameForIt() {
    assertThatThrownBy(
            () ->
                JCudaCalls.check("cuMemAlloc of 8 bytes", () -> CUresult.CUDA_ERROR_OUT_OF_MEMORY))
        .isInstanceOf(LlmapException.class)
        .hasMessage("cuMemAlloc of 8 bytes failed: CUDA_ERROR_OUT_OF_MEMORY");
    JCudaCalls.check("cuMemAlloc", () -> CUresult.CUDA_SUCCESS);
  }

  @Test
  void jcudasOwnExceptionsBecomeTheSameError() {
    assertThatThrownBy(
            () ->
                JCudaCalls.check(
                    "cuInit",
                    () -> {
                      throw new jcuda.CudaException("CUDA_ERROR_NO_DEVICE");
                    }))
        .isInstanceOf(CudaCallException.class)
        .hasMessage("cuInit failed: CUDA_ERROR_NO_DEVICE");
  }

  /** Nothing else could see it here, where no call succeeds. */
  @Test
  void everyCallOfTheDriverIsChecked() throws IOException {
    String source = Files.readString(Path.of("src/main/java/io/llmap/cuda/JCudaCalls.java"));
    String code = source.replaceAll("(?m)^import .*$", "").replaceAll("\"[^\"]*\"", "\"\"");
    List<String> unchecked =
        Pattern.compile("(?<!-> )\\bcu[A-Z]\\w*(?=\\()")
            .matcher(code.replaceAll("\\s+", " "))
            .results()
            .map(MatchResult::group)
            .toList();
    assertThat(unchecked).containsExactly("cuModuleLoadDataJIT");
    assertThat(code).contains("if (cuModuleLoadDataJIT(");
    assertThat(Pattern.compile("\\bcheck\\(").matcher(code).results())
        .as("one of them is the method itself")
        .hasSize((int) Pattern.compile("-> *\\s*cu[A-Z]").matcher(code).results().count() + 1);
  }
}
