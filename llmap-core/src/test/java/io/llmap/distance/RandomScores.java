package io.llmap.distance;

import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/** Texts of random lengths, and tokens of random lengths with random log-probabilities. */
final class RandomScores {
  private final Random random;
  final TextSet texts;

  RandomScores(long seed, int count) {
    random = new Random(seed);
    texts =
        TextSet.of(
            IntStream.range(0, count)
                .mapToObj(n -> Text.of("t" + n, "x".repeat(20 + random.nextInt(200))))
                .toList());
  }

  /**
   * A model. Some texts begin with unscored bytes, some are cut, some tokens are parts of one
   * character.
   */
  List<TextScore> model(int longest) {
    List<TextScore> scores = new ArrayList<>();
    for (Text text : texts) {
      boolean cut = random.nextInt(8) == 0;
      int end = cut ? text.bytes() - random.nextInt(10) : text.bytes();
      int[] offsets = new int[text.bytes() + 1];
      int tokens = 0;
      for (int at = random.nextInt(3); at < end; at += random.nextInt(longest + 1)) {
        offsets[tokens == offsets.length ? tokens - 1 : tokens++] = at;
        if (tokens == offsets.length) {
          break;
        }
      }
      offsets = Arrays.copyOf(offsets, tokens);
      scores.add(score(text, offsets, random.doubles(tokens, -9, 0).toArray(), cut));
    }
    return scores;
  }

  /** The same tokens with other log-probabilities, moved by Gaussian noise. */
  List<TextScore> near(List<TextScore> scores, double noise) {
    List<TextScore> moved = new ArrayList<>();
    for (int n = 0; n < texts.size(); n++) {
      TokenLogProbs tokens = scores.get(n).tokenLogProbs().orElseThrow();
      double[] logProbs =
          Arrays.stream(tokens.logProbs()).map(p -> p + noise * random.nextGaussian()).toArray();
      moved.add(score(texts.get(n), tokens.byteOffsets(), logProbs, scores.get(n).truncated()));
    }
    return moved;
  }

  /** Adds to every token its length times a number that is the text's own. */
  List<TextScore> plusBytes(List<TextScore> scores) {
    List<TextScore> moved = new ArrayList<>();
    for (int n = 0; n < texts.size(); n++) {
      TokenLogProbs tokens = scores.get(n).tokenLogProbs().orElseThrow();
      double[] logProbs = tokens.logProbs().clone();
      double perByte = random.nextGaussian();
      for (int t = 0; t < logProbs.length; t++) {
        int end = t + 1 < logProbs.length ? tokens.byteOffsets()[t + 1] : texts.get(n).bytes();
        logProbs[t] += perByte * (end - tokens.byteOffsets()[t]);
      }
      moved.add(score(texts.get(n), tokens.byteOffsets(), logProbs, scores.get(n).truncated()));
    }
    return moved;
  }

  SegmentMatrix segments(int target, List<List<TextScore>> models) {
    SegmentMatrixBuilder builder = SegmentMatrix.builder(texts).targetTokens(target);
    for (int i = 0; i < models.size(); i++) {
      builder.add("m" + i, models.get(i));
    }
    return builder.build();
  }

  private static TextScore score(Text text, int[] offsets, double[] logProbs, boolean truncated) {
    return new TextScore(
        Arrays.stream(logProbs).sum(),
        logProbs.length,
        text.bytes(),
        truncated,
        Optional.of(new TokenLogProbs(logProbs, offsets)));
  }
}
