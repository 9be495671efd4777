package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.ModelSource;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.TextScore;
import io.llmap.testing.BigramLm;
import io.llmap.testing.HistoryLm;
import io.llmap.testing.Tolerances;
import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/**
 * Windows and prompts, over models with probabilities in closed form: what every token is given is
 * spelt out here once more, token by token and without windows.
 */
class WindowedScoresTest {
  private static final ModelSource SOURCE = new ModelSource("history", "memory", "f00d", "test");
  private static final int UNLIMITED = Integer.MAX_VALUE;
  private static final int[] BOS = {BigramLm.BOS};
  private static final int[] NOTHING = {};

  @Property(tries = 400)
  void everyTokenIsScoredOnceGivenWhatItsWindowHolds(
      @ForAll @IntRange(min = 2, max = 24) int context,
      @ForAll @IntRange(min = 1, max = 24) int anyStride,
      @ForAll PrefixPolicy policy,
      @ForAll @IntRange(min = 1, max = 400) int budget,
      @ForAll Random random) {
    int stride = 1 + anyStride % (context - 1);
    HistoryLm model = anyModel(UNLIMITED, context, random);
    int[] prefix = policy == PrefixPolicy.NONE ? NOTHING : BOS;
    List<Text> texts = texts(random, 2, 3 * context);
    List<TextScore> scores =
        score(model, options(policy, OverLengthPolicy.rolling(stride), budget), texts);

    for (int n = 0; n < texts.size(); n++) {
      int[] body = letters(texts.get(n).content());
      int room = context - prefix.length;
      int first = 1 - prefix.length;
      double[] expected = new double[body.length - first];
      for (int i = first; i < body.length; i++) {
        int from = 0;
        if (body.length > room && i >= room) {
          int end = Math.min(body.length, room + ((i - room) / stride + 1) * stride);
          from = end - room;
        }
        expected[i - first] = model.logProb(join(prefix, slice(body, from, i)), body[i]);
      }
      int windows = body.length <= room ? 1 : 1 + (body.length - room + stride - 1) / stride;
      assertScore(scores.get(n), expected, first, windows, false);
    }
  }

  /** What the windows leave to every token is enough for the model, so that they do not show. */
  @Property(tries = 200)
  void windowsThatHoldAllThatTheModelLooksAtGiveTheUnlimitedLogLikelihood(
      @ForAll @IntRange(min = 1, max = 5) int order,
      @ForAll @IntRange(min = 1, max = 8) int stride,
      @ForAll @IntRange(min = 0, max = 3) int spare,
      @ForAll PrefixPolicy policy,
      @ForAll @IntRange(min = 1, max = 400) int budget,
      @ForAll Random random) {
    int[] prefix = policy == PrefixPolicy.NONE ? NOTHING : BOS;
    int context = prefix.length + order + stride + spare;
    HistoryLm model = anyModel(order, context, random);
    List<Text> texts = texts(random, 2, 4 * context);
    List<TextScore> scores =
        score(model, options(policy, OverLengthPolicy.rolling(stride), budget), texts);

    for (int n = 0; n < texts.size(); n++) {
      int[] all = join(prefix, letters(texts.get(n).content()));
      double sum = 0;
      for (int t = 1; t < all.length; t++) {
        sum += model.logProb(Arrays.copyOf(all, t), all[t]);
      }
      assertThat(scores.get(n).logLikelihood()).isCloseTo(sum, within(Tolerances.closedForm(sum)));
      assertThat(scores.get(n).scoredTokens()).isEqualTo(all.length - 1);
    }
  }

  @Property(tries = 400)
  void contentIsScoredGivenThePromptAsFarAsWindowsReach(
      @ForAll @IntRange(min = 2, max = 24) int context,
      @ForAll @IntRange(min = 1, max = 24) int anyStride,
      @ForAll PrefixPolicy policy,
      @ForAll @IntRange(min = 1, max = 400) int budget,
      @ForAll Random random) {
    int stride = 1 + anyStride % (context - 1);
    HistoryLm model = anyModel(UNLIMITED, context, random);
    int[] prefix = policy == PrefixPolicy.NONE ? NOTHING : BOS;
    List<Text> texts = prompted(random, 2 * context);
    List<TextScore> scores =
        score(model, options(policy, OverLengthPolicy.rolling(stride), budget), texts);

    for (int n = 0; n < texts.size(); n++) {
      int prompt = texts.get(n).prompt().length();
      int[] body = letters(texts.get(n).prompt() + texts.get(n).content());
      int room = context - prefix.length;
      // The first window begins at the prompt's start if it reaches any content from there.
      int whole = Math.max(prompt, room);
      double[] expected = new double[body.length - prompt];
      for (int i = prompt; i < body.length; i++) {
        int from = 0;
        if (body.length > room && i >= whole) {
          from = Math.min(body.length, whole + ((i - whole) / stride + 1) * stride) - room;
        }
        expected[i - prompt] = model.logProb(join(prefix, slice(body, from, i)), body[i]);
      }
      int windows =
          body.length <= room
              ? 1
              : (prompt < room ? 1 : 0) + (body.length - whole + stride - 1) / stride;
      assertScore(scores.get(n), expected, 0, windows, body.length > room && prompt >= room);
    }
  }

  @Property(tries = 300)
  void truncationTakesThePromptsStartThenTheContentsEnd(
      @ForAll @IntRange(min = 2, max = 24) int context,
      @ForAll PrefixPolicy policy,
      @ForAll @IntRange(min = 1, max = 400) int budget,
      @ForAll Random random) {
    HistoryLm model = anyModel(UNLIMITED, context, random);
    int[] prefix = policy == PrefixPolicy.NONE ? NOTHING : BOS;
    List<Text> texts = prompted(random, 2 * context);
    List<TextScore> scores =
        score(model, options(policy, OverLengthPolicy.TRUNCATE, budget), texts);

    for (int n = 0; n < texts.size(); n++) {
      int[] prompt = letters(texts.get(n).prompt());
      int[] content = letters(texts.get(n).content());
      boolean fits = prefix.length + prompt.length + content.length <= context;
      int kept = Math.min(content.length, context - 1);
      int keptPrompt = Math.min(prompt.length, context - prefix.length - kept);
      int[] before = join(prefix, slice(prompt, prompt.length - keptPrompt, prompt.length));
      double[] expected = new double[kept];
      for (int i = 0; i < kept; i++) {
        expected[i] = model.logProb(join(before, slice(content, 0, i)), content[i]);
      }
      assertScore(scores.get(n), expected, 0, 1, !fits);
    }
  }

  @Test
  void contentAfterAPromptIsWorthTheWholeLessThePrompt() {
    HistoryLm model = new HistoryLm(UNLIMITED, 40);
    ScorerOptions options = options(PrefixPolicy.DOCUMENT_START, OverLengthPolicy.FAIL, 2048);
    List<TextScore> scores =
        score(
            model,
            options,
            List.of(
                new Text("content", "whatis", "thesea"),
                Text.of("whole", "whatisthesea"),
                Text.of("prompt", "whatis")));

    assertThat(scores.get(0).bytes()).isEqualTo(6);
    assertThat(scores.get(0).scoredTokens()).isEqualTo(6);
    double difference = scores.get(1).logLikelihood() - scores.get(2).logLikelihood();
    assertThat(scores.get(0).logLikelihood())
        .isCloseTo(difference, within(Tolerances.closedForm(difference)));
  }

  @Test
  void halfOfTheContextIsTheStrideWhereNoneIsGiven() {
    HistoryLm model = new HistoryLm(UNLIMITED, 9);
    List<Text> texts = texts(new Random(3), 30, 40);
    ScorerOptions half =
        options(PrefixPolicy.DOCUMENT_START, OverLengthPolicy.ROLLING, 50).withTokenLogProbs(false);

    assertThat(score(model, half, texts))
        .isEqualTo(score(model, half.withOverLength(OverLengthPolicy.rolling(4)), texts))
        .isNotEqualTo(score(model, half.withOverLength(OverLengthPolicy.rolling(5)), texts));
  }

  @Test
  void aStrideThatLeavesNothingToReadIsRefusedOnlyWhereATextNeedsWindows() {
    HistoryLm model = new HistoryLm(UNLIMITED, 8);
    ScorerOptions options = options(PrefixPolicy.DOCUMENT_START, OverLengthPolicy.rolling(8), 2048);

    assertThat(score(model, options, List.of(Text.of("short", "abcdefg")))).hasSize(1);
    assertThatThrownBy(() -> score(model, options, List.of(Text.of("long", "abcdefgh"))))
        .isInstanceOf(ScoringException.class)
        .hasMessage(
            "a stride of 8 tokens is too long for model history: with a context of 8 and a prefix of"
                + " 1 a window scores at most 7");
  }

  @Test
  void aContextThatThePrefixFillsIsRefused() {
    HistoryLm model = new HistoryLm(UNLIMITED, 1);
    for (OverLengthPolicy policy :
        List.of(OverLengthPolicy.TRUNCATE, OverLengthPolicy.ROLLING, OverLengthPolicy.rolling(1))) {
      ScorerOptions options = options(PrefixPolicy.DOCUMENT_START, policy, 2048);
      assertThatThrownBy(() -> score(model, options, List.of(Text.of("t", "ab"))))
          .isInstanceOf(ScoringException.class)
          .hasMessageContaining("1 token(s), has no room for a token behind the prefix of 1");
    }
  }

  @Test
  void anOverLongPromptIsNamedAsPartOfTheLength() {
    HistoryLm model = new HistoryLm(UNLIMITED, 8);
    ScorerOptions options = options(PrefixPolicy.DOCUMENT_START, OverLengthPolicy.FAIL, 2048);

    assertThatThrownBy(() -> score(model, options, List.of(new Text("p", "abcde", "fgh"))))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining(
            "text \"p\" is 9 tokens long with its prefix and its prompt, but the context of model"
                + " history is 8");
  }

  @Test
  void aTokenThatABackendLeavesOutIsNotTakenForCertain() {
    HistoryLm model = new HistoryLm(UNLIMITED, 8).withRowsLeftOut(1);
    ScorerOptions options = options(PrefixPolicy.DOCUMENT_START, OverLengthPolicy.FAIL, 2048);

    assertThatThrownBy(() -> score(model, options, List.of(Text.of("t", "abc"))))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("token 3 (id 2) of text \"t\"")
        .hasMessageContaining("or it gave none");
  }

  @Test
  void aBackendCannotWriteIntoATextsOtherWindows() {
    ScorerOptions options = options(PrefixPolicy.DOCUMENT_START, OverLengthPolicy.rolling(3), 2048);
    for (HistoryLm model :
        List.of(
            new HistoryLm(UNLIMITED, 8).withRowsLeftOut(-1),
            new HistoryLm(UNLIMITED, 8).withRowsLeftOut(-1).withReadyLogProbs())) {
      assertThatThrownBy(() -> score(model, options, List.of(Text.of("t", "abcdefghijk"))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("model history hands over the tokens 1 to 8");
    }
  }

  private static void assertScore(
      TextScore score, double[] expected, int firstOffset, int windows, boolean truncated) {
    double[] actual = score.tokenLogProbs().orElseThrow().logProbs();
    assertThat(score.tokenLogProbs().orElseThrow().byteOffsets())
        .isEqualTo(IntStream.range(firstOffset, firstOffset + expected.length).toArray());
    for (int t = 0; t < expected.length; t++) {
      assertThat(actual[t]).isCloseTo(expected[t], within(Tolerances.closedForm(expected[t])));
    }
    double sum = Arrays.stream(expected).sum();
    assertThat(score.logLikelihood()).isCloseTo(sum, within(Tolerances.closedForm(sum)));
    assertThat(score.scoredTokens()).isEqualTo(expected.length);
    assertThat(score.windows()).isEqualTo(windows);
    assertThat(score.truncated()).isEqualTo(truncated);
  }

  private static HistoryLm anyModel(int order, int context, Random random) {
    HistoryLm model = new HistoryLm(order, context).withRowsPerBlock(1 + random.nextInt(40));
    return random.nextInt(3) == 0 ? model.withReadyLogProbs() : model;
  }

  private static ScorerOptions options(PrefixPolicy prefix, OverLengthPolicy policy, int budget) {
    return ScorerOptions.defaults()
        .withPrefix(prefix)
        .withOverLength(policy)
        .withTokenBudget(budget)
        .withTokenLogProbs(true)
        .withThreads(2);
  }

  private static List<TextScore> score(HistoryLm model, ScorerOptions options, List<Text> texts) {
    TreeMap<Integer, TextScore> scores = new TreeMap<>();
    Tokenizer letters = new BigramLm.Letters(OptionalInt.of(BigramLm.BOS), OptionalInt.empty());
    try (BatchingScorer scorer =
        new BatchingScorer(SOURCE, letters, model, options, new ScalarLogProbKernel())) {
      scorer.score(
          texts,
          (n, score) -> assertThat(scores.put(n, score)).as("text %d came twice", n).isNull());
    }
    assertThat(scores).hasSize(texts.size());
    return new ArrayList<>(scores.values());
  }

  private static List<Text> texts(Random random, int shortest, int longest) {
    List<Text> texts = new ArrayList<>();
    for (int n = 0; n < 6; n++) {
      texts.add(Text.of("t" + n, word(random, shortest, longest)));
    }
    return texts;
  }

  private static List<Text> prompted(Random random, int longest) {
    List<Text> texts = new ArrayList<>();
    String shared = word(random, 1, longest);
    for (int n = 0; n < 6; n++) {
      String prompt = random.nextBoolean() ? shared : word(random, 1, longest);
      texts.add(new Text("t" + n, prompt, word(random, 1, longest)));
    }
    return texts;
  }

  private static String word(Random random, int shortest, int longest) {
    int length = shortest + random.nextInt(longest - shortest + 1);
    StringBuilder word = new StringBuilder();
    for (int t = 0; t < length; t++) {
      word.append((char) ('a' + random.nextInt(26)));
    }
    return word.toString();
  }

  private static int[] letters(String text) {
    return text.chars().map(c -> c - 'a').toArray();
  }

  private static int[] slice(int[] tokens, int from, int to) {
    return Arrays.copyOfRange(tokens, from, to);
  }

  private static int[] join(int[] front, int[] tokens) {
    return IntStream.concat(Arrays.stream(front), Arrays.stream(tokens)).toArray();
  }
}
