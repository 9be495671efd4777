package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.score.TextScore;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentSelectionTest {
  private static final int[] CHOSEN = {0, 2, 3, 7, 9};

  private final RandomScores random = new RandomScores(3, 12);
  private final List<TextScore> first = random.model(6);
  private final List<List<TextScore>> models =
      List.of(first, random.near(first, 0.1), random.model(4));
  private final SegmentMatrix all = random.segments(8, models);
  private final SegmentMatrix some = all.selectTexts(CHOSEN);

  @Test
  void selectedTextsGiveWhatTheyGiveAlone() {
    List<String> ids = Arrays.stream(CHOSEN).mapToObj(all.textIds()::get).toList();
    int[] inSet =
        ids.stream()
            .mapToInt(id -> random.texts.texts().stream().map(Text::id).toList().indexOf(id))
            .toArray();
    TextSet texts = TextSet.of(Arrays.stream(inSet).mapToObj(random.texts::get).toList());
    SegmentMatrixBuilder builder = SegmentMatrix.builder(texts).targetTokens(8);
    for (int i = 0; i < models.size(); i++) {
      List<TextScore> scores = models.get(i);
      builder.add(all.names().get(i), Arrays.stream(inSet).mapToObj(scores::get).toList());
    }
    SegmentMatrix alone = builder.build();

    assertThat(some.textIds()).isEqualTo(alone.textIds()).isEqualTo(ids);
    assertThat(some.meanCoveredBytes()).isEqualTo(alone.meanCoveredBytes());
    assertThat(some.segments()).isEqualTo(alone.segments());
    for (int g = 0; g < some.segments(); g++) {
      assertThat(some.segmentBytes(g)).isEqualTo(alone.segmentBytes(g));
      assertThat(some.segmentTokens(g)).isEqualTo(alone.segmentTokens(g));
      assertThat(some.get(2, g)).isEqualTo(alone.get(2, g));
    }
    DistanceMatrix expected = KlDistances.of(alone).squaredEuclidean();
    DistanceMatrix actual = KlDistances.of(some).squaredEuclidean();
    for (int i = 1; i < 3; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(actual.get(i, j))
            .isCloseTo(expected.get(i, j), within(Tolerances.squaredDistance(expected.get(i, j))));
      }
    }
  }

  @Test
  void theOtherTextsAreLeftOutAndTheDistancesSaySo() {
    assertThat(some.leftOut())
        .hasSize(12 - CHOSEN.length)
        .doesNotContainAnyElementsOf(some.textIds());
    assertThat(KlDistances.of(some).description())
        .isEqualTo("segments (8 tokens; 7 of 12 texts left out)");
  }

  @Test
  void aSelectionIsKeptInAFileAndTakesMoreModels(@TempDir Path folder) {
    SegmentFiles.writeNpz(folder.resolve("some.npz"), some);
    SegmentMatrix read = SegmentFiles.readNpz(folder.resolve("some.npz"));
    SegmentMatrix more = read.extend(random.texts).add("again", first).build();

    assertThat(more.textIds()).isEqualTo(some.textIds());
    assertThat(KlDistances.of(more).squaredEuclidean().get(3, 0)).isZero();
  }

  @Test
  void indicesThatDoNotAscendAreRefused() {
    assertThatThrownBy(() -> all.selectTexts(new int[] {2, 2}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("text 2 is selected after text 2; indices must ascend");
    assertThatThrownBy(() -> all.selectTexts(new int[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no text is selected");
    assertThatThrownBy(() -> all.selectTexts(new int[] {all.texts()}))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
