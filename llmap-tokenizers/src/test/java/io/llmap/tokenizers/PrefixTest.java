package io.llmap.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.score.ModelSource;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.BatchingScorer;
import io.llmap.score.spi.CausalLm;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a model is given under each prefix policy, with tokenizers as they are published. */
class PrefixTest {
  /** The prefix's ids, then the text's, then what is appended. */
  @ParameterizedTest
  @CsvSource({
    // No BOS: EOS starts a document.
    "gpt2, DOCUMENT_START, 0, ''",
    "gpt2, TOKENIZER, '', ''",
    "gpt2, NONE, '', ''",
    // The post-processor adds <s>: one, not two.
    "llama, DOCUMENT_START, 1, ''",
    "llama, TOKENIZER, 1, ''",
    "llama, NONE, '', ''",
    // The post-processor of this fixture appends <|endoftext|>.
    "gpt_neox, DOCUMENT_START, 0, ''",
    "gpt_neox, TOKENIZER, '', 0",
    "gpt_neox, NONE, '', ''",
    "qwen3, DOCUMENT_START, 2, ''",
    "qwen3, TOKENIZER, '', ''",
    "qwen3, NONE, '', ''",
  })
  void aPolicyPutsThisInFrontOfATextAndNothingElse(
      String family, PrefixPolicy policy, String front, String behind) {
    int[] expected =
        Stream.of(ids(front), tokens(family, "The whale."), ids(behind))
            .flatMapToInt(Arrays::stream)
            .toArray();
    assertThat(given(family, policy, "The whale.")).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"llama, <s>", "gpt2, <|endoftext|>", "gpt_neox, <|endoftext|>", "qwen3, <|im_end|>"})
  void aTextThatBeginsWithTheNameOfTheDocumentStartGetsNoSecond(String family, String name) {
    String text = name + "The whale.";
    assertThat(given(family, PrefixPolicy.DOCUMENT_START, text))
        .isEqualTo(given(family, PrefixPolicy.NONE, text))
        .isEqualTo(tokens(family, text));
  }

  private static int[] tokens(String family, String text) {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(Golden.folder(family))) {
      return tokenizer.encode(text).ids();
    }
  }

  /** The ids that a model is given; all but the first are scored. */
  private static int[] given(String family, PrefixPolicy policy, String text) {
    HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(Golden.folder(family));
    Recorder model = new Recorder();
    ScorerOptions options = ScorerOptions.defaults().withPrefix(policy).withThreads(1);
    ModelSource source = new ModelSource(family, "test", "none", "test");
    List<Integer> scored = new ArrayList<>();
    try (BatchingScorer scorer = new BatchingScorer(source, tokenizer, model, options)) {
      scorer.score(List.of(Text.of("a", text)), (n, score) -> scored.add(score.scoredTokens()));
    }
    assertThat(model.seen).hasSize(1);
    int[] ids = model.seen.get(0);
    assertThat(scored).containsExactly(ids.length - 1);
    return ids;
  }

  private static int[] ids(String id) {
    return id.isEmpty() ? new int[0] : new int[] {Integer.parseInt(id)};
  }

  /** Remembers what it is given; every token has probability 1. */
  private static final class Recorder implements CausalLm {
    private final List<int[]> seen = new ArrayList<>();

    @Override
    public int contextLength() {
      return 100;
    }

    @Override
    public int vocabularySize() {
      return 500;
    }

    @Override
    public void forward(TokenBatch batch, LogitsSink sink) {
      for (int b = 0; b < batch.sequences(); b++) {
        int[] ids = new int[batch.length(b)];
        for (int t = 0; t < ids.length; t++) {
          ids[t] = batch.id(b, t);
        }
        seen.add(ids);
        sink.tokenLogProbs(b, batch.firstTarget(b), new double[batch.targets(b)]);
      }
    }

    @Override
    public void close() {}
  }
}
