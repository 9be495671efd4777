package io.llmap.score;

import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Gives every text the same bits whenever it is asked, and remembers for which it was. */
class FakeScorer implements LogLikelihoodScorer {
  static final ScorerOptions OPTIONS = ScorerOptions.defaults().withThreads(1);

  final List<Integer> asked = new ArrayList<>();
  private final ModelSource source;

  FakeScorer(String name) {
    source = new ModelSource(name, "nowhere", "sha-of-" + name, "fake (1)");
  }

  static TextSet texts(int n) {
    return TextSet.of(
        IntStream.range(0, n)
            .mapToObj(i -> Text.of("é\"" + i, "text number " + i + " ✓"))
            .toList());
  }

  Provenance run(TextSet texts) {
    return Provenance.of(source, texts, OPTIONS);
  }

  @Override
  public ModelSource source() {
    return source;
  }

  @Override
  public void score(List<Text> texts, ScoringListener listener) {
    for (int n = 0; n < texts.size() && !listener.cancelled(); n++) {
      if (listener.wants(n)) {
        asked.add(n);
        listener.scored(n, scoreOf(n, texts.get(n)));
      }
    }
  }

  /** Every third text is without per-token values, every fifth is cut, every fourth in windows. */
  TextScore scoreOf(int n, Text text) {
    SplittableRandom random = new SplittableRandom(source.name().hashCode() * 31L + n);
    double[] logProbs = random.doubles(1 + n % 5).map(u -> Math.log1p(-u)).toArray();
    int[] offsets = IntStream.range(0, logProbs.length).toArray();
    double sum = 0;
    for (double logProb : logProbs) {
      sum += logProb;
    }
    return new TextScore(
        sum,
        logProbs.length,
        text.bytes(),
        n % 5 == 4,
        n % 4 == 3 ? 2 + n : 1,
        n % 3 == 2 ? Optional.empty() : Optional.of(new TokenLogProbs(logProbs, offsets)));
  }
}
