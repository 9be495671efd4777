package io.llmap.view;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Lays out a view: title, map, legend at the right, axis titles and caption below. */
final class MapComposer {
  private static final double MARGIN = 20;
  private static final double LINE_HEIGHT = 1.4;
  private static final double TITLE_SIZE = 18;
  private static final double TITLE_GAP = 12;
  private static final double SMALL_SIZE = 11.5;
  private static final double AXIS_STRIP = 20;
  private static final double CAPTION_GAP = 6;

  private static final double LEGEND_GAP = 20;
  private static final double LEGEND_SIZE = 12;
  private static final double LEGEND_PITCH = 19;
  private static final double LEGEND_RADIUS = 5;
  private static final double LEGEND_TEXT = 24;
  private static final double COUNT_GAP = 6;
  private static final double MAX_LEGEND_NAME = 170;

  private final MapView view;
  private final List<String> names;
  private final Groups groups;
  private final List<TextLine> texts = new ArrayList<>();
  private final List<Mark> legend = new ArrayList<>();
  private Optional<Segment> legendLink = Optional.empty();

  private MapComposer(MapView view) {
    this.view = view;
    this.names = view.embedding.names().stream().map(Typography::clean).toList();
    this.groups = Groups.of(view.embedding.names(), view.groups);
  }

  /** Where everything on the picture is. */
  static MapLayout compose(MapView view) {
    return new MapComposer(view).compose();
  }

  private MapLayout compose() {
    String title = Typography.clean(view.title).trim();
    double left = MARGIN + (view.yTitle.isBlank() ? 0 : AXIS_STRIP);
    double top = MARGIN;
    if (!title.isEmpty()) {
      double width = LabelledPoints.panelWidth(names.size()) + legendWidth();
      top =
          addLines(title, MARGIN, MARGIN, width, TITLE_SIZE, Typeface.MEDIUM, Palette.TEXT)
              + TITLE_GAP;
    }
    LabelledPoints map =
        LabelledPoints.place(
            view.embedding.toArray(), names, groups, arrows(), left, top, legendHeight());
    Box panel = map.panel();
    double right = panel.right() + legendWidth();
    addLegend(panel.right() + LEGEND_GAP, top);
    double bottom = addAxisTitles(panel);
    String caption = caption(map.labels().size());
    if (!caption.isEmpty()) {
      bottom =
          addLines(
              caption,
              MARGIN,
              bottom + CAPTION_GAP,
              right - MARGIN,
              SMALL_SIZE,
              Typeface.REGULAR,
              Palette.QUIET_TEXT);
    }
    return new MapLayout(
        new Box(0, 0, Math.ceil(right + MARGIN), Math.ceil(bottom + MARGIN)),
        panel,
        title.isEmpty() ? "Map of language models" : title,
        description(caption),
        marks(map),
        tooltips(),
        map.links(),
        map.labels(),
        legend,
        legendLink,
        texts);
  }

  private List<int[]> arrows() {
    Map<String, Integer> index = new HashMap<>();
    for (String name : view.embedding.names()) {
      index.put(name, index.size());
    }
    return view.links.stream()
        .map(l -> new int[] {index.getOrDefault(l.from(), 0), index.getOrDefault(l.to(), 0)})
        .toList();
  }

  private double addLines(
      String text, double x, double top, double width, double size, Typeface face, int rgb) {
    double y = top;
    for (String line : Typography.wrap(text, face, size, width)) {
      texts.add(TextLine.of(line, x, y + size, size, face, rgb));
      y += LINE_HEIGHT * size;
    }
    return y;
  }

  private double addAxisTitles(Box panel) {
    double size = SMALL_SIZE;
    double length = panel.height();
    if (!view.yTitle.isBlank()) {
      String text = axisTitle(view.yTitle, length);
      double width = Typeface.REGULAR.width(text, size);
      texts.add(
          new TextLine(
              text,
              panel.x() - 8,
              panel.centerY() + width / 2,
              width,
              size,
              Typeface.REGULAR,
              Palette.QUIET_TEXT,
              true));
    }
    if (view.xTitle.isBlank()) {
      return panel.bottom();
    }
    String text = axisTitle(view.xTitle, panel.width());
    double start = panel.centerX() - Typeface.REGULAR.width(text, size) / 2;
    double baseline = panel.bottom() + AXIS_STRIP - 4;
    texts.add(TextLine.of(text, start, baseline, size, Typeface.REGULAR, Palette.QUIET_TEXT));
    return panel.bottom() + AXIS_STRIP;
  }

  private static String axisTitle(String title, double length) {
    return Typography.elide(Typography.clean(title).trim(), Typeface.REGULAR, SMALL_SIZE, length);
  }

  private int legendLines() {
    return groups.entries().size()
        + (view.hollow.isEmpty() ? 0 : 1)
        + (view.links.isEmpty() ? 0 : 1);
  }

  private double legendHeight() {
    return legendLines() * LEGEND_PITCH;
  }

  private double legendWidth() {
    double widest = 0;
    for (Groups.Entry entry : groups.entries()) {
      double count = Typeface.REGULAR.width(Integer.toString(entry.size()), SMALL_SIZE);
      widest = Math.max(widest, legendNameWidth(entry.name()) + COUNT_GAP + count);
    }
    widest = view.hollow.isEmpty() ? widest : Math.max(widest, legendNameWidth(view.hollowMeaning));
    widest = view.links.isEmpty() ? widest : Math.max(widest, legendNameWidth(view.linkMeaning));
    return legendLines() == 0 ? 0 : LEGEND_GAP + LEGEND_TEXT + widest;
  }

  private static String legendName(String name) {
    return Typography.elide(Typography.clean(name), Typeface.REGULAR, LEGEND_SIZE, MAX_LEGEND_NAME);
  }

  private static double legendNameWidth(String name) {
    return Typeface.REGULAR.width(legendName(name), LEGEND_SIZE);
  }

  private void addLegend(double left, double top) {
    double x = left + LEGEND_TEXT / 2 - 4;
    double y = top + LEGEND_PITCH / 2;
    for (Groups.Entry entry : groups.entries()) {
      legend.add(new Mark(x, y, LEGEND_RADIUS, entry.shape(), entry.rgb(), false));
      TextLine name = addLegendName(entry.name(), left, y);
      texts.add(
          TextLine.of(
              Integer.toString(entry.size()),
              name.x() + name.width() + COUNT_GAP,
              name.baseline(),
              SMALL_SIZE,
              Typeface.REGULAR,
              Palette.QUIET_TEXT));
      y += LEGEND_PITCH;
    }
    if (!view.hollow.isEmpty()) {
      legend.add(new Mark(x, y, LEGEND_RADIUS, MarkerShape.CIRCLE, Palette.QUIET_TEXT, true));
      addLegendName(view.hollowMeaning, left, y);
      y += LEGEND_PITCH;
    }
    if (!view.links.isEmpty()) {
      legendLink = Optional.of(new Segment(x - 9, y, x + 9, y));
      addLegendName(view.linkMeaning, left, y);
    }
  }

  private TextLine addLegendName(String name, double left, double y) {
    TextLine line =
        TextLine.of(
            legendName(name),
            left + LEGEND_TEXT,
            y + 0.35 * LEGEND_SIZE,
            LEGEND_SIZE,
            Typeface.REGULAR,
            Palette.TEXT);
    texts.add(line);
    return line;
  }

  private String caption(int labelled) {
    String caption = Typography.clean(view.caption).trim();
    if (labelled == names.size()) {
      return caption;
    }
    String note = labelled + " of " + names.size() + " models are labelled.";
    if (caption.isEmpty()) {
      return note;
    }
    return caption + (caption.endsWith(".") ? " " : ". ") + note;
  }

  private String description(String caption) {
    StringBuilder text = new StringBuilder("A map of ").append(names.size());
    text.append(names.size() == 1 ? " model" : " models");
    if (!groups.entries().isEmpty()) {
      text.append(" in groups:");
      for (Groups.Entry entry : groups.entries()) {
        text.append(' ').append(entry.name()).append(" (").append(entry.size()).append("),");
      }
      text.setLength(text.length() - 1);
    }
    return text.append(". ").append(caption).toString().trim();
  }

  private List<Mark> marks(LabelledPoints map) {
    List<Mark> marks = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      boolean hollow = view.hollow.contains(view.embedding.names().get(i));
      marks.add(
          new Mark(
              map.points().x()[i],
              map.points().y()[i],
              map.radius(),
              groups.shape(i),
              groups.rgb(i),
              hollow));
    }
    return marks;
  }

  private List<String> tooltips() {
    List<String> tooltips = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      String name = view.embedding.names().get(i);
      StringBuilder tooltip = new StringBuilder(names.get(i));
      String group = view.groups.get(name);
      if (group != null) {
        tooltip.append(" · ").append(Typography.clean(group));
      }
      if (view.hollow.contains(name)) {
        tooltip.append(" · ").append(Typography.clean(view.hollowMeaning));
      }
      tooltips.add(tooltip.toString());
    }
    return tooltips;
  }
}
