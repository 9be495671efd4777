package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TokenBatchTest {
  @Test
  void sequencesArePaddedOnTheRightToTheLongest() {
    TokenBatch batch = TokenBatch.of(new int[][] {{5}, {7, 8, 9}, {1, 2}}, 99);

    assertThat(batch.sequences()).isEqualTo(3);
    assertThat(batch.length()).isEqualTo(3);
    int[][] padded = {{5, 99, 99}, {7, 8, 9}, {1, 2, 99}};
    int[] lengths = {1, 3, 2};
    for (int b = 0; b < 3; b++) {
      assertThat(batch.length(b)).isEqualTo(lengths[b]);
      for (int t = 0; t < 3; t++) {
        assertThat(batch.id(b, t)).isEqualTo(padded[b][t]);
      }
    }
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
  void aBatchWithoutSequencesOrASequenceWithoutTokensIsRefused() {
    assertThatThrownBy(() -> TokenBatch.of(new int[0][], 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a batch needs at least one sequence");
    assertThatThrownBy(() -> TokenBatch.of(new int[][] {{1}, {}}, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a sequence without tokens cannot be scored");
  }
}
