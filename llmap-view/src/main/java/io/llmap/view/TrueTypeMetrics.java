package io.llmap.view;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * The advance widths of a TrueType font, read from its {@code head}, {@code hhea}, {@code hmtx} and
 * {@code cmap} (format 4) tables, so that text is measured without AWT and alike on every machine.
 */
final class TrueTypeMetrics {
  private static final int WINDOWS = 3;
  private static final int UNICODE_BMP = 1;
  private static final int SEGMENT_MAPPING = 4;

  private final Map<Integer, Double> advances;

  private TrueTypeMetrics(Map<Integer, Double> advances) {
    this.advances = advances;
  }

  /** Reads a whole font file. */
  static TrueTypeMetrics parse(byte[] file) {
    ByteBuffer font = ByteBuffer.wrap(file);
    Map<String, Integer> tables = tableOffsets(font);
    int unitsPerEm = unsignedShort(font, table(tables, "head") + 18);
    int longMetrics = unsignedShort(font, table(tables, "hhea") + 34);
    int hmtx = table(tables, "hmtx");
    Map<Integer, Double> advances = new HashMap<>();
    readCharacters(font, unicodeSubtable(font, table(tables, "cmap")))
        .forEach(
            (character, glyph) -> {
              int metric = Math.min(glyph, longMetrics - 1);
              advances.put(character, unsignedShort(font, hmtx + 4 * metric) / (double) unitsPerEm);
            });
    return new TrueTypeMetrics(advances);
  }

  /** Whether the font has a glyph for a code point. */
  boolean covers(int codePoint) {
    return advances.containsKey(codePoint);
  }

  /** The advance of a covered code point, in em. */
  double advance(int codePoint) {
    Double advance = advances.get(codePoint);
    if (advance == null) {
      throw new IllegalArgumentException("the font has no glyph for code point " + codePoint);
    }
    return advance;
  }

  private static Map<String, Integer> tableOffsets(ByteBuffer font) {
    Map<String, Integer> tables = new HashMap<>();
    int count = unsignedShort(font, 4);
    for (int i = 0; i < count; i++) {
      int entry = 12 + 16 * i;
      byte[] tag = new byte[4];
      font.get(entry, tag);
      tables.put(new String(tag, StandardCharsets.US_ASCII), font.getInt(entry + 8));
    }
    return tables;
  }

  private static int table(Map<String, Integer> tables, String tag) {
    Integer offset = tables.get(tag);
    if (offset == null) {
      throw new IllegalArgumentException("the font has no " + tag + " table");
    }
    return offset;
  }

  private static int unicodeSubtable(ByteBuffer font, int cmap) {
    int count = unsignedShort(font, cmap + 2);
    for (int i = 0; i < count; i++) {
      int entry = cmap + 4 + 8 * i;
      int subtable = cmap + font.getInt(entry + 4);
      if (unsignedShort(font, entry) == WINDOWS
          && unsignedShort(font, entry + 2) == UNICODE_BMP
          && unsignedShort(font, subtable) == SEGMENT_MAPPING) {
        return subtable;
      }
    }
    throw new IllegalArgumentException("the font's cmap has no format 4 Unicode table");
  }

  private static Map<Integer, Integer> readCharacters(ByteBuffer font, int subtable) {
    Map<Integer, Integer> glyphs = new HashMap<>();
    int doubledSegments = unsignedShort(font, subtable + 6);
    int ends = subtable + 14;
    int starts = ends + doubledSegments + 2;
    int deltas = starts + doubledSegments;
    int rangeOffsets = deltas + doubledSegments;
    for (int s = 0; s < doubledSegments; s += 2) {
      int start = unsignedShort(font, starts + s);
      int end = unsignedShort(font, ends + s);
      int delta = unsignedShort(font, deltas + s);
      int rangeOffset = unsignedShort(font, rangeOffsets + s);
      for (int c = start; c <= end && c < 0xFFFF; c++) {
        int glyph = c;
        if (rangeOffset != 0) {
          glyph = unsignedShort(font, rangeOffsets + s + rangeOffset + 2 * (c - start));
        }
        if (rangeOffset == 0 || glyph != 0) {
          glyph = (glyph + delta) & 0xFFFF;
        }
        if (glyph != 0) {
          glyphs.put(c, glyph);
        }
      }
    }
    return glyphs;
  }

  private static int unsignedShort(ByteBuffer font, int position) {
    return Short.toUnsignedInt(font.getShort(position));
  }
}
