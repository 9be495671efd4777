package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class OverLengthPolicyTest {
  @Test
  void policiesAreEqualIfTheyDoTheSame() {
    List<OverLengthPolicy> all =
        List.of(
            OverLengthPolicy.FAIL,
            OverLengthPolicy.TRUNCATE,
            OverLengthPolicy.ROLLING,
            OverLengthPolicy.rolling(1),
            OverLengthPolicy.rolling(512));
    assertThat(all).doesNotHaveDuplicates();
    assertThat(all)
        .extracting(OverLengthPolicy::toString)
        .containsExactly("fail", "truncate", "rolling", "rolling:1", "rolling:512");
    assertThat(OverLengthPolicy.rolling(512)).isEqualTo(all.get(4)).hasSameHashCodeAs(all.get(4));
    assertThat(all)
        .extracting(OverLengthPolicy::isRolling)
        .containsExactly(false, false, true, true, true);
  }

  @Test
  void aStrideIsTheOneThatWasGivenOrHalfTheContext() {
    assertThat(OverLengthPolicy.rolling(7).stride(1024)).isEqualTo(7);
    assertThat(OverLengthPolicy.ROLLING.stride(1024)).isEqualTo(512);
    assertThat(OverLengthPolicy.ROLLING.stride(9)).isEqualTo(4);
    assertThatThrownBy(() -> OverLengthPolicy.TRUNCATE.stride(9))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the over-length policy \"truncate\" has no windows");
    assertThatThrownBy(() -> OverLengthPolicy.rolling(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a stride must be at least 1, got 0");
  }

  @Test
  void theStrideIsStoredWithTheScores() {
    ScorerOptions options = ScorerOptions.defaults();
    assertThat(options.withOverLength(OverLengthPolicy.ROLLING).asMap())
        .containsEntry("over-length", "rolling");
    assertThat(options.withOverLength(OverLengthPolicy.rolling(64)).asMap())
        .containsEntry("over-length", "rolling:64");
  }
}
