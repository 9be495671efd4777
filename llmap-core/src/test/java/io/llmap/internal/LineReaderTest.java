package io.llmap.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LineReaderTest {
  /** Gives a few bytes at a time, as a pipe does. */
  private static InputStream dripping(byte[] bytes, int atOnce) {
    return new ByteArrayInputStream(bytes) {
      @Override
      public synchronized int read(byte[] to, int from, int length) {
        return super.read(to, from, Math.min(length, atOnce));
      }
    };
  }

  @Property(tries = 200)
  void linesAreWhatStandsBetweenNewlines(
      @ForAll @Size(max = 12) int[] kinds, @ForAll @IntRange(min = 1, max = 70_000) int atOnce)
      throws IOException {
    // Lines of 0 to 70,000 bytes: shorter and longer than the buffer of 65,536.
    StringBuilder all = new StringBuilder();
    for (int kind : kinds) {
      switch (Math.floorMod(kind, 4)) {
        case 0 -> all.append('\n');
        case 1 -> all.append("short\n");
        case 2 -> all.append("x".repeat(Math.floorMod(kind, 70_000))).append('\n');
        default -> all.append("é no newline");
      }
    }
    byte[] bytes = all.toString().getBytes(StandardCharsets.UTF_8);
    int at = 0;
    long number = 0;
    try (LineReader lines = new LineReader(dripping(bytes, atOnce))) {
      while (lines.next()) {
        int end = at;
        while (end < bytes.length && bytes[end] != '\n') {
          end++;
        }
        assertThat(lines.number()).isEqualTo(++number);
        assertThat(lines.offset()).isEqualTo(at);
        assertThat(lines.text()).isEqualTo(new String(bytes, at, end - at, StandardCharsets.UTF_8));
        assertThat(lines.length()).isEqualTo(end - at);
        assertThat(lines.terminated()).isEqualTo(end < bytes.length);
        at = Math.min(end + 1, bytes.length);
      }
    }
    assertThat(at).isEqualTo(bytes.length);
  }

  @Test
  void streamOfOnlyANewlineIsOneEmptyLineAndAnEmptyStreamNone() throws IOException {
    try (LineReader lines = new LineReader(new ByteArrayInputStream(new byte[] {'\n'}))) {
      assertThat(lines.next()).isTrue();
      assertThat(lines.length()).isZero();
      assertThat(lines.terminated()).isTrue();
      assertThat(lines.next()).isFalse();
    }
    try (LineReader lines = new LineReader(InputStream.nullInputStream())) {
      assertThat(lines.next()).isFalse();
    }
  }

  @Test
  void lineThatIsNotUtf8CanBeQuotedButNotDecoded() throws IOException {
    byte[] bytes = {'a', (byte) 0xFF, 7, '\r', '\n'};
    try (LineReader lines = new LineReader(new ByteArrayInputStream(bytes))) {
      assertThat(lines.next()).isTrue();
      assertThatThrownBy(lines::text).isInstanceOf(CharacterCodingException.class);
      assertThat(lines.quote()).isEqualTo("a\uFFFD\uFFFD");
    }
  }

  @Test
  void quoteOfALongLineIsSixtyCharactersAndAnEllipsis() throws IOException {
    byte[] bytes = "ab".repeat(50_000).getBytes(StandardCharsets.UTF_8);
    try (LineReader lines = new LineReader(new ByteArrayInputStream(bytes))) {
      assertThat(lines.next()).isTrue();
      assertThat(lines.quote()).isEqualTo("ab".repeat(30) + "…");
    }
  }
}
