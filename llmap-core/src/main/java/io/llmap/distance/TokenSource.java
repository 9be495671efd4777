package io.llmap.distance;

import io.llmap.LlmapException;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.text.TextSet;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * A model whose token log-probabilities are read, and checked, text by text.
 *
 * @param name names it in errors
 * @param fingerprint empty where it is not known
 * @param options of the scoring; empty where they are not known
 * @param scores hands the same scores to a listener at every call
 */
record TokenSource(
    String name,
    String fingerprint,
    Map<String, String> options,
    Consumer<ScoringListener> scores) {

  /**
   * A stored model.
   *
   * @throws IllegalArgumentException if the run is of other texts
   */
  static TokenSource of(ScoreStore store, Provenance run, TextSet texts) {
    if (!run.textSetFingerprint().equals(texts.fingerprint())) {
      throw new IllegalArgumentException(
          "model \"%s\" was scored on the text set %s, but the texts are %s"
              .formatted(run.model().name(), run.textSetFingerprint(), texts.fingerprint()));
    }
    return new TokenSource(
        run.model().name(),
        run.model().fingerprint(),
        run.options(),
        listener -> store.read(run, listener));
  }

  /**
   * A model whose scores are at hand.
   *
   * @throws IllegalArgumentException if there is another number of scores than of texts
   */
  static TokenSource of(String name, List<TextScore> scores, TextSet texts) {
    if (scores.size() != texts.size()) {
      throw new IllegalArgumentException(
          "model \"%s\" has %d scores for %d texts".formatted(name, scores.size(), texts.size()));
    }
    return new TokenSource(
        name,
        "",
        Map.of(),
        listener ->
            IntStream.range(0, texts.size()).forEach(n -> listener.scored(n, scores.get(n))));
  }

  /** Takes the tokens of one text. */
  interface Reader {
    /**
     * Takes them.
     *
     * @param n the text
     * @param tokens checked
     * @param bounds the byte at which each scored token begins, then the byte at which the last one
     *     ends
     */
    void read(int n, TokenLogProbs tokens, int[] bounds);
  }

  /**
   * Reads all texts.
   *
   * @param textBytes their lengths
   * @throws LlmapException if a text has no score, two, or one that is not of its tokens
   */
  void read(TextSet texts, int[] textBytes, Reader reader) {
    BitSet seen = new BitSet(texts.size());
    scores.accept(
        (n, score) -> {
          String id = texts.get(n).id();
          if (seen.get(n)) {
            throw new LlmapException(
                "model \"%s\" has two scores of text \"%s\"".formatted(name, id));
          }
          seen.set(n);
          if (score.bytes() != textBytes[n]) {
            throw new LlmapException(
                "model \"%s\" scored a text of %d bytes as text \"%s\", which has %d"
                    .formatted(name, score.bytes(), id, textBytes[n]));
          }
          TokenLogProbs tokens = tokens(score, id);
          reader.read(n, tokens, bounds(tokens.byteOffsets(), textBytes[n], score.truncated()));
        });
    if (seen.cardinality() < texts.size()) {
      throw new LlmapException(
          ("model \"%s\" has no score for %d of %d texts, the first of them \"%s\"; run the scoring"
                  + " again to complete them")
              .formatted(
                  name,
                  texts.size() - seen.cardinality(),
                  texts.size(),
                  texts.get(seen.nextClearBit(0)).id()));
    }
  }

  /**
   * The options that all models share. A mix of prefix policies gives models different histories
   * (method trap 8).
   *
   * @param before options of models that are there already
   * @param beforeName one of them
   * @throws LlmapException if prefix policies differ
   */
  static Map<String, String> commonOptions(
      List<TokenSource> models, Map<String, String> before, String beforeName) {
    Map<String, String> common = new HashMap<>(before);
    String first = beforeName;
    for (TokenSource model : models) {
      Map<String, String> options = model.options();
      if (common.isEmpty()) {
        common.putAll(options);
        first = model.name();
      } else if (!options.isEmpty()) {
        String prefix = common.get("prefix");
        if (prefix != null && !prefix.equals(options.get("prefix"))) {
          throw new LlmapException(
              ("model \"%s\" was scored with the prefix policy %s, but \"%s\" with %s: their scores"
                      + " are not comparable")
                  .formatted(first, prefix, model.name(), options.get("prefix")));
        }
        common.entrySet().retainAll(options.entrySet());
      }
    }
    return common;
  }

  private TokenLogProbs tokens(TextScore score, String id) {
    Optional<TokenLogProbs> kept = score.tokenLogProbs();
    if (kept.isEmpty()) {
      throw new LlmapException(
          "model \"%s\" has no token log-probabilities of text \"%s\"; score it with tokenLogProbs"
              .formatted(name, id));
    }
    TokenLogProbs tokens = kept.get();
    int last = 0;
    for (int t = 0; t < tokens.byteOffsets().length; t++) {
      int at = tokens.byteOffsets()[t];
      if (at < last || at > score.bytes() || !Double.isFinite(tokens.logProbs()[t])) {
        throw new LlmapException(
            ("model \"%s\" has the log-probability %s at byte %d, after byte %d, of text \"%s\" with"
                    + " %d bytes")
                .formatted(name, tokens.logProbs()[t], at, last, id, score.bytes()));
      }
      last = at;
    }
    return tokens;
  }

  /**
   * Of a cut text the last token's end is not known, so that token, and others that are parts of
   * the same character, do not count; nor do special tokens behind a text.
   */
  private static int[] bounds(int[] offsets, int textBytes, boolean truncated) {
    int count = offsets.length;
    int end = truncated && count > 0 ? offsets[count - 1] : textBytes;
    while (count > 0 && offsets[count - 1] >= end) {
      count--;
    }
    int[] bounds = Arrays.copyOf(offsets, count + 1);
    bounds[count] = end;
    return bounds;
  }
}
