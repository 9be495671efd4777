package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LogitsBlockTest {
  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** Rows of 3 logits, 5 apart, behind 2 others: row 0 is 2, 3, 4 and row 1 is 7, 8, 9. */
  private static LogitsBlock strided(LogitsBlock.Type type) {
    ByteBuffer memory = direct(10 * type.bytes());
    for (int at = 0; at < 10; at++) {
      switch (type) {
        case F32 -> memory.putFloat(at);
        // 2^at: in binary16 the exponent is biased by 15 above 10 bits.
        case F16 -> memory.putShort((short) ((at + 15) << 10));
        // In bfloat16 it is biased by 127 above 7 bits.
        case BF16 -> memory.putShort((short) ((at + 127) << 7));
      }
    }
    return LogitsBlock.of(memory, type, 2, 2, 3, 5);
  }

  @Test
  void offsetAndStrideAreCountedInLogitsOfEveryType() {
    for (LogitsBlock.Type type : LogitsBlock.Type.values()) {
      LogitsBlock block = strided(type);
      float[] row = new float[4];
      for (int r = 0; r < 2; r++) {
        block.read(r, 1, 2, row);
        for (int v = 0; v < 3; v++) {
          int at = 2 + 5 * r + v;
          float expected = type == LogitsBlock.Type.F32 ? at : 1 << at;
          assertThat(block.logit(r, v)).as("%s", type).isEqualTo(expected);
          assertThat(v == 0 || row[v - 1] == expected).isTrue();
        }
      }
      assertThat(block.byteOffset(1)).isEqualTo(7 * type.bytes());
      assertThat(block.rows()).isEqualTo(2);
      assertThat(block.vocabulary()).isEqualTo(3);
      assertThat(block.type()).isEqualTo(type);
    }
  }

  @Test
  void positionLimitAndByteOrderOfTheBufferDoNotMatter() {
    ByteBuffer memory = direct(8).putFloat(1.5f).putFloat(-2.5f);
    memory.position(4).limit(4).order(ByteOrder.BIG_ENDIAN);
    LogitsBlock block = LogitsBlock.of(memory, LogitsBlock.Type.F32, 0, 1, 2, 2);

    assertThat(block.logit(0, 0)).isEqualTo(1.5f);
    assertThat(block.logit(0, 1)).isEqualTo(-2.5f);
    assertThat(memory.position()).isEqualTo(4);
    assertThat(block.memory().capacity()).isEqualTo(8);
    assertThat(block.memory().order()).isEqualTo(ByteOrder.nativeOrder());
  }

  @Test
  void nothingIsCopied() {
    ByteBuffer memory = direct(4);
    LogitsBlock block = LogitsBlock.of(memory, LogitsBlock.Type.F32, 0, 1, 1, 1);
    memory.putFloat(0, 3.5f);

    assertThat(block.logit(0, 0)).isEqualTo(3.5f);
  }

  @Test
  void rowsAndTokensOutsideTheBlockAreNotRead() {
    LogitsBlock block = strided(LogitsBlock.Type.F32);

    assertThatThrownBy(() -> block.logit(0, 3)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> block.logit(0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> block.logit(2, 0)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> block.byteOffset(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> block.read(0, 2, 2, new float[2]))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void memoryOfTheHeapIsRefused() {
    assertThatThrownBy(
            () -> LogitsBlock.of(ByteBuffer.allocate(4), LogitsBlock.Type.F32, 0, 1, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("logits must lie in a direct buffer");
  }

  @ParameterizedTest
  @CsvSource({"0, 0, 1, 1", "0, 1, 0, 1", "0, 1, 2, 1", "-1, 1, 1, 1"})
  void anImpossibleShapeIsRefusedWithItsValues(long offset, int rows, int vocabulary, int stride) {
    assertThatThrownBy(
            () ->
                LogitsBlock.of(direct(64), LogitsBlock.Type.F32, offset, rows, vocabulary, stride))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "bad logits shape: rows %d, vocabulary %d, row stride %d, offset %d"
                .formatted(rows, vocabulary, stride, offset));
  }

  @Test
  void aBufferThatIsTooSmallIsRefusedAtTheFirstMissingLogit() {
    assertThat(LogitsBlock.of(direct(40), LogitsBlock.Type.F32, 2, 2, 3, 5).rows()).isEqualTo(2);
    assertThatThrownBy(() -> LogitsBlock.of(direct(39), LogitsBlock.Type.F32, 2, 2, 3, 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("8 logits from logit 2 on do not fit into a buffer of 9 logits");
    assertThatThrownBy(() -> LogitsBlock.of(direct(40), LogitsBlock.Type.F16, 13, 2, 3, 5))
        .hasMessage("8 logits from logit 13 on do not fit into a buffer of 20 logits");
  }

  @Test
  void shapesWhoseSizeOverflowsAreRefused() {
    assertThatThrownBy(
            () -> LogitsBlock.of(direct(64), LogitsBlock.Type.F32, Long.MAX_VALUE / 4, 1, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("do not fit into a buffer of 16 logits");
    assertThatThrownBy(
            () ->
                LogitsBlock.of(
                    direct(64), LogitsBlock.Type.F32, 0, Integer.MAX_VALUE, 1, Integer.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("do not fit into a buffer of 16 logits");
  }
}
