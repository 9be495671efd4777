package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.awt.Font;
import java.awt.font.FontRenderContext;
import java.io.ByteArrayInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrueTypeMetricsTest {

  @ParameterizedTest
  @EnumSource(Typeface.class)
  void coverageAndAdvancesAreThoseThatAwtReads(Typeface face) throws Exception {
    Font font =
        Font.createFont(Font.TRUETYPE_FONT, new ByteArrayInputStream(face.bytes()))
            .deriveFont(2048f);
    FontRenderContext context = new FontRenderContext(null, true, true);
    TrueTypeMetrics metrics = TrueTypeMetrics.parse(face.bytes());
    int covered = 0;
    for (int c = 0; c < 0x10000; c++) {
      if (Character.isISOControl(c) || (c >= 0xD800 && c <= 0xDFFF)) {
        continue;
      }
      // What AWT can always display, by leaving it out: joiners, hyphens, unassigned ones.
      if (!Character.isDefined(c) || Typeface.joins(c) || c == 0x2028 || c == 0x2029) {
        continue;
      }
      assertThat(metrics.covers(c)).as("U+%04X", c).isEqualTo(font.canDisplay(c));
      if (metrics.covers(c)) {
        covered++;
        double awt =
            font.createGlyphVector(context, Character.toString(c)).getGlyphMetrics(0).getAdvanceX();
        assertThat(metrics.advance(c) * 2048).as("U+%04X", c).isCloseTo(awt, within(0.51));
      }
    }
    assertThat(covered).isGreaterThan(800);
  }

  @Test
  void widthsAreTheSumsOfAdvancesThatFonttoolsReads() {
    assertThat(Typeface.REGULAR.width("gpt2-general-step0100", 2048)).isEqualTo(20579);
    assertThat(Typeface.REGULAR.width("Привет µ×", 2048)).isEqualTo(9797);
    assertThat(Typeface.MEDIUM.width("llama-legal-b-int8", 2048)).isEqualTo(16147);
  }

  @Test
  void charactersOutsideTheFontHaveASensibleWidth() {
    assertThat(Typeface.REGULAR.width("模型", 10)).isEqualTo(20);
    assertThat(Typeface.REGULAR.width("🦙", 10)).isEqualTo(10);
    assertThat(Typeface.REGULAR.width("👍🏽", 10)).isEqualTo(10);
    assertThat(Typeface.REGULAR.width("e\u0301", 10)).isEqualTo(Typeface.REGULAR.width("e", 10));
    assertThat(Typeface.REGULAR.width("\u05D0", 10)).isEqualTo(6);
  }

  @Test
  void fontWithoutItsTablesIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TrueTypeMetrics.parse(new byte[12]))
        .withMessage("the font has no head table");
  }
}
