package io.llmap.score;

import io.llmap.LlmapException;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What a test runs in a virtual machine of its own, to be killed or kept from writing. */
final class StoreProcess {
  private StoreProcess() {}

  /** Arguments: {@code score | hold}, the store's folder, the number of texts, ms for a text. */
  public static void main(String[] args) throws IOException {
    ScoreStore store = ScoreStore.at(Path.of(args[1]));
    TextSet texts = FakeScorer.texts(Integer.parseInt(args[2]));
    FakeScorer scorer = new SlowScorer(Long.parseLong(args[3]));
    try {
      if (args[0].equals("hold")) {
        try (ScoreLog log = store.open(scorer.run(texts), texts)) {
          say("open " + log.done());
          System.in.read();
        }
      } else {
        store.score(scorer, texts, FakeScorer.OPTIONS, (n, score) -> say("durable " + n));
        say("complete");
      }
    } catch (LlmapException e) {
      say("failed " + e.getMessage());
    }
  }

  private static void say(String line) {
    System.out.print(line + "\n");
    System.out.flush();
  }

  private static final class SlowScorer extends FakeScorer {
    private final long millis;

    SlowScorer(long millis) {
      super("m");
      this.millis = millis;
    }

    @Override
    TextScore scoreOf(int n, Text text) {
      say("asked " + n);
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return super.scoreOf(n, text);
    }

    @Override
    public void score(List<Text> texts, ScoringListener listener) {
      // Out of order, as a scorer that plans its batches by length delivers.
      int step = 7;
      for (int from = 0; from < step; from++) {
        for (int n = from; n < texts.size(); n += step) {
          if (listener.cancelled()) {
            return;
          }
          if (listener.wants(n)) {
            listener.scored(n, scoreOf(n, texts.get(n)));
          }
        }
      }
    }
  }
}
