package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The geometry is checked with Java2D's intersection tests, which the placement does not use. */
class LabelGeometryTest {

  @Property(tries = 60, seed = "42")
  void everyModelOfASmallMapIsLabelledWithoutConflict(
      @ForAll @IntRange(min = 1, max = 80) int models,
      @ForAll @IntRange(min = 1, max = 9) int clusters,
      @ForAll @DoubleRange(min = 0, max = 1) double spread,
      @ForAll long seed) {
    MapLayout layout = MapComposer.compose(Maps.clustered(models, clusters, spread, seed));
    assertThat(layout.labels()).hasSize(models);
    assertNoConflict(layout, false);
  }

  static Stream<Arguments> degenerate() {
    return Stream.of(
        Arguments.of("one point", Maps.of(new double[] {3, 4})),
        Arguments.of("two points", Maps.of(new double[] {3, 4}, new double[] {3, 5})),
        Arguments.of("two identical points", Maps.of(new double[] {1, 1}, new double[] {1, 1})),
        Arguments.of("80 identical points", Maps.of(points(80, i -> 0, i -> 0))),
        Arguments.of("21 identical points", Maps.of(points(21, i -> 0, i -> 0))),
        Arguments.of("a horizontal line", Maps.of(points(40, i -> i, i -> 0))),
        Arguments.of("a vertical line", Maps.of(points(80, i -> 0, i -> i))),
        Arguments.of("a diagonal", Maps.of(points(60, i -> i, i -> -i))),
        Arguments.of("a grid", Maps.of(points(80, i -> i % 9, i -> Math.floorDiv(i, 9)))),
        Arguments.of("60 in a tight cluster", Maps.of(tightWithOutliers(60, 1e-3))),
        Arguments.of("79 in a tight cluster at the edge", Maps.of(tightWithOutliers(79, 1e-2))),
        Arguments.of("extents near overflow", Maps.of(points(9, i -> (i - 4) * 4e307, i -> -i))),
        Arguments.of("extents near underflow", Maps.of(points(9, i -> i * 1e-320, i -> 0))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("degenerate")
  void degenerateMapsAreLabelledWithoutConflict(String name, MapView view) {
    MapLayout layout = MapComposer.compose(view);
    assertThat(layout.labels()).hasSize(view.embedding.size());
    assertNoConflict(layout, false);
  }

  @Test
  void onlyLeadersCrossWhere80ModelsStandInARow() {
    MapLayout layout = MapComposer.compose(Maps.of(points(80, i -> i, i -> 0)));
    assertThat(layout.labels()).hasSize(80);
    assertNoConflict(layout, true);
  }

  @Test
  void labelsStandBesideTheirPointsWhereThereIsRoom() {
    MapLayout layout =
        MapComposer.compose(Maps.of(points(8, i -> i % 3, i -> Math.floorDiv(i, 3))));
    assertThat(layout.labels()).allMatch(label -> label.leader().isEmpty());
  }

  @Test
  void leadersRunFromTheRimOfThePointToTheLabel() {
    MapLayout layout = MapComposer.compose(Maps.clustered(60, 4, 0.05, 3));
    assertThat(layout.labels()).anyMatch(label -> label.leader().isPresent());
    for (MapLayout.Label label : layout.labels()) {
      Mark mark = layout.marks().get(label.point());
      label
          .leader()
          .ifPresent(
              l -> {
                double start = Math.hypot(l.x1() - mark.x(), l.y1() - mark.y());
                assertThat(start).isBetween(mark.radius(), 1.5 * mark.radius());
                assertThat(label.box().distance(l.x2(), l.y2())).isLessThan(1e-6);
              });
    }
  }

  @Test
  void bothAxesHaveOneScaleAndTheSecondPointsUp() {
    MapLayout layout =
        MapComposer.compose(Maps.of(new double[] {0, 0}, new double[] {3, 0}, new double[] {0, 1}));
    Mark origin = layout.marks().get(0);
    double unit = (layout.marks().get(1).x() - origin.x()) / 3;
    assertThat(origin.y() - layout.marks().get(2).y()).isCloseTo(unit, within(1e-9));
    assertThat(layout.marks().get(2).x()).isCloseTo(origin.x(), within(1e-9));
  }

  @Test
  void largeMapsLabelAReadableNumberAndSaySo() {
    MapView view = Maps.clustered(1018, 9, 0.2, 5);
    MapLayout layout =
        Assertions.assertTimeout(Duration.ofSeconds(5), () -> MapComposer.compose(view));
    int labelled = layout.labels().size();
    assertThat(labelled).isBetween(40, 100);
    assertThat(layout.texts())
        .anyMatch(t -> t.text().endsWith(labelled + " of 1018 models are labelled."));
    assertNoConflict(layout, false);
    List<Integer> groups =
        layout.labels().stream().map(l -> layout.marks().get(l.point()).rgb()).distinct().toList();
    assertThat(groups).hasSameSizeAs(Palette.GROUPS);
  }

  @Test
  void nothingLeavesThePageAndTheLegendIsOutsideThePanel() {
    MapView view =
        Maps.clustered(40, 9, 0.3, 1)
            .withTitle("A title that is much too long for one line ".repeat(5))
            .withCaption("A caption that is much too long for one line ".repeat(9))
            .withAxisTitles("PC 1", "PC 2");
    MapLayout layout = MapComposer.compose(view);
    Rectangle2D page = rectangle(layout.page());
    Rectangle2D panel = rectangle(layout.panel());
    assertThat(page.contains(panel)).isTrue();
    for (TextLine text : layout.texts()) {
      Rectangle2D box =
          text.upward()
              ? new Rectangle2D.Double(
                  text.x() - text.size(), text.baseline() - text.width(), text.size(), text.width())
              : new Rectangle2D.Double(
                  text.x(), text.baseline() - text.size(), text.width(), text.size());
      assertThat(page.contains(box)).as(text.text()).isTrue();
      assertThat(panel.intersects(box)).as(text.text()).isFalse();
    }
    assertThat(layout.legend()).hasSize(9).allMatch(m -> m.x() - m.radius() > panel.getMaxX());
  }

  private static void assertNoConflict(MapLayout layout, boolean leadersMayCross) {
    Rectangle2D panel = rectangle(layout.panel());
    List<MapLayout.Label> labels = layout.labels();
    for (MapLayout.Label label : labels) {
      Rectangle2D box = rectangle(label.box());
      assertThat(panel.contains(box)).isTrue();
      assertThat(label.text().x()).isGreaterThanOrEqualTo(box.getMinX());
      assertThat(label.text().x() + label.text().width()).isLessThanOrEqualTo(box.getMaxX() + 1e-9);
      for (Mark mark : layout.marks()) {
        double dx = mark.x() - Math.max(box.getMinX(), Math.min(box.getMaxX(), mark.x()));
        double dy = mark.y() - Math.max(box.getMinY(), Math.min(box.getMaxY(), mark.y()));
        assertThat(Math.hypot(dx, dy)).as("%s covers a point", label).isGreaterThan(mark.radius());
      }
    }
    for (int i = 0; i < labels.size(); i++) {
      MapLayout.Label label = labels.get(i);
      for (int j = 0; j < labels.size(); j++) {
        MapLayout.Label other = labels.get(j);
        if (i == j) {
          continue;
        }
        assertThat(rectangle(label.box()).intersects(rectangle(other.box())))
            .as("%s and %s overlap", label, other)
            .isFalse();
        label
            .leader()
            .ifPresent(
                leader -> {
                  assertThat(line(leader).intersects(rectangle(other.box())))
                      .as("the leader of %s crosses %s", label, other)
                      .isFalse();
                  other
                      .leader()
                      .ifPresent(
                          o ->
                              assertThat(!leadersMayCross && cross(line(leader), line(o)))
                                  .as("the leaders of %s and %s cross", label, other)
                                  .isFalse());
                });
      }
    }
  }

  private static double[][] tightWithOutliers(int tight, double spread) {
    double[][] cluster =
        points(tight, i -> spread * Math.cos(i * 2.4) * i, i -> spread * Math.sin(i * 2.4) * i);
    double[][] all = Arrays.copyOf(cluster, tight + 1);
    all[tight] = new double[] {30, 4};
    return all;
  }

  private static double[][] points(int count, IntToDoubleFunction x, IntToDoubleFunction y) {
    return IntStream.range(0, count)
        .mapToObj(i -> new double[] {x.applyAsDouble(i), y.applyAsDouble(i)})
        .toArray(double[][]::new);
  }

  /** Java2D calls some disjoint segments on one line crossing, by rounding. */
  private static boolean cross(Line2D a, Line2D b) {
    boolean apart =
        Math.max(a.getX1(), a.getX2()) < Math.min(b.getX1(), b.getX2())
            || Math.max(b.getX1(), b.getX2()) < Math.min(a.getX1(), a.getX2());
    return !apart && a.intersectsLine(b);
  }

  private static Rectangle2D.Double rectangle(Box box) {
    return new Rectangle2D.Double(box.x(), box.y(), box.width(), box.height());
  }

  private static Line2D line(Segment s) {
    return new Line2D.Double(s.x1(), s.y1(), s.x2(), s.y2());
  }
}
