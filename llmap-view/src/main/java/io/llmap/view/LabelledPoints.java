package io.llmap.view;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The inside of the panel: points, arrows and labels.
 *
 * @param panel the frame
 * @param points the points' centres
 * @param radius the points' radius
 * @param links the arrows, from rim to rim; one between points that touch is left out
 * @param labels the labels that have a place
 */
record LabelledPoints(
    Box panel,
    PixelPoints points,
    double radius,
    List<Segment> links,
    List<MapLayout.Label> labels) {

  /** Up to so many models all have a label. */
  static final int ALL_LABELLED = 80;

  private static final double PANEL_WIDTH = 700;
  private static final double LARGE_PANEL_WIDTH = 860;
  private static final double MIN_ASPECT = 0.6;
  private static final int FEW_LABELS = 40;
  private static final double MAX_ASPECT = 0.8;

  /**
   * How much a panel grows and how wide an empty border it has at its sides, so that labels fit.
   *
   * @param growth times the width of a panel that needs no growth
   * @param border in pixels
   * @param overPoints whether a leader may pass over a point outside its hot spot; given up late
   * @param crossing whether leaders may cross; given up last
   */
  private record Attempt(double growth, double border, boolean overPoints, boolean crossing) {}

  private static final List<Attempt> ATTEMPTS =
      List.of(
          new Attempt(1, 44, false, false),
          new Attempt(1.2, 110, false, false),
          new Attempt(1.4, 130, false, false),
          new Attempt(1.4, 200, true, false),
          new Attempt(1.9, 260, true, false),
          new Attempt(1.9, 260, true, true));

  /** The empty border at the top and the bottom: labels need less room there than at the sides. */
  private static double uprightBorder(double border) {
    return 8 + border / 2;
  }

  private static final Attempt LARGE_MAP = new Attempt(1, 36, false, false);
  private static final double LARGE_MAP_LEADER = 50;
  private static final double AREA_PER_LABEL = 9000;
  private static final int OFFERS_PER_LABEL = 4;

  private static final double FRAME_CLEARANCE = 4;
  private static final double MAX_LABEL_WIDTH = 190;
  private static final double LABEL_PADDING = 2;
  private static final double LABEL_SHADE = 0.5;

  /** From a line's middle to its baseline, in em, for text without descenders to look centred. */
  private static final double BASELINE = 0.35;

  /** The width of the panel of a map that needs no growth. */
  static double panelWidth(int models) {
    return models <= ALL_LABELLED ? PANEL_WIDTH : LARGE_PANEL_WIDTH;
  }

  /**
   * Places everything.
   *
   * @param points K × 2
   * @param names K names, clean
   * @param groups the colours
   * @param arrows pairs of models
   * @param left where the panel starts
   * @param top where the panel starts
   * @param minHeight the least height of the panel
   */
  static LabelledPoints place(
      double[][] points,
      List<String> names,
      Groups groups,
      List<int[]> arrows,
      double left,
      double top,
      double minHeight) {
    Placer placer = new Placer(points, names, groups, arrows, new Box(left, top, 0, minHeight));
    if (names.size() > ALL_LABELLED) {
      return placer.attempt(LARGE_MAP);
    }
    LabelledPoints best = placer.attempt(ATTEMPTS.get(0));
    for (int a = 1; a < ATTEMPTS.size() && best.labels.size() < names.size(); a++) {
      LabelledPoints next = placer.attempt(ATTEMPTS.get(a));
      best = next.labels.size() > best.labels.size() ? next : best;
    }
    return best;
  }

  private static final class Placer {
    private final double[][] points;
    private final Groups groups;
    private final List<int[]> arrows;
    private final Box start;
    private final double radius;
    private final double size;
    private final double height;
    private final List<String> texts;
    private final double[] widths;

    Placer(double[][] points, List<String> names, Groups groups, List<int[]> arrows, Box start) {
      int models = points.length;
      this.points = points;
      this.groups = groups;
      this.arrows = arrows;
      this.start = start;
      this.radius = Math.min(5.5, 11 / StrictMath.pow(models, 0.2));
      this.size = models <= FEW_LABELS ? 11.5 : models <= ALL_LABELLED ? 11 : 10.5;
      this.height = Math.ceil(1.1 * size);
      this.texts = new ArrayList<>();
      this.widths = new double[models];
      for (int i = 0; i < models; i++) {
        texts.add(Typography.elide(names.get(i), Typeface.REGULAR, size, MAX_LABEL_WIDTH));
        widths[i] = Typeface.REGULAR.width(texts.get(i), size) + 2 * LABEL_PADDING;
      }
    }

    LabelledPoints attempt(Attempt attempt) {
      double border = attempt.border();
      Box panel = panel(attempt.growth(), border);
      PixelPoints pixels = PixelPoints.fit(points, inset(panel, border, uprightBorder(border)));
      double[] x = pixels.x();
      double[] y = pixels.y();
      List<Segment> links = links(x, y);
      LabelCandidates candidates =
          new LabelCandidates(
              x,
              y,
              radius * MarkerShape.REACH,
              height,
              inset(panel, FRAME_CLEARANCE, FRAME_CLEARANCE),
              links,
              attempt.overPoints());
      List<MapLayout.Label> labels =
          points.length <= ALL_LABELLED
              ? labelAll(candidates, attempt.crossing())
              : labelSome(candidates, panel, x, y);
      return new LabelledPoints(panel, pixels, radius, links, labels);
    }

    private Box panel(double growth, double border) {
      double width = growth * panelWidth(points.length);
      double wanted = (width - 2 * border) * PixelPoints.aspect(points) + 2 * uprightBorder(border);
      // Points without any extent have the aspect 0 / 0.
      double aspect = Double.isNaN(wanted) ? MIN_ASPECT : wanted / width;
      double least = points.length <= FEW_LABELS ? MIN_ASPECT : MAX_ASPECT;
      double panelHeight = width * Math.max(least, Math.min(MAX_ASPECT, aspect));
      return new Box(start.x(), start.y(), width, Math.max(panelHeight, start.height()));
    }

    private static Box inset(Box box, double dx, double dy) {
      return new Box(box.x() + dx, box.y() + dy, box.width() - 2 * dx, box.height() - 2 * dy);
    }

    private List<Segment> links(double[] x, double[] y) {
      List<Segment> links = new ArrayList<>();
      double reach = radius + 1;
      for (int[] arrow : arrows) {
        Segment centers = new Segment(x[arrow[0]], y[arrow[0]], x[arrow[1]], y[arrow[1]]);
        double share = reach / centers.length();
        if (share < 0.5) {
          double dx = share * (centers.x2() - centers.x1());
          double dy = share * (centers.y2() - centers.y1());
          links.add(
              new Segment(
                  centers.x1() + dx, centers.y1() + dy, centers.x2() - dx, centers.y2() - dy));
        }
      }
      return links;
    }

    private List<MapLayout.Label> labelAll(LabelCandidates candidates, boolean leadersMayCross) {
      List<List<LabelCandidate>> places = new ArrayList<>();
      int[] order = new int[points.length];
      for (int i = 0; i < points.length; i++) {
        order[i] = i;
        places.add(candidates.of(i, widths[i], Double.POSITIVE_INFINITY));
      }
      return labels(order, LabelPlacement.placeAll(places, leadersMayCross));
    }

    private List<MapLayout.Label> labelSome(
        LabelCandidates candidates, Box panel, double[] x, double[] y) {
      int budget = (int) (panel.width() * panel.height() / AREA_PER_LABEL);
      int entries = Math.max(1, groups.entries().size());
      int[] order =
          LabelSelection.order(x, y, groups.entryOf(), entries, OFFERS_PER_LABEL * budget);
      List<List<LabelCandidate>> places = new ArrayList<>();
      for (int i : order) {
        places.add(candidates.of(i, widths[i], LARGE_MAP_LEADER));
      }
      return labels(order, LabelPlacement.placeSome(places, budget));
    }

    private List<MapLayout.Label> labels(int[] order, @Nullable LabelCandidate[] placed) {
      List<MapLayout.Label> labels = new ArrayList<>();
      for (int k = 0; k < order.length; k++) {
        LabelCandidate place = placed[k];
        if (place != null) {
          int i = order[k];
          TextLine text =
              TextLine.of(
                  texts.get(i),
                  place.box().x() + LABEL_PADDING,
                  place.box().centerY() + BASELINE * size,
                  size,
                  Typeface.REGULAR,
                  Palette.darken(groups.rgb(i), LABEL_SHADE));
          labels.add(
              new MapLayout.Label(i, place.box(), Optional.ofNullable(place.leader()), text));
        }
      }
      return labels;
    }
  }
}
