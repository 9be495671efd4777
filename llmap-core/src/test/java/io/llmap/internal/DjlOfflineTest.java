package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DjlOfflineTest {
  @Test
  void onlyAnEnvironmentThatAsksForTheNetworkIsRefused() {
    assertThat(DjlOffline.refusal(null)).isEmpty();
    assertThat(DjlOffline.refusal("true")).isEmpty();
    assertThat(DjlOffline.refusal("TRUE")).isEmpty();
    assertThat(DjlOffline.refusal("false").orElseThrow()).contains("DJL_OFFLINE=false", "unset");
    assertThat(DjlOffline.refusal("")).isPresent();
  }
}
