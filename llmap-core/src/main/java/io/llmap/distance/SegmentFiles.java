package io.llmap.distance;

import io.llmap.LlmapException;
import io.llmap.matrix.NumpyArchive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Segment matrices as numpy's {@code .npz}, so that no model is scored again for another map.
 *
 * <p>The arrays, for K models and G segments of N texts:
 *
 * <ul>
 *   <li>{@code segment_log_likelihood} K × G, float32, nats
 *   <li>{@code segment_bytes} and {@code segment_tokens} G, int64
 *   <li>{@code names} and {@code model_fingerprints} K strings
 *   <li>{@code text_ids} N strings; {@code text_bytes}, {@code text_first_byte} and {@code
 *       text_segments} N, int64: the text's length, where its first segment begins, and how many it
 *       has
 *   <li>{@code left_out} the ids of texts without segments
 *   <li>{@code target_tokens}, {@code text_set_fingerprint} one value each; {@code scoring_options}
 *       strings {@code name=value}
 * </ul>
 */
public final class SegmentFiles {
  private static final String VALUES = "segment_log_likelihood";
  private static final String BYTES = "segment_bytes";
  private static final String TOKENS = "segment_tokens";
  private static final String NAMES = "names";
  private static final String MODELS = "model_fingerprints";
  private static final String TEXT_IDS = "text_ids";
  private static final String TEXT_BYTES = "text_bytes";
  private static final String FIRST_BYTE = "text_first_byte";
  private static final String SEGMENTS = "text_segments";
  private static final String LEFT_OUT = "left_out";
  private static final String TARGET = "target_tokens";
  private static final String TEXT_SET = "text_set_fingerprint";
  private static final String OPTIONS = "scoring_options";

  private SegmentFiles() {}

  /**
   * Writes a matrix. The file appears complete or not at all; the same matrix gives the same bytes.
   *
   * @param path the file to create or replace
   * @param segments the matrix
   * @throws IllegalArgumentException if a name or an id ends with NUL, which numpy has no form for
   * @throws LlmapException if the file cannot be written
   */
  public static void writeNpz(Path path, SegmentMatrix segments) {
    SegmentLayout layout = segments.layout();
    int[] counts = new int[layout.textIds().size()];
    Arrays.setAll(counts, n -> layout.starts()[n + 1] - layout.starts()[n]);
    List<String> fingerprints = new ArrayList<>();
    for (int i = 0; i < segments.models(); i++) {
      fingerprints.add(segments.modelFingerprint(i));
    }
    List<String> options = new ArrayList<>();
    segments.options().forEach((name, value) -> options.add(name + "=" + value));
    new NumpyArchive.Writer()
        .put(VALUES, segments.values())
        .put(BYTES, layout.bytes())
        .put(TOKENS, layout.tokens())
        .put(NAMES, segments.names())
        .put(MODELS, fingerprints)
        .put(TEXT_IDS, layout.textIds())
        .put(TEXT_BYTES, layout.textBytes())
        .put(FIRST_BYTE, layout.firstBytes())
        .put(SEGMENTS, counts)
        .put(LEFT_OUT, layout.leftOut())
        .put(TARGET, new int[] {layout.targetTokens()})
        .put(TEXT_SET, List.of(layout.textSetFingerprint()))
        .put(OPTIONS, options)
        .write(path);
  }

  /**
   * Reads what {@link #writeNpz} wrote.
   *
   * @param path the file
   * @return the matrix, to the same bits
   * @throws LlmapException if the file cannot be read or is damaged, an array is missing or of
   *     another type, lengths differ, a name is repeated, or a value is not finite, which names its
   *     model and text
   */
  public static SegmentMatrix readNpz(Path path) {
    try (NumpyArchive archive = NumpyArchive.open(path)) {
      int[] counts = archive.integers(SEGMENTS);
      int[] starts = new int[counts.length + 1];
      for (int n = 0; n < counts.length; n++) {
        starts[n + 1] = Math.addExact(starts[n], counts[n]);
      }
      Map<String, String> options = new TreeMap<>();
      for (String option : archive.strings(OPTIONS)) {
        String[] parts = option.split("=", 2);
        if (parts.length < 2) {
          throw new IllegalArgumentException("the scoring option \"" + option + "\" has no value");
        }
        options.put(parts[0], parts[1]);
      }
      int[] target = archive.integers(TARGET);
      List<String> textSet = archive.strings(TEXT_SET);
      if (target.length != 1 || textSet.size() != 1) {
        throw new IllegalArgumentException(
            "it has %d values of %s and %d of %s; one each is expected"
                .formatted(target.length, TARGET, textSet.size(), TEXT_SET));
      }
      SegmentLayout layout =
          new SegmentLayout(
              textSet.get(0),
              archive.strings(TEXT_IDS),
              archive.integers(TEXT_BYTES),
              archive.integers(FIRST_BYTE),
              starts,
              archive.integers(BYTES),
              archive.integers(TOKENS),
              archive.strings(LEFT_OUT),
              target[0]);
      return new SegmentMatrix(
          layout, archive.strings(NAMES), archive.strings(MODELS), options, archive.floats(VALUES));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new LlmapException(path + ": " + e.getMessage(), e);
    }
  }
}
