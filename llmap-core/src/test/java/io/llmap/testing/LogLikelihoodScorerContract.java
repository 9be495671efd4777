package io.llmap.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.text.Text;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What llmap relies on in every {@link LogLikelihoodScorer}, as tests. Extend it for a scorer of
 * your own, and a failure says which promise is broken, for which text and with which numbers; the
 * documentation of the test that failed says where the promise is made. For example:
 *
 * <pre>{@code
 * class LetterScorerTest extends LogLikelihoodScorerContract {
 *   @Override
 *   protected LogLikelihoodScorer open(ScorerOptions options) {
 *     ModelSource source = new ModelSource("letters", "in memory", "seed 7", "bigrams 1.0");
 *     Tokenizer letters = new BigramLm.Letters(OptionalInt.of(BigramLm.BOS), OptionalInt.empty());
 *     return new BatchingScorer(source, letters, new BigramLm(7, 64), options);
 *   }
 *
 *   @Override
 *   protected OptionalInt contextLength() {
 *     return OptionalInt.of(64);
 *   }
 *
 *   @Override
 *   protected Optional<String> alphabet() {
 *     return Optional.of("abcdefghijklmnopqrstuvwxyz");
 *   }
 * }
 * }</pre>
 *
 * <p>It is in the test-jar of llmap-core, which brings no dependency along: JUnit 5 and AssertJ are
 * to be there too. llmap-bom has its version.
 *
 * <pre>{@code
 * <dependency>
 *   <groupId>io.llmap</groupId>
 *   <artifactId>llmap-core</artifactId>
 *   <type>test-jar</type>
 *   <scope>test</scope>
 * </dependency>
 * }</pre>
 *
 * <p>Facts about the scorer are methods to override. As they stand they demand all that {@link
 * io.llmap.score.spi.BatchingScorer} gives over a language model of all characters; what a fact
 * takes back is skipped, and the report says why. A test may take 120 seconds: annotate the
 * subclass with another {@link Timeout} for a slower model.
 */
@Timeout(120)
public abstract class LogLikelihoodScorerContract {
  private static final Pattern NUMBER = Pattern.compile("\\d+");

  /** Enough that a run can be ended in the middle. */
  private static final int MANY = 60;

  /** Creates the contract. */
  protected LogLikelihoodScorerContract() {}

  /**
   * Opens the scorer, a new one each time; the contract closes it.
   *
   * @param options as a user would give them
   */
  protected abstract LogLikelihoodScorer open(ScorerOptions options);

  /** The options to start from, such as with another prefix policy for a model without BOS. */
  protected ScorerOptions options() {
    return ScorerOptions.defaults().withThreads(2);
  }

  /** The most tokens, prefix and prompt included, in a window; empty for a model without limit. */
  protected OptionalInt contextLength() {
    return OptionalInt.empty();
  }

  /**
   * The characters to make texts of, for a model that does not take all; empty for all of Unicode.
   */
  protected Optional<String> alphabet() {
    return Optional.empty();
  }

  /** Whether scores hold the log-probabilities of tokens when the options ask for them. */
  protected boolean givesTokenLogProbs() {
    return true;
  }

  /** Whether they hold sketches as well. */
  protected boolean givesSketches() {
    return true;
  }

  /** Whether the same texts and options give the same bits, on any number of threads. */
  protected boolean isDeterministic() {
    return true;
  }

  /**
   * How much the log-probability of a token may differ with what else is in the batch. More for
   * half precision, and much more for activations that are quantised batch by batch.
   */
  protected double batchEffectPerToken() {
    return Tolerances.batchEffectPerToken();
  }

  /**
   * Whether an interrupt of the scoring thread, or {@code close()} by another thread, ends a run.
   * The interface does not ask for it; {@link io.llmap.score.spi.BatchingScorer} does it.
   */
  protected boolean endsFromOutside() {
    return true;
  }

  /**
   * Whether a closed scorer refuses to score. One that holds nothing need not, as {@link
   * LogLikelihoodScorer#close} does nothing by default.
   */
  protected boolean refusesAfterClose() {
    return true;
  }

  /**
   * {@link LogLikelihoodScorer#score}: every text that the listener wants is handed to it once,
   * under its own index; {@link TextScore}: with a finite sum of natural logarithms, at most 0, and
   * the length of the content in UTF-8.
   */
  @Test
  protected final void everyTextIsScoredOnceWithALogLikelihoodAtMostZeroAndItsBytes() {
    List<Text> texts = texts().mixed();
    Map<Integer, TextScore> scores = run(options(), texts);
    scores.forEach((n, score) -> assertWellFormed(texts.get(n), score));
    assertThat(run(options(), List.of())).as("scores of no texts").isEmpty();
  }

  /**
   * {@link TextScore#tokenLogProbs}: there when the options ask for them, the summands of the
   * log-likelihood; {@link TokenLogProbs}: each at most 0, at bytes in order, the first at byte 0
   * of the content where every token is scored.
   */
  @Test
  protected final void tokensAddUpAndStartAtTheContentsBytesInOrder() {
    assumeTokens();
    List<Text> texts = texts().mixed();
    Map<Integer, TextScore> scores = run(withTokens(), texts);
    Map<Integer, TextScore> plain = run(options().withTokenLogProbs(false), texts);
    for (int n = 0; n < texts.size(); n++) {
      Text text = texts.get(n);
      TextScore score = scores.get(n);
      assertTokens(text, score);
      if (options().prefix() == PrefixPolicy.DOCUMENT_START || !text.prompt().isEmpty()) {
        assertThat(tokens(score).byteOffsets()[0])
            .as("byte at which the first token of text \"%s\" starts", text.id())
            .isZero();
      }
      assertThat(plain.get(n).tokenLogProbs())
          .as("token log-probabilities of text \"%s\", which the options do not ask for", text.id())
          .isEmpty();
      assertThat(plain.get(n).logLikelihood())
          .as("log-likelihood of text \"%s\" without its tokens", text.id())
          .isCloseTo(score.logLikelihood(), within(score.scoredTokens() * batchEffectPerToken()));
    }
  }

  /**
   * {@link ScoringListener#wants}: a text that is wanted is scored whatever else is, with the bits
   * of a run that wants all, so that a resumed run is as good as an uninterrupted one; where none
   * is wanted, none is scored.
   */
  @Test
  protected final void aResumedRunGivesTheSameScores() {
    List<Text> texts = texts().mixed();
    ScorerOptions options = withTokens().withTokenBudget(100);
    Map<Integer, TextScore> all = run(options, texts);
    try (LogLikelihoodScorer scorer = open(options)) {
      IntPredicate wanted = n -> n % 3 == 1;
      ScoreRecorder some = new ScoreRecorder(texts).wanting(wanted);
      scorer.score(texts, some);
      assertThat(some.scores().keySet())
          .as("indices that were scored, of those wanted")
          .containsAll(IntStream.range(0, texts.size()).filter(wanted).boxed().toList());
      some.scores()
          .forEach((n, score) -> assertRepeated("resumed", texts.get(n), all.get(n), score));
      ScoreRecorder none = new ScoreRecorder(texts).wanting(n -> false);
      scorer.score(texts, none);
      assertThat(none.scores()).as("scores of texts of which none is wanted").isEmpty();
    }
  }

  /**
   * A score is the text's and the model's: neither the order of the texts, nor the token budget,
   * nor what else is scored changes it by more than {@link #batchEffectPerToken} a token.
   */
  @Test
  protected final void orderBatchAndCompanyDoNotMatter() {
    List<Text> texts = new ArrayList<>(texts().mixed());
    ScorerOptions alone = withTokens().withTokenBudget(1).withThreads(1);
    if (contextLength().isPresent()) {
      alone = alone.withOverLength(OverLengthPolicy.ROLLING);
      texts.add(Text.of("in-windows", overLong()));
    }
    Map<String, TextScore> expected = new HashMap<>();
    try (LogLikelihoodScorer scorer = open(alone)) {
      for (Text text : texts) {
        TextScore score = score(scorer, List.of(text)).get(0);
        expected.put(text.id(), score);
      }
    }
    for (int seed = 0; seed < 12; seed++) {
      Random random = new Random(seed);
      List<Text> some = new ArrayList<>(texts);
      Collections.shuffle(some, random);
      if (seed > 0) {
        some = some.subList(0, 1 + random.nextInt(some.size()));
      }
      int budget = 1 << random.nextInt(12);
      ScorerOptions options = alone.withTokenBudget(budget).withThreads(1 + random.nextInt(3));
      Map<Integer, TextScore> scores = run(options, some);
      for (int n = 0; n < some.size(); n++) {
        Text text = some.get(n);
        assertClose(
            "text \"%s\" among %d with a token budget of %d"
                .formatted(text.id(), some.size(), budget),
            expected.get(text.id()),
            scores.get(n));
      }
    }
  }

  /** {@link ScorerOptions#threads}: their number changes no bit of a result. */
  @Test
  protected final void theNumberOfThreadsChangesNoBit() {
    assumeTrue(isDeterministic(), "the scorer is not deterministic");
    List<Text> texts = texts().mixed();
    for (int budget : new int[] {1, 100, 2048}) {
      ScorerOptions options = withTokens().withTokenBudget(budget);
      Map<Integer, TextScore> one = run(options.withThreads(1), texts);
      for (int threads = 2; threads <= 4; threads++) {
        Map<Integer, TextScore> several = run(options.withThreads(threads), texts);
        for (int n = 0; n < texts.size(); n++) {
          assertSameBits(
              "text \"%s\" on %d threads, token budget %d"
                  .formatted(texts.get(n).id(), threads, budget),
              one.get(n),
              several.get(n));
        }
      }
    }
  }

  /**
   * {@link Text}: any valid UTF-16 may be scored, emoji, NUL, half of a composed character and
   * names of special tokens included, each whole.
   */
  @Test
  protected final void hardTextsAreScoredWhole() {
    assumeTrue(alphabet().isEmpty(), "the model takes only " + alphabet().orElse(""));
    List<Text> texts = new ArrayList<>(texts().hard());
    texts.addAll(texts().startingWithSpecialTokens());
    try (LogLikelihoodScorer scorer = open(withTokens())) {
      for (Text text : texts) {
        if (options().prefix() == PrefixPolicy.DOCUMENT_START || text.bytes() > 1) {
          TextScore score = score(scorer, List.of(text)).get(0);
          assertWellFormed(text, score);
          assertThat(score.truncated()).as("truncated, text \"%s\"", text.id()).isFalse();
          if (givesTokenLogProbs()) {
            assertTokens(text, score);
          }
        }
      }
    }
  }

  /**
   * A text of one token has nothing to be scored without a prefix. Where the scorer heeds {@link
   * PrefixPolicy#NONE} it refuses the text by its id; a sum of no tokens, which is 0 and so the
   * greatest of all, must not be handed over.
   */
  @Test
  protected final void aScoreOfNoTokensIsNotHandedOver() {
    Text text = Text.of("barely-a-text", beginning(texts().unit(), "", 1));
    try (LogLikelihoodScorer scorer = open(options().withPrefix(PrefixPolicy.NONE))) {
      ScoreRecorder recorder = new ScoreRecorder(List.of(text));
      Throwable refused = catchThrowable(() -> scorer.score(List.of(text), recorder));
      if (refused == null) {
        assertWellFormed(text, recorder.scores().get(0));
      } else {
        assertThat(refused).isInstanceOf(ScoringException.class).hasMessageContaining(text.id());
        assertThat(recorder.scores()).isEmpty();
      }
    }
  }

  /**
   * {@link Text#prompt}: the content is scored given the prompt, so that log p(content | prompt) =
   * log p(prompt, content) − log p(prompt) wherever a token of the whole ends where the prompt
   * ends, and token by token.
   */
  @Test
  protected final void contentAfterAPromptIsWorthTheWholeLessThePrompt() {
    List<Text> texts = new ArrayList<>();
    for (Text text : texts().mixed()) {
      if (text.prompt().isEmpty()) {
        addCuts(text, texts);
      }
    }
    Map<Integer, TextScore> scores = run(withTokens(), texts);
    int aligned = 0;
    for (int n = 0; n < texts.size(); n += 3) {
      TextScore whole = scores.get(n);
      TextScore prompt = scores.get(n + 1);
      TextScore content = scores.get(n + 2);
      assertWellFormed(texts.get(n + 2), content);
      boolean compared =
          givesTokenLogProbs()
              ? assertChainRuleByToken(texts.get(n + 2), whole, prompt, content)
              : assertChainRule(texts.get(n + 2), whole, prompt, content);
      if (compared) {
        aligned++;
      }
    }
    assumeTrue(aligned > 0, "no token of any text ends where its prompt ends");
  }

  /** Whole, prompt and content after prompt, in this order, for several places to cut a text. */
  private void addCuts(Text text, List<Text> triples) {
    String whole = text.content();
    int codePoints = whole.codePointCount(0, whole.length());
    // Of a prompt of one token, nothing is scored without a prefix.
    int shortest = options().prefix() == PrefixPolicy.DOCUMENT_START ? 1 : 8;
    List<Integer> cuts = new ArrayList<>();
    // In front of a space, where the tokens of most models end.
    cuts.add(whole.lastIndexOf(' '));
    for (int part = 1; part < 5 && givesTokenLogProbs(); part++) {
      cuts.add(whole.offsetByCodePoints(0, codePoints * part / 5));
    }
    if (alphabet().isPresent()) {
      cuts.add(whole.offsetByCodePoints(0, codePoints / 2));
    }
    for (int cut : cuts) {
      if (cut >= shortest) {
        String id = text.id() + "-at-" + cut;
        Text content = new Text(id, whole.substring(0, cut), whole.substring(cut));
        triples.add(Text.of(id + "-whole", whole));
        triples.add(Text.of(id + "-prompt", content.prompt()));
        triples.add(content);
      }
    }
  }

  private boolean assertChainRule(Text text, TextScore whole, TextScore prompt, TextScore content) {
    if (whole.scoredTokens() != prompt.scoredTokens() + content.scoredTokens()) {
      return false;
    }
    assertThat(content.logLikelihood())
        .as("log p(content | prompt) of text \"%s\"", text.id())
        .isCloseTo(
            whole.logLikelihood() - prompt.logLikelihood(),
            within(2 * whole.scoredTokens() * batchEffectPerToken()));
    return true;
  }

  /** Returns whether the whole has the prompt's tokens, then others. */
  private boolean assertChainRuleByToken(
      Text text, TextScore whole, TextScore prompt, TextScore content) {
    int promptBytes = text.prompt().getBytes(StandardCharsets.UTF_8).length;
    int[] wholeOffsets = tokens(whole).byteOffsets();
    int[] promptOffsets = tokens(prompt).byteOffsets();
    int cut = promptOffsets.length;
    if (wholeOffsets.length <= cut
        || wholeOffsets[cut] != promptBytes
        || !Arrays.equals(wholeOffsets, 0, cut, promptOffsets, 0, cut)) {
      return false;
    }
    double[] ofWhole = tokens(whole).logProbs();
    double[] ofPrompt = tokens(prompt).logProbs();
    for (int t = 0; t < cut; t++) {
      double difference = Math.abs(ofWhole[t] - ofPrompt[t]);
      if (difference > batchEffectPerToken() && !isAscii(text.prompt() + text.content())) {
        // Tokens that are parts of characters may have the same offsets and be others.
        return false;
      }
      assertThat(difference)
          .as(
              "what follows changes token %d of the prompt of text \"%s\" from %s to %s by",
              t, text.id(), ofPrompt[t], ofWhole[t])
          .isLessThanOrEqualTo(batchEffectPerToken());
    }
    assertThat(tokens(content).byteOffsets())
        .as("bytes of the content of text \"%s\" at which its tokens start", text.id())
        .isEqualTo(
            Arrays.stream(wholeOffsets, cut, wholeOffsets.length)
                .map(offset -> offset - promptBytes)
                .toArray());
    assertThat(tokens(content).logProbs())
        .as("log p(token | prompt, tokens before) of text \"%s\"", text.id())
        .containsExactly(
            Arrays.copyOfRange(ofWhole, cut, ofWhole.length), within(batchEffectPerToken()));
    return true;
  }

  private static boolean isAscii(String text) {
    return text.chars().allMatch(c -> c < 0x80);
  }

  /**
   * {@link OverLengthPolicy#FAIL}: a text that fits is scored; a longer one ends the run with an
   * error that names the text, its length and the context. What was delivered stays valid, and the
   * scorer goes on with other texts.
   */
  @Test
  protected final void aTextThatDoesNotFitIsRefusedByNameAndLength() {
    int context = assumeContext();
    ScorerOptions fail = withTokens().withOverLength(OverLengthPolicy.FAIL);
    String longest = longestThatFits();
    Text fits = Text.of("fits", longest);
    Text tooLong = Text.of("too-long", beginning(overLong(), longest, 1));
    List<Text> others = texts().few(8);
    Map<Integer, TextScore> expected = run(fail, others);
    List<Text> texts = new ArrayList<>(others);
    texts.add(4, tooLong);
    try (LogLikelihoodScorer scorer = open(fail)) {
      ScoreRecorder recorder = new ScoreRecorder(texts);
      assertThatThrownBy(() -> scorer.score(texts, recorder))
          .as("a text of %d bytes", tooLong.bytes())
          .isInstanceOf(ScoringException.class)
          .hasMessageContainingAll("too-long", Integer.toString(context))
          .message()
          .as("an error that says how long the text is: more than %d", context)
          .satisfies(
              message ->
                  assertThat(NUMBER.matcher(message).results())
                      .anyMatch(number -> Long.parseLong(number.group()) > context));
      recorder
          .scores()
          .forEach(
              (n, score) ->
                  assertClose(
                      "text \"%s\", delivered before the error".formatted(texts.get(n).id()),
                      expected.get(n < 4 ? n : n - 1),
                      score));
      assertThat(score(scorer, List.of(fits)).get(0).truncated())
          .as("whether a text of %d bytes, which fits, is truncated", fits.bytes())
          .isFalse();
    }
  }

  /**
   * {@link OverLengthPolicy#TRUNCATE}: a text that does not fit is cut to the context, and {@link
   * TextScore#truncated} says so; one that fits is the same as ever.
   */
  @Test
  protected final void aTextThatIsCutSaysSo() {
    int context = assumeContext();
    ScorerOptions truncate = withTokens().withOverLength(OverLengthPolicy.TRUNCATE);
    Text text = Text.of("too-long", overLong());
    Text fits = Text.of("fits", longestThatFits());
    Map<Integer, TextScore> scores = run(truncate, List.of(text, fits));
    TextScore cut = scores.get(0);
    assertWellFormed(text, cut);
    assertThat(cut.truncated()).as("truncated, text of %d bytes", text.bytes()).isTrue();
    assertThat(cut.scoredTokens()).as("scored tokens of a cut text").isLessThanOrEqualTo(context);
    assertThat(scores.get(1).truncated()).as("truncated, text that fits").isFalse();
    assertClose(
        "a text that fits, when longer ones are cut",
        run(withTokens().withOverLength(OverLengthPolicy.FAIL), List.of(fits)).get(0),
        scores.get(1));
  }

  /**
   * {@link OverLengthPolicy#rolling}: of a text that does not fit every token is scored once. The
   * first window scores all of its tokens, as if the text were cut; each later one as many as the
   * stride.
   */
  @Test
  protected final void rollingWindowsScoreEveryTokenOnce() {
    int context = assumeContext();
    String unit = texts().unit();
    assumeTrue(texts().fits(Text.of("u", unit.repeat(3))), "the context is too short for 3 units");
    int stride = Math.max(1, context / 3);
    ScorerOptions rolling = withTokens().withOverLength(OverLengthPolicy.rolling(stride));
    int units = 3 * (overLong().length() / unit.length());
    Text text = Text.of("in-windows", unit.repeat(units));
    Map<Integer, TextScore> scores =
        run(
            rolling,
            List.of(
                text,
                Text.of("1-unit-more", unit.repeat(units + 1)),
                Text.of("2-units", unit.repeat(2)),
                Text.of("3-units", unit.repeat(3))));
    TextScore cut =
        run(withTokens().withOverLength(OverLengthPolicy.TRUNCATE), List.of(text)).get(0);
    TextScore rolled = scores.get(0);

    assertWellFormed(text, rolled);
    assertThat(rolled.truncated()).as("truncated, text in windows").isFalse();
    assertThat(scores.get(3).windows()).as("windows of a text that fits").isEqualTo(1);
    assertThat(rolled.windows())
        .as(
            "windows for %d tokens, %d of them in the first and %d in each other",
            rolled.scoredTokens(), cut.scoredTokens(), stride)
        .isEqualTo(1 + (rolled.scoredTokens() - cut.scoredTokens() + stride - 1) / stride);
    int tokensOfUnit = scores.get(3).scoredTokens() - scores.get(2).scoredTokens();
    assertThat(scores.get(1).scoredTokens() - rolled.scoredTokens())
        .as("tokens that one more unit of text adds in windows")
        .isEqualTo(tokensOfUnit);
    assertThat(rolled.scoredTokens())
        .as("tokens of %d units", units)
        .isEqualTo(scores.get(3).scoredTokens() + (units - 3) * tokensOfUnit);
    if (givesTokenLogProbs()) {
      assertTokens(text, rolled);
      int unitBytes = unit.getBytes(StandardCharsets.UTF_8).length;
      int[] expected = offsetsWithin(scores.get(3), unitBytes, 1);
      for (int u = 1; u < units - 1; u++) {
        assertThat(offsetsWithin(rolled, unitBytes, u))
            .as("bytes at which tokens start in unit %d of %d", u, units)
            .isEqualTo(expected);
      }
      assertThat(Arrays.copyOf(tokens(rolled).logProbs(), cut.scoredTokens()))
          .as("log-probabilities of the first window, against those of the text cut")
          .containsExactly(tokens(cut).logProbs(), within(batchEffectPerToken()));
    }
  }

  private static int[] offsetsWithin(TextScore score, int unitBytes, int unit) {
    return Arrays.stream(tokens(score).byteOffsets())
        .filter(offset -> offset / unitBytes == unit)
        .map(offset -> offset - unit * unitBytes)
        .toArray();
  }

  /**
   * {@link ScoringListener#cancelled}: after true the scorer ends what it is doing and returns
   * normally; what was delivered is valid, and a second run goes to the end. The token budget is 1,
   * so that there are batches to be asked between.
   */
  @Test
  protected final void aListenerEndsARunAndAnotherRunGoesOn() {
    List<Text> texts = texts().few(MANY);
    Map<Integer, TextScore> all = run(oneTextABatch(), texts);
    try (LogLikelihoodScorer scorer = open(oneTextABatch())) {
      ScoreRecorder recorder = new ScoreRecorder(texts).cancellingAt(5);
      scorer.score(texts, recorder);
      assertThat(recorder.scores())
          .as("scores of %d texts, of a run that was ended after 5", MANY)
          .hasSizeBetween(5, MANY - 1)
          .allSatisfy((n, score) -> assertRepeated("cancelled", texts.get(n), all.get(n), score));
      score(scorer, texts)
          .forEach((n, score) -> assertRepeated("second", texts.get(n), all.get(n), score));
    }
  }

  /** An exception that any method of the listener throws reaches whoever called the scorer. */
  @Test
  protected final void anExceptionOfTheListenerReachesTheCaller() {
    List<Text> texts = texts().few(MANY);
    RuntimeException failure = new IllegalStateException("thrown by the listener");
    for (String method : List.of("wants", "scored", "cancelled")) {
      try (LogLikelihoodScorer scorer = open(oneTextABatch())) {
        assertThatThrownBy(() -> scorer.score(texts, new FailingListener(method, failure)))
            .as("thrown by the listener's method %s", method)
            .isSameAs(failure);
        score(scorer, texts);
      }
    }
  }

  private record FailingListener(String method, RuntimeException failure)
      implements ScoringListener {
    private void call(String name) {
      if (name.equals(method)) {
        throw failure;
      }
    }

    @Override
    public boolean wants(int index) {
      call("wants");
      return true;
    }

    @Override
    public void scored(int index, TextScore score) {
      call("scored");
    }

    @Override
    public boolean cancelled() {
      call("cancelled");
      return false;
    }
  }

  /**
   * {@link io.llmap.score.spi.BatchingScorer#score}: an interrupt of the thread ends the run with
   * an exception and is kept; what was delivered is valid.
   */
  @Test
  protected final void anInterruptEndsARunAndIsKept() {
    assumeTrue(endsFromOutside(), "a run of the scorer cannot be ended from outside");
    List<Text> texts = texts().few(MANY);
    Map<Integer, TextScore> all = run(oneTextABatch(), texts);
    try (LogLikelihoodScorer scorer = open(oneTextABatch())) {
      ScoreRecorder recorder =
          new ScoreRecorder(texts).afterEach(Thread.currentThread()::interrupt);
      Throwable failure = catchThrowable(() -> scorer.score(texts, recorder));
      assertThat(Thread.interrupted()).as("interrupt flag after the run").isTrue();
      assertThat(failure)
          .as("after an interrupt, with %d of %d texts scored", recorder.count(), MANY)
          .isInstanceOf(ScoringException.class);
      recorder
          .scores()
          .forEach((n, score) -> assertRepeated("interrupted", texts.get(n), all.get(n), score));
    }
  }

  /**
   * {@link LogLikelihoodScorer#close}: a second call does nothing, and a scorer that freed what it
   * needs refuses to score with an {@link IllegalStateException}.
   */
  @Test
  protected final void closingTwiceIsNoErrorAndScoringAfterwardsIs() {
    LogLikelihoodScorer scorer = open(options());
    List<Text> texts = texts().few(2);
    score(scorer, texts);
    scorer.close();
    scorer.close();
    assumeTrue(refusesAfterClose(), "the scorer holds nothing that closing would free");
    assertClosed(scorer);
  }

  private void assertClosed(LogLikelihoodScorer scorer) {
    List<Text> texts = texts().few(2);
    assertThatThrownBy(() -> scorer.score(texts, (n, score) -> {}))
        .as("scoring with a closed scorer")
        .isInstanceOf(IllegalStateException.class);
  }

  /**
   * {@link io.llmap.score.spi.BatchingScorer#close}: called by another thread it ends the run with
   * an exception, and frees nothing before; what was delivered is valid.
   */
  @Test
  protected final void closingFromAnotherThreadEndsARun() throws Exception {
    assumeTrue(endsFromOutside(), "a run of the scorer cannot be ended from outside");
    List<Text> texts = texts().few(200);
    Map<Integer, TextScore> all = run(oneTextABatch(), texts);
    try (LogLikelihoodScorer scorer = open(oneTextABatch())) {
      CountDownLatch begun = new CountDownLatch(1);
      CompletableFuture<Void> closer =
          CompletableFuture.runAsync(
              () -> {
                try {
                  begun.await();
                } catch (InterruptedException e) {
                  throw new AssertionError(e);
                }
                scorer.close();
              });
      ScoreRecorder recorder =
          new ScoreRecorder(texts)
              .afterEach(
                  () -> {
                    begun.countDown();
                    // Without this, a fast run is over before the other thread comes to close it.
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
                  });
      assertThatThrownBy(() -> scorer.score(texts, recorder))
          .as("a run of %d texts that were closed after the first", texts.size())
          .isInstanceOf(ScoringException.class);
      closer.get();
      recorder
          .scores()
          .forEach((n, score) -> assertRepeated("closed", texts.get(n), all.get(n), score));
      assertClosed(scorer);
    }
  }

  /**
   * {@link LogLikelihoodScorer#source}: constant for the life of the scorer, and the same whenever
   * the same model is opened with the same options, so that stored scores are found again.
   */
  @Test
  protected final void theSourceIsTheSameBeforeAndAfterARunAndInAnotherOpening() {
    ModelSource source;
    try (LogLikelihoodScorer scorer = open(options())) {
      source = scorer.source();
      assertThat(source.fingerprint()).as("fingerprint").isNotBlank();
      score(scorer, texts().few(3));
      assertThat(scorer.source()).as("source after a run").isEqualTo(source);
    }
    try (LogLikelihoodScorer scorer = open(options())) {
      assertThat(scorer.source()).as("source of the same model, opened again").isEqualTo(source);
    }
  }

  /**
   * {@link ScorerOptions#sketches}: one a token, Σ ±√p over the vocabulary with random signs, so
   * that the mean of its square is 1; {@link TokenLogProbs#sketches}: the signs are the text's, so
   * that order, batch and company do not matter.
   */
  @Test
  protected final void sketchesHaveUnitMeanSquareAndAreTheTextsOwn() {
    assumeTokens();
    assumeTrue(givesSketches(), "the scorer gives no sketches");
    List<Text> texts = new ArrayList<>(texts().mixed());
    texts.addAll(texts().few(MANY).subList(20, MANY));
    ScorerOptions sketches = options().withSketches(true);
    Map<Integer, TextScore> scores = run(sketches, texts);
    Map<Integer, TextScore> plain = run(withTokens(), texts);
    List<Text> reversed = new ArrayList<>(texts);
    Collections.reverse(reversed);
    Map<Integer, TextScore> others = run(sketches.withTokenBudget(60), reversed);
    double squares = 0;
    int tokens = 0;
    for (int n = 0; n < texts.size(); n++) {
      String id = texts.get(n).id();
      assertThat(tokens(plain.get(n)).sketches())
          .as("sketches of text \"%s\", which the options do not ask for", id)
          .isEmpty();
      assertClose("text \"%s\" with sketches".formatted(id), plain.get(n), scores.get(n));
      float[] own = tokens(scores.get(n)).sketches().orElseThrow();
      float[] other = tokens(others.get(texts.size() - 1 - n)).sketches().orElseThrow();
      assertThat(other).as("sketches of text \"%s\"", id).hasSameSizeAs(own);
      for (int t = 0; t < own.length; t++) {
        // Half the relative error of a probability in each root, added up in squares.
        assertThat((double) other[t])
            .as("sketch of token %d of text \"%s\" in another batch", t, id)
            .isCloseTo(own[t], within(3 * batchEffectPerToken()));
        squares += (double) own[t] * own[t];
      }
      tokens += own.length;
    }
    assertThat(squares / tokens)
        .as("mean square of %d sketches, whose variance is at most 2", tokens)
        .isCloseTo(1, within(6 * Math.sqrt(2.0 / tokens)));
  }

  private ContractTexts texts() {
    return new ContractTexts(alphabet(), contextLength());
  }

  private ScorerOptions withTokens() {
    return options().withTokenLogProbs(givesTokenLogProbs());
  }

  private ScorerOptions oneTextABatch() {
    return withTokens().withTokenBudget(1);
  }

  private void assumeTokens() {
    assumeTrue(givesTokenLogProbs(), "the scorer gives no token log-probabilities");
  }

  private int assumeContext() {
    assumeTrue(contextLength().isPresent(), "the model has no limit of context");
    return contextLength().getAsInt();
  }

  /** A text of whole units that the context does not hold. */
  private String overLong() {
    int context = contextLength().orElseThrow();
    String unit = texts().unit();
    try (LogLikelihoodScorer scorer = open(options().withOverLength(OverLengthPolicy.TRUNCATE))) {
      String text = unit.repeat(2);
      while (!isTruncated(scorer, text)) {
        assertThat(text.length())
            .as("characters of a text that is not truncated to a context of %d tokens", context)
            .isLessThan(1000 * context);
        text += text;
      }
      return text;
    }
  }

  /**
   * The longest beginning of {@link #overLong} that is not truncated, while one character more is.
   */
  private String longestThatFits() {
    String text = overLong();
    try (LogLikelihoodScorer scorer = open(options().withOverLength(OverLengthPolicy.TRUNCATE))) {
      int fits = 2;
      int tooLong = text.codePointCount(0, text.length());
      while (tooLong - fits > 1) {
        int middle = (fits + tooLong) / 2;
        if (isTruncated(scorer, text.substring(0, text.offsetByCodePoints(0, middle)))) {
          tooLong = middle;
        } else {
          fits = middle;
        }
      }
      return text.substring(0, text.offsetByCodePoints(0, fits));
    }
  }

  private static String beginning(String text, String shorter, int more) {
    return text.substring(0, text.offsetByCodePoints(shorter.length(), more));
  }

  private static boolean isTruncated(LogLikelihoodScorer scorer, String text) {
    return score(scorer, List.of(Text.of("t", text))).get(0).truncated();
  }

  private Map<Integer, TextScore> run(ScorerOptions options, List<Text> texts) {
    try (LogLikelihoodScorer scorer = open(options)) {
      return score(scorer, texts);
    }
  }

  private static Map<Integer, TextScore> score(LogLikelihoodScorer scorer, List<Text> texts) {
    ScoreRecorder recorder = new ScoreRecorder(texts);
    scorer.score(texts, recorder);
    Map<Integer, TextScore> scores = recorder.scores();
    assertThat(
            IntStream.range(0, texts.size())
                .filter(n -> !scores.containsKey(n))
                .mapToObj(n -> texts.get(n).id()))
        .as("texts that were wanted and not scored")
        .isEmpty();
    return scores;
  }

  private static TokenLogProbs tokens(TextScore score) {
    assertThat(score.tokenLogProbs())
        .as("token log-probabilities, which the options ask for")
        .isPresent();
    return score.tokenLogProbs().orElseThrow();
  }

  private static void assertWellFormed(Text text, TextScore score) {
    assertThat(score.logLikelihood())
        .as("log-likelihood of text \"%s\"", text.id())
        .isFinite()
        .isLessThanOrEqualTo(0);
    assertThat(score.scoredTokens()).as("scored tokens of text \"%s\"", text.id()).isPositive();
    assertThat(score.bytes())
        .as("UTF-8 bytes of the content of text \"%s\"", text.id())
        .isEqualTo(text.content().getBytes(StandardCharsets.UTF_8).length);
  }

  private static void assertTokens(Text text, TextScore score) {
    double[] logProbs = tokens(score).logProbs();
    assertThat(logProbs).as("tokens of text \"%s\"", text.id()).hasSize(score.scoredTokens());
    for (int t = 0; t < logProbs.length; t++) {
      assertThat(logProbs[t])
          .as("log-probability of token %d of text \"%s\"", t, text.id())
          .isFinite()
          .isLessThanOrEqualTo(0);
    }
    double sum = Arrays.stream(logProbs).sum();
    assertThat(score.logLikelihood())
        .as("log-likelihood of text \"%s\", the sum of its tokens'", text.id())
        .isCloseTo(sum, within(Tolerances.closedForm(sum)));
    int[] offsets = tokens(score).byteOffsets();
    for (int t = 0; t < offsets.length; t++) {
      assertThat(offsets[t])
          .as("byte at which token %d of text \"%s\" starts", t, text.id())
          .isBetween(t == 0 ? 0 : offsets[t - 1], text.bytes() - 1);
    }
  }

  /** The same text in another run of the same plan. */
  private void assertRepeated(String run, Text text, TextScore expected, TextScore actual) {
    String what = "text \"%s\" of a %s run".formatted(text.id(), run);
    if (isDeterministic()) {
      assertSameBits(what, expected, actual);
    } else {
      assertClose(what, expected, actual);
    }
  }

  private static void assertSameBits(String what, TextScore expected, TextScore actual) {
    assertThat(actual.logLikelihood())
        .as("log-likelihood of %s", what)
        .isEqualTo(expected.logLikelihood());
    assertThat(actual.tokenLogProbs().map(TokenLogProbs::logProbs).orElse(new double[0]))
        .as("token log-probabilities of %s", what)
        .isEqualTo(expected.tokenLogProbs().map(TokenLogProbs::logProbs).orElse(new double[0]));
  }

  private void assertClose(String what, TextScore expected, TextScore actual) {
    assertThat(actual.scoredTokens())
        .as("scored tokens of %s", what)
        .isEqualTo(expected.scoredTokens());
    assertThat(actual.logLikelihood())
        .as("log-likelihood of %s", what)
        .isCloseTo(
            expected.logLikelihood(), within(expected.scoredTokens() * batchEffectPerToken()));
    if (givesTokenLogProbs() && expected.tokenLogProbs().isPresent()) {
      assertThat(tokens(actual).logProbs())
          .as("token log-probabilities of %s", what)
          .containsExactly(tokens(expected).logProbs(), within(batchEffectPerToken()));
      assertThat(tokens(actual).byteOffsets())
          .as("byte offsets of %s", what)
          .isEqualTo(tokens(expected).byteOffsets());
    }
  }
}
