package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TokenBatchTest {
  @Test
  void sequencesArePaddedOnTheRightToTheLongest() {
    TokenBatch batch = TokenBatch.of(new int[][] {{5, 6}, {7, 8, 9}, {1, 2}}, 99);

    assertThat(batch.sequences()).isEqualTo(3);
    assertThat(batch.length()).isEqualTo(3);
    int[][] padded = {{5, 6, 99}, {7, 8, 9}, {1, 2, 99}};
    int[] lengths = {2, 3, 2};
    for (int b = 0; b < 3; b++) {
      assertThat(batch.length(b)).isEqualTo(lengths[b]);
      assertThat(batch.firstTarget(b)).isEqualTo(1);
      assertThat(batch.targets(b)).isEqualTo(lengths[b] - 1);
      for (int t = 0; t < 3; t++) {
        assertThat(batch.id(b, t)).isEqualTo(padded[b][t]);
      }
    }
  }

  @Test
  void tokensBeforeTheFirstTargetAreNotScored() {
    TokenBatch batch = TokenBatch.of(new int[][] {{5, 6, 7, 8}, {1, 2}}, new int[] {3, 1}, 0);

    assertThat(batch.firstTarget(0)).isEqualTo(3);
    assertThat(batch.targets(0)).isEqualTo(1);
    assertThat(batch.firstTarget(1)).isEqualTo(1);
    assertThat(batch.targets(1)).isEqualTo(1);
  }

  @Test
  void aBatchMayBeLongerThanItsLongestSequence() {
    TokenBatch batch = TokenBatch.of(new int[][] {{5, 6}, {7, 8, 9}}, new int[] {1, 1}, 99, 4);

    assertThat(batch.length()).isEqualTo(4);
    assertThat(batch.length(1)).isEqualTo(3);
    assertThat(batch.id(0, 3)).isEqualTo(99);
    assertThat(batch.id(1, 2)).isEqualTo(9);
  }

  @Test
  void theIdsAreCopied() {
    int[][] sequences = {{5, 6}};
    TokenBatch batch = TokenBatch.of(sequences, 0);
    sequences[0][0] = 1;

    assertThat(batch.id(0, 0)).isEqualTo(5);
  }

  @Test
  void aPositionTooFarIsNotTheNextSequences() {
    TokenBatch batch = TokenBatch.of(new int[][] {{5, 6}, {7, 8}}, 0);

    assertThatThrownBy(() -> batch.id(0, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> batch.id(1, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> batch.id(2, 0)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void aBatchWithoutSequencesOrWithoutATokenToScoreIsRefused() {
    assertThatThrownBy(() -> TokenBatch.of(new int[0][], 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a batch needs at least one sequence");
    assertThatThrownBy(() -> TokenBatch.of(new int[][] {{1, 2}, {1}}, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a sequence of 1 tokens cannot be scored from position 1 on");
    assertThatThrownBy(() -> TokenBatch.of(new int[][] {{1, 2}}, new int[] {0}, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a sequence of 2 tokens cannot be scored from position 0 on");
    assertThatThrownBy(() -> TokenBatch.of(new int[][] {{1, 2}}, new int[] {1, 1}, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("1 sequences but 2 first targets");
    assertThatThrownBy(() -> TokenBatch.of(new int[][] {{1, 2}}, new int[] {1}, 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a sequence of 2 tokens does not fit a batch of length 1");
  }
}
