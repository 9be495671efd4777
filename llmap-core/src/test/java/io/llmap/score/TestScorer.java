package io.llmap.score;

import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/** Gives every text a score that depends on nothing but the text, in reverse order. */
final class TestScorer implements LogLikelihoodScorer {
  private final String name;
  private final long millis;

  TestScorer(String name) {
    this(name, 0);
  }

  /** Takes some time for each text. */
  TestScorer(String name, long millis) {
    this.name = name;
    this.millis = millis;
  }

  static TextSet texts(int count) {
    return TextSet.of(
        IntStream.range(0, count)
            .mapToObj(n -> Text.of("id-" + n + (n % 3 == 0 ? " \"é\"" : ""), "text 😀 " + n))
            .toList());
  }

  static TextScore score(Text text) {
    Random random = new Random(text.hashCode());
    int tokens = random.nextInt(6);
    double[] logProbs = random.doubles(tokens, -10, 0).toArray();
    double sum = 0;
    for (double logProb : logProbs) {
      sum += logProb;
    }
    int[] offsets = IntStream.range(0, tokens).toArray();
    return new TextScore(
        sum,
        tokens,
        text.bytes(),
        random.nextBoolean(),
        random.nextBoolean()
            ? Optional.of(new TokenLogProbs(logProbs, offsets))
            : Optional.empty());
  }

  @Override
  public ModelSource source() {
    return new ModelSource(name, "a class", "fingerprint of " + name, "test 1");
  }

  @Override
  public void score(List<Text> texts, ScoringListener listener) {
    for (int n = texts.size() - 1; n >= 0 && !listener.cancelled(); n--) {
      if (listener.wants(n)) {
        try {
          Thread.sleep(millis);
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
        listener.scored(n, score(texts.get(n)));
      }
    }
  }
}
