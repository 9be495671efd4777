package io.llmap.view;

import java.util.List;

/** The colours of a map, as 0xRRGGBB. */
final class Palette {
  /**
   * Eight colours that stay apart for readers with protanopia and deuteranopia, mostly by
   * lightness: those of Okabe and Ito (2008) with the yellow darkened to be seen on white and a
   * dark wine red in the place of black, which is the colour of the text.
   */
  static final List<Integer> GROUPS =
      List.of(0x0072B2, 0xE69F00, 0x009E73, 0xD55E00, 0xCC79A7, 0x56B4E9, 0x882255, 0xE3D12B);

  private static final List<MarkerShape> SHAPES = List.of(MarkerShape.values());

  /** The number of groups that differ in colour or shape. */
  static final int MARKS = GROUPS.size() * SHAPES.size();

  static final int OTHER = 0x9AA3AD;
  static final int PAGE = 0xFFFFFF;
  static final int PANEL = 0xFCFCFD;
  static final int FRAME = 0xDDE1E6;
  static final int TEXT = 0x1F2328;
  static final int QUIET_TEXT = 0x59636E;
  static final int LINK = 0xBCC4CE;

  private Palette() {}

  static int color(int group) {
    return GROUPS.get(group % GROUPS.size());
  }

  static MarkerShape shape(int group) {
    return SHAPES.get(group / GROUPS.size());
  }

  /** Mixes a colour with black; a share of 0 leaves it as it is. */
  static int darken(int rgb, double share) {
    int mixed = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
      mixed |= (int) Math.round(((rgb >> shift) & 0xFF) * (1 - share)) << shift;
    }
    return mixed;
  }
}
