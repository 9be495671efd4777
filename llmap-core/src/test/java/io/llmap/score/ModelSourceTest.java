package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelSourceTest {
  @ParameterizedTest
  @CsvSource({
    "'', f, needs a name",
    "' ', f, needs a name",
    "'a\nb', f, control character",
    "'a\uD800', f, lone surrogate",
    "a, ' ', has no fingerprint"
  })
  void whatCannotLabelARowIsRefused(String name, String fingerprint, String reason) {
    assertThatThrownBy(() -> new ModelSource(name, "memory", fingerprint, "test"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(reason);
  }
}
