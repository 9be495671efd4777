package io.llmap.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class TextTest {
  @Property(tries = 300)
  void bytesAreThoseOfTheUtf8Form(@ForAll("unicode") String content) {
    assertThat(Text.of("a", content).bytes())
        .isEqualTo(content.getBytes(StandardCharsets.UTF_8).length);
  }

  @Provide
  static Arbitrary<String> unicode() {
    return codePoints()
        .list()
        .ofMinSize(1)
        .ofMaxSize(40)
        .map(
            list ->
                list.stream()
                    .collect(
                        StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString());
  }

  /** Every length of UTF-8, its borders included. */
  static Arbitrary<Integer> codePoints() {
    return Arbitraries.oneOf(
        Arbitraries.integers().between(0, 0x7F),
        Arbitraries.integers().between(0x80, 0x7FF),
        Arbitraries.integers().between(0x800, 0xD7FF),
        Arbitraries.integers().between(0xE000, 0xFFFF),
        Arbitraries.integers().between(0x10000, 0x10FFFF));
  }

  @Test
  void aTextWithoutAnIdOrContentIsRefused() {
    assertThatThrownBy(() -> Text.of("", "x"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a text needs an id");
    assertThatThrownBy(() -> Text.of("t7", ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("text \"t7\" is empty: it has no token to score; leave it out");
  }

  @Test
  void aLoneSurrogateIsRefusedWhereverItStands() {
    assertThatThrownBy(() -> Text.of("t7", "a\uD83Eb"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the content of text \"t7\" is not valid UTF-16 (a lone surrogate)");
    assertThatThrownBy(() -> new Text("t7", "\uDD99", "x"))
        .hasMessage("the prompt of text \"t7\" is not valid UTF-16 (a lone surrogate)");
    assertThatThrownBy(() -> Text.of("t\uDD99", "x")).hasMessageStartingWith("the id of text");
  }

  @Test
  void aTextWithoutAPromptHasAnEmptyOne() {
    assertThat(Text.of("a", "b")).isEqualTo(new Text("a", "", "b"));
  }
}
