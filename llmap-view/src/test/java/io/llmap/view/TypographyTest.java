package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class TypographyTest {

  @Property(tries = 300)
  void elidedTextFitsAndKeepsBothEnds(
      @ForAll String text, @ForAll @DoubleRange(min = 12, max = 300) double width) {
    String clean = Typography.clean(text);
    String elided = Typography.elide(clean, Typeface.REGULAR, 10, width);
    assertThat(Typeface.REGULAR.width(elided, 10)).isLessThanOrEqualTo(width);
    if (!elided.equals(clean)) {
      int ellipsis = elided.indexOf('…');
      while (!clean.startsWith(elided.substring(0, ellipsis))
          || !clean.endsWith(elided.substring(ellipsis + 1))) {
        ellipsis = elided.indexOf('…', ellipsis + 1);
        assertThat(ellipsis).as("%s from %s", elided, clean).isNotNegative();
      }
    }
  }

  @Property(tries = 300)
  void cleanTextIsLegalInXml(@ForAll String text) {
    assertThat(Typography.clean(text).codePoints())
        .allMatch(c -> (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000);
  }

  @Test
  void elisionSplitsNoPair() {
    String elided = Typography.elide("🦙".repeat(40), Typeface.REGULAR, 10, 95);
    assertThat(elided).matches("(🦙)+…(🦙)+");
  }

  @Test
  void wrapsAtSpacesAndKeepsEveryWord() {
    String text = "one two  three four five six seven eight nine ten";
    var lines = Typography.wrap(text, Typeface.REGULAR, 10, 80);
    assertThat(lines).hasSizeGreaterThan(2);
    assertThat(lines).allMatch(line -> Typeface.REGULAR.width(line, 10) <= 80);
    assertThat(String.join(" ", lines)).isEqualTo(text.replace("  ", " "));
    assertThat(Typography.wrap("", Typeface.REGULAR, 10, 80)).isEmpty();
  }
}
