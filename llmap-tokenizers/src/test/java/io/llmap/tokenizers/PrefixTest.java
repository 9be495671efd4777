package io.llmap.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.score.ModelSource;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.BatchingScorer;
import io.llmap.score.spi.CausalLm;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import io.llmap.testing.models.TinyModel;
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
    "GPT2, DOCUMENT_START, 0, ''",
    "GPT2, TOKENIZER, '', ''",
    "GPT2, NONE, '', ''",
    // The post-processor adds <s>: one, not two.
    "LLAMA, DOCUMENT_START, 1, ''",
    "LLAMA, TOKENIZER, 1, ''",
    "LLAMA, NONE, '', ''",
    // The post-processor of this fixture appends <|endoftext|>.
    "GPT_NEOX, DOCUMENT_START, 0, ''",
    "GPT_NEOX, TOKENIZER, '', 0",
    "GPT_NEOX, NONE, '', ''",
    "QWEN3, DOCUMENT_START, 2, ''",
    "QWEN3, TOKENIZER, '', ''",
    "QWEN3, NONE, '', ''",
  })
  void aPolicyPutsThisInFrontOfATextAndNothingElse(
      TinyModel family, PrefixPolicy policy, String front, String behind) {
    int[] expected =
        Stream.of(ids(front), tokens(family, "The whale."), ids(behind))
            .flatMapToInt(Arrays::stream)
            .toArray();
    assertThat(given(family, policy, "The whale.")).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"LLAMA, <s>", "GPT2, <|endoftext|>", "GPT_NEOX, <|endoftext|>", "QWEN3, <|im_end|>"})
  void aTextThatBeginsWithTheNameOfTheDocumentStartGetsNoSecond(TinyModel family, String name) {
    String text = name + "The whale.";
    assertThat(given(family, PrefixPolicy.DOCUMENT_START, text))
        .isEqualTo(given(family, PrefixPolicy.NONE, text))
        .isEqualTo(tokens(family, text));
  }

  private static int[] tokens(TinyModel family, String text) {
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(family.folder())) {
      return tokenizer.encode(text).ids();
    }
  }

  /** The ids that a model is given; all but the first are scored. */
  private static int[] given(TinyModel family, PrefixPolicy policy, String text) {
    HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(family.folder());
    Recorder model = new Recorder();
    ScorerOptions options = ScorerOptions.defaults().withPrefix(policy).withThreads(1);
    ModelSource source = new ModelSource(family.family(), "test", "none", "test");
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
