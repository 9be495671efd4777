package io.llmap.view;

import io.llmap.LlmapException;
import io.llmap.embed.Embedding;
import io.llmap.internal.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Draws a two-dimensional embedding of models as a picture, SVG or PNG.
 *
 * <p>Both axes have one scale, so that distances on the picture compare. No label covers a point or
 * another label, and no leader crosses a label; leaders cross each other, or pass over the point of
 * another hot spot, only where a larger page does not help either.
 *
 * <p>Up to 80 models all have a label, and the page grows if they need it. Of more models a
 * readable number has one, about one per 9000 square units of the map: the medoid of each group
 * first, then always the model farthest from those before, and only with a short leader. A map that
 * does not label every model says so below the picture.
 *
 * <p>Groups take their colours in the order in which their first models stand in the embedding, so
 * that two maps of the same models have the same colours. Eight colours are told apart with
 * red-green colour blindness; from the ninth group on the shape changes. Of more than 24 groups the
 * 23 with the most models keep a mark of their own and the others are drawn grey.
 *
 * <p>The same view gives the same SVG on every machine, whatever fonts it has, and the same PNG in
 * the same Java runtime. A layout takes some tenths of a second, for 80 crowded models as for 1000.
 *
 * <p>Immutable; each {@code with} method returns a copy.
 */
public final class MapView {
  private static final double DEFAULT_SCALE = 2;

  /** The largest picture, in pixels: 400 MB in memory. */
  private static final double MAX_PIXELS = 1e8;

  final Embedding embedding;
  final Map<String, String> groups;
  final String title;
  final String caption;
  final String xTitle;
  final String yTitle;
  final Set<String> hollow;
  final String hollowMeaning;
  final List<Link> links;
  final String linkMeaning;

  /**
   * An arrow between two models, such as from a base model to a fine-tuned one or from a checkpoint
   * to the next.
   *
   * @param from a model's name
   * @param to another model's name, where the arrow's head is
   */
  public record Link(String from, String to) {
    /**
     * Checks the ends.
     *
     * @param from a model's name
     * @param to another model's name
     * @throws IllegalArgumentException if they are the same model
     */
    public Link {
      if (from.equals(to)) {
        throw new IllegalArgumentException("a link goes from \"" + from + "\" to itself");
      }
    }
  }

  private MapView(
      Embedding embedding,
      Map<String, String> groups,
      String title,
      String caption,
      String xTitle,
      String yTitle,
      Set<String> hollow,
      String hollowMeaning,
      List<Link> links,
      String linkMeaning) {
    this.embedding = embedding;
    this.groups = groups;
    this.title = title;
    this.caption = caption;
    this.xTitle = xTitle;
    this.yTitle = yTitle;
    this.hollow = hollow;
    this.hollowMeaning = hollowMeaning;
    this.links = links;
    this.linkMeaning = linkMeaning;
  }

  /**
   * A view without groups, title, links and axis titles; its caption is the embedding's method.
   *
   * @param embedding at least one model, two coordinates each, every name once
   * @return the view
   * @throws IllegalArgumentException if there is no model, the embedding has not two dimensions, or
   *     two models share a name
   */
  public static MapView of(Embedding embedding) {
    if (embedding.size() == 0) {
      throw new IllegalArgumentException(
          "a map needs at least one model; the embedding (" + embedding.method() + ") is empty");
    }
    if (embedding.dimensions() != 2) {
      throw new IllegalArgumentException(
          "a map is drawn in 2 dimensions, but the embedding ("
              + embedding.method()
              + ") has "
              + embedding.dimensions());
    }
    Set<String> seen = new LinkedHashSet<>();
    for (String name : embedding.names()) {
      if (!seen.add(name)) {
        throw new IllegalArgumentException(
            "two models are called \"" + name + "\"; give every model its own name");
      }
    }
    return new MapView(
        embedding, Map.of(), "", embedding.method(), "", "", Set.of(), "", List.of(), "");
  }

  /**
   * Returns a copy that colours models by group and has a legend.
   *
   * @param groupOfModel from a model's name to its group, such as its family; a model that is left
   *     out is drawn grey
   * @return a copy
   * @throws IllegalArgumentException if a name is not on the map, or a group's name is blank
   */
  public MapView withGroups(Map<String, String> groupOfModel) {
    Map<String, String> copy = new LinkedHashMap<>(groupOfModel);
    copy.forEach(
        (model, group) -> {
          requireModel(model, "a group");
          if (group.isBlank()) {
            throw new IllegalArgumentException("the group of \"" + model + "\" is blank");
          }
        });
    return new MapView(
        embedding, copy, title, caption, xTitle, yTitle, hollow, hollowMeaning, links, linkMeaning);
  }

  /**
   * Returns a copy with a title above the map.
   *
   * @param value the title; an empty one takes no room
   * @return a copy
   */
  public MapView withTitle(String value) {
    Objects.requireNonNull(value, "title");
    return new MapView(
        embedding,
        groups,
        value,
        caption,
        xTitle,
        yTitle,
        hollow,
        hollowMeaning,
        links,
        linkMeaning);
  }

  /**
   * Returns a copy with a caption below the map, broken into lines at spaces.
   *
   * @param value what was measured, in which unit, by which method and settings; it replaces the
   *     embedding's method
   * @return a copy
   */
  public MapView withCaption(String value) {
    Objects.requireNonNull(value, "caption");
    return new MapView(
        embedding, groups, title, value, xTitle, yTitle, hollow, hollowMeaning, links, linkMeaning);
  }

  /**
   * Returns a copy with titles at the axes, for a method whose axes have a meaning: {@code PC 1 (41
   * % of variance)}. Axes never have ticks.
   *
   * @param x the title of the first coordinate, left to right
   * @param y the title of the second coordinate, bottom to top
   * @return a copy
   */
  public MapView withAxisTitles(String x, String y) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, "y");
    return new MapView(
        embedding, groups, title, caption, x, y, hollow, hollowMeaning, links, linkMeaning);
  }

  /**
   * Returns a copy that draws some models as rims, to set a kind of model apart within its group.
   *
   * @param meaning what they have in common, for the legend, such as {@code int8}
   * @param models their names
   * @return a copy
   * @throws IllegalArgumentException if a name is not on the map, or the meaning is blank
   */
  public MapView withHollow(String meaning, Collection<String> models) {
    requireMeaning(meaning, "hollow marks");
    models.forEach(model -> requireModel(model, "a hollow mark"));
    return new MapView(
        embedding,
        groups,
        title,
        caption,
        xTitle,
        yTitle,
        Set.copyOf(models),
        meaning,
        links,
        linkMeaning);
  }

  /**
   * Returns a copy with thin arrows between models, under the points.
   *
   * @param meaning what an arrow says, for the legend, such as {@code fine-tuned}
   * @param arrows the arrows
   * @return a copy
   * @throws IllegalArgumentException if an end is not on the map, or the meaning is blank
   */
  public MapView withLinks(String meaning, Collection<Link> arrows) {
    requireMeaning(meaning, "links");
    for (Link arrow : arrows) {
      requireModel(arrow.from(), "a link");
      requireModel(arrow.to(), "a link");
    }
    return new MapView(
        embedding,
        groups,
        title,
        caption,
        xTitle,
        yTitle,
        hollow,
        hollowMeaning,
        List.copyOf(arrows),
        meaning);
  }

  /**
   * Draws the map as SVG 1.1, one {@code class="model"} element per model with its name and group
   * as a tooltip. Needs no AWT.
   *
   * @return an XML document that declares UTF-8
   */
  public String toSvg() {
    return SvgRenderer.render(MapComposer.compose(this));
  }

  /**
   * Writes the map as an SVG file; see {@link #toSvg()}. The file is written whole or not at all.
   *
   * @param file where to; an existing file is replaced
   * @throws LlmapException if the file cannot be written, for example on a full disk
   */
  public void writeSvg(Path file) {
    String svg = toSvg();
    AtomicFile.write(file, out -> out.write(svg.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * Writes the map as a PNG file at twice its size in pixels, sharp on dense screens.
   *
   * @param file where to; an existing file is replaced
   * @throws LlmapException if the file cannot be written, or this Java runtime has no working AWT
   *     fonts
   */
  public void writePng(Path file) {
    writePng(file, DEFAULT_SCALE);
  }

  /**
   * Writes the map as a PNG file. The file is written whole or not at all.
   *
   * @param file where to; an existing file is replaced
   * @param scale pixels per unit of the SVG picture, above 0; at 4 a page of 900 units prints at
   *     300 dots per inch 30 cm wide
   * @throws IllegalArgumentException if the scale is not positive, or the picture has no pixel or
   *     more than 100 million
   * @throws LlmapException if the file cannot be written, or this Java runtime has no working AWT
   *     fonts
   */
  public void writePng(Path file, double scale) {
    MapLayout layout = MapComposer.compose(this);
    double width = layout.page().width() * scale;
    double height = layout.page().height() * scale;
    if (!(width >= 1 && height >= 1 && width * height <= MAX_PIXELS)) {
      throw new IllegalArgumentException(
          "scale "
              + scale
              + " makes a picture of "
              + width
              + " x "
              + height
              + " pixels; it must have at least 1 x 1 and at most "
              + (long) MAX_PIXELS);
    }
    byte[] png = png(layout, scale);
    AtomicFile.write(file, out -> out.write(png));
  }

  /** Here and not in the renderer, because without AWT the renderer's class does not even load. */
  private static byte[] png(MapLayout layout, double scale) {
    try {
      return PngRenderer.render(layout, scale);
    } catch (LinkageError | InternalError | IOException e) {
      throw new LlmapException(
          "this Java runtime cannot draw text ("
              + e
              + "), so no PNG can be written; write SVG, which needs no AWT, or install a full JRE"
              + " with fontconfig and a font",
          e);
    }
  }

  private void requireModel(String model, String what) {
    if (!embedding.names().contains(model)) {
      throw new IllegalArgumentException(
          what
              + " is given for \""
              + model
              + "\", which is not on the map of "
              + embedding.size()
              + " models: "
              + String.join(", ", embedding.names().subList(0, Math.min(5, embedding.size())))
              + (embedding.size() > 5 ? ", …" : ""));
    }
  }

  private static void requireMeaning(String meaning, String what) {
    if (meaning.isBlank()) {
      throw new IllegalArgumentException("the legend needs to say what " + what + " mean");
    }
  }
}
