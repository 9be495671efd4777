package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class OnnxRuntimeVersionTest {
  @Test
  void versionsThatReportTheirUseAreRefusedOnLinux() {
    assertThat(OnnxRuntimeVersion.refusal("1.28.0", "Linux")).isEmpty();
    assertThat(OnnxRuntimeVersion.refusal("1.3.0", "Linux")).isEmpty();
    assertThat(OnnxRuntimeVersion.refusal("1.29.0", "Windows 11")).isEmpty();
    for (String version : List.of("1.29.0", "1.30.1", "2.0.0")) {
      assertThat(OnnxRuntimeVersion.refusal(version, "Linux").orElseThrow())
          .contains(version, "network", OnnxRuntimeVersion.TESTED);
    }
  }

  @Test
  void aClassOfAnotherJarHasNoVersion() {
    assertThat(OnnxRuntimeVersion.of(String.class)).isEmpty();
    assertThat(OnnxRuntimeVersion.of(Test.class)).isEmpty();
  }
}
