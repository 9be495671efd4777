package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import io.llmap.matrix.NumpyArchive;
import io.llmap.score.TextScore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentFilesTest {
  @TempDir Path folder;

  private Path path;
  private SegmentMatrix segments;

  @BeforeEach
  void write() {
    path = folder.resolve("segments.npz");
    RandomScores random = new RandomScores(1, 12);
    List<TextScore> model = random.model(3);
    SegmentMatrix plain = random.segments(40, List.of(model, random.near(model, 1)));
    segments =
        new SegmentMatrix(
            plain.layout(),
            List.of("größe 1", "b"),
            List.of("sha-1", ""),
            Map.of("prefix", "none", "note", "a=b"),
            plain.values());
    SegmentFiles.writeNpz(path, segments);
  }

  @Test
  void everythingIsReadBackToTheSameBits() throws IOException {
    SegmentMatrix read = SegmentFiles.readNpz(path);

    assertThat(segments.leftOut()).isNotEmpty();
    SegmentPropertiesTest.assertSameBits(read, segments);
    Path again = folder.resolve("again.npz");
    SegmentFiles.writeNpz(again, read);
    assertThat(Files.mismatch(path, again)).isEqualTo(-1);
  }

  @Test
  void aModelIsAddedToAStoredMatrix() {
    RandomScores random = new RandomScores(2, 6);
    List<TextScore> a = random.model(3);
    List<TextScore> b = random.near(a, 1);
    SegmentFiles.writeNpz(path, random.segments(4, List.of(a)));

    SegmentMatrix extended = SegmentFiles.readNpz(path).extend(random.texts).add("m1", b).build();

    SegmentPropertiesTest.assertSameBits(extended, random.segments(4, List.of(a, b)));
  }

  @Test
  void aFileThatEndsEarlyIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(path);
    for (int length = 0; length < whole.length; length += 1009) {
      Files.write(path, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> SegmentFiles.readNpz(path))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(LlmapException.class)
          .hasMessageContaining(path.toString());
    }
  }

  @Test
  void aChangedValueIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(path);
    // Past the header of the first array, which is the values.
    whole[300] ^= 1;
    Files.write(path, whole);
    assertThatThrownBy(() -> SegmentFiles.readNpz(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + " is damaged: the checksum of \"segment_log_likelihood\" differs");
  }

  @Test
  void aFileOfSomethingElseIsRefused() {
    new NumpyArchive.Writer().put("names", List.of("a")).write(path);
    assertThatThrownBy(() -> SegmentFiles.readNpz(path))
        .isInstanceOf(LlmapException.class)
        .hasMessage(path + " has no array \"text_segments\"; it has names.npy");
    Path missing = folder.resolve("missing.npz");
    assertThatThrownBy(() -> SegmentFiles.readNpz(missing))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith("cannot read " + missing);
  }

  /** A file of one model and one text "t" of 10 bytes with three segments, and one change to it. */
  private void refuses(String array, Object value, String message) {
    NumpyArchive.Writer writer = new NumpyArchive.Writer();
    Map<String, Object> arrays =
        new TreeMap<>(
            Map.ofEntries(
                Map.entry("segment_log_likelihood", new float[][] {{-1, -2, -3}}),
                Map.entry("segment_bytes", new int[] {2, 3, 4}),
                Map.entry("segment_tokens", new int[] {1, 1, 1}),
                Map.entry("names", List.of("m")),
                Map.entry("model_fingerprints", List.of("")),
                Map.entry("text_ids", List.of("t")),
                Map.entry("text_bytes", new int[] {10}),
                Map.entry("text_first_byte", new int[] {1}),
                Map.entry("text_segments", new int[] {3}),
                Map.entry("left_out", List.of()),
                Map.entry("target_tokens", new int[] {16}),
                Map.entry("text_set_fingerprint", List.of("f")),
                Map.entry("scoring_options", List.of("prefix=none"))));
    arrays.put(array, value);
    arrays.forEach(
        (name, content) -> {
          if (content instanceof float[][] rows) {
            writer.put(name, rows);
          } else if (content instanceof int[] numbers) {
            writer.put(name, numbers);
          } else {
            writer.put(name, ((List<?>) content).stream().map(String::valueOf).toList());
          }
        });
    writer.write(path);
    if (message.isEmpty()) {
      assertThat(SegmentFiles.readNpz(path).segments()).isEqualTo(3);
    } else {
      assertThatThrownBy(() -> SegmentFiles.readNpz(path))
          .isInstanceOf(LlmapException.class)
          .hasMessage(path + ": " + message);
    }
  }

  @Test
  void arraysThatDoNotFitAreRefused() {
    refuses("target_tokens", new int[] {8}, "");
    refuses(
        "segment_log_likelihood",
        new float[][] {{-1, Float.NaN, -3}},
        "the log-likelihood of segment 1 of text \"t\" under model \"m\" is NaN");
    refuses(
        "segment_log_likelihood",
        new float[][] {{-1, -2}},
        "model \"m\" has 2 values for 3 segments");
    refuses("names", List.of("m", "n"), "2 names, 1 fingerprints and 1 rows");
    refuses("segment_bytes", new int[] {2, 0, 4}, "segment 1, of text \"t\", has 0 bytes");
    refuses(
        "segment_bytes",
        new int[] {2, 3, 5},
        "the segments of text \"t\" cover bytes 1 to 11 of 10");
    refuses(
        "segment_bytes",
        new int[] {2, 3},
        "1 texts with segments 0 to 3, but 2 segment lengths and 3 token counts");
    refuses(
        "text_segments",
        new int[] {1},
        "1 texts with segments 0 to 1, but 3 segment lengths and 3 token counts");
    refuses("text_ids", List.of("t", "u"), "2 text ids, but 1 lengths, 1 first bytes and 2 starts");
    refuses("left_out", List.of("t"), "two texts have the id \"t\"");
    refuses("segment_tokens", new int[] {1, 0, 1}, "segment 1 has 0 tokens");
    refuses("target_tokens", new int[] {0}, "a segment's target is at least 1 token, got 0");
    refuses(
        "target_tokens",
        new int[] {},
        "it has 0 values of target_tokens and 1 of text_set_fingerprint; one each is expected");
    refuses("scoring_options", List.of("x"), "the scoring option \"x\" has no value");
  }
}
