package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.llmap.embed.Embedding;
import io.llmap.view.MapView.Link;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MapViewTest {
  private final MapView view = Maps.named("a", "b", "c", "d", "e", "f");

  @Test
  void emptyMapIsRefused() {
    Embedding none = Embedding.of(List.of(), new double[0][], "PCA");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MapView.of(none))
        .withMessage("a map needs at least one model; the embedding (PCA) is empty");
  }

  @Test
  void otherDimensionsThanTwoAreRefused() {
    for (int dimensions : new int[] {0, 1, 3}) {
      Embedding embedding = Embedding.of(List.of("a"), new double[1][dimensions], "PCA");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> MapView.of(embedding))
          .withMessage("a map is drawn in 2 dimensions, but the embedding (PCA) has " + dimensions);
    }
  }

  @Test
  void twoModelsOfOneNameAreRefused() {
    Embedding twice = Embedding.of(List.of("a", "b", "a"), new double[3][2], "PCA");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MapView.of(twice))
        .withMessageContaining("two models are called \"a\"");
  }

  @Test
  void namesThatAreNotOnTheMapAreRefusedAndQuoted() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> view.withGroups(Map.of("x", "g")))
        .withMessage(
            "a group is given for \"x\", which is not on the map of 6 models: a, b, c, d, e, …");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> view.withHollow("int8", List.of("a", "x")))
        .withMessageContaining("a hollow mark is given for \"x\"");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> view.withLinks("next", List.of(new Link("a", "x"))))
        .withMessageContaining("a link is given for \"x\"");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> view.withLinks("next", List.of(new Link("x", "a"))))
        .withMessageContaining("a link is given for \"x\"");
  }

  @Test
  void whatTheLegendCannotSayIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> view.withGroups(Map.of("a", " ")))
        .withMessage("the group of \"a\" is blank");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> view.withHollow("", List.of("a")))
        .withMessageContaining("hollow marks");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> view.withLinks(" ", List.of(new Link("a", "b"))))
        .withMessageContaining("links");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Link("a", "a"))
        .withMessage("a link goes from \"a\" to itself");
  }

  @Test
  void nullIsNeverADefault() {
    assertThatNullPointerException().isThrownBy(() -> MapView.of(null));
    assertThatNullPointerException().isThrownBy(() -> view.withTitle(null));
    assertThatNullPointerException().isThrownBy(() -> view.withCaption(null));
    assertThatNullPointerException().isThrownBy(() -> view.withAxisTitles("x", null));
    assertThatNullPointerException().isThrownBy(() -> view.withGroups(null));
  }

  @Test
  void theCallersMapMayChangeAfterwards() {
    Map<String, String> groups = new HashMap<>(Map.of("a", "g"));
    MapView grouped = view.withGroups(groups);
    String before = grouped.toSvg();
    groups.put("a", "h");
    groups.put("b", "h");
    assertThat(grouped.toSvg()).isEqualTo(before);
    assertThat(view.toSvg()).isNotEqualTo(before);
  }

  @Test
  void captionIsTheMethodUntilOneIsGiven() {
    assertThat(texts(view)).containsExactly("test");
    assertThat(texts(view.withCaption("nats"))).containsExactly("nats");
    assertThat(texts(view.withCaption(""))).isEmpty();
  }

  @Test
  void coloursFollowTheOrderOfTheModelsAndNotOfTheMap() {
    Map<String, String> one = new LinkedHashMap<>();
    one.put("a", "z");
    one.put("b", "y");
    Map<String, String> other = new LinkedHashMap<>();
    other.put("b", "y");
    other.put("a", "z");
    assertThat(view.withGroups(one).toSvg()).isEqualTo(view.withGroups(other).toSvg());
    Groups groups = Groups.of(view.embedding.names(), other);
    assertThat(groups.entries().get(0).name()).isEqualTo("z");
    assertThat(groups.rgb(0)).isEqualTo(Palette.GROUPS.get(0));
  }

  @Test
  void modelsWithoutAGroupAreGreyAndInTheLegend() {
    Groups groups = Groups.of(view.embedding.names(), Map.of("b", "g"));
    assertThat(groups.entries())
        .containsExactly(
            new Groups.Entry("g", 1, MarkerShape.CIRCLE, Palette.GROUPS.get(0)),
            new Groups.Entry("no group", 5, MarkerShape.SQUARE, Palette.OTHER));
    assertThat(groups.rgb(0)).isEqualTo(Palette.OTHER);
  }

  @Test
  void theSmallestOfTooManyGroupsAreFoldedIntoOne() {
    String[] names = new String[60];
    Map<String, String> groupOf = new HashMap<>();
    for (int i = 0; i < 60; i++) {
      names[i] = "m" + i;
      // 30 groups; those with an odd number have 3 models, the others 1.
      groupOf.put(names[i], "g" + (i < 30 ? i : 2 * ((i - 30) % 15) + 1));
    }
    Groups groups = Groups.of(List.of(names), groupOf);
    assertThat(groups.entries()).hasSize(24);
    assertThat(groups.entries().get(23))
        .isEqualTo(new Groups.Entry("7 other groups", 7, MarkerShape.CIRCLE, Palette.OTHER));
    assertThat(groups.entries().stream().mapToInt(Groups.Entry::size).sum()).isEqualTo(60);
    assertThat(groups.entries().subList(0, 23)).filteredOn(e -> e.size() == 3).hasSize(15);
    assertThat(groups.entries()).doesNotHaveDuplicates();
  }

  private static List<String> texts(MapView view) {
    return MapComposer.compose(view).texts().stream().map(TextLine::text).toList();
  }
}
