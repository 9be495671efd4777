package io.llmap.testing;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.OverLengthPolicy;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import io.llmap.score.ScoringListener;
import io.llmap.score.TextScore;
import io.llmap.score.TokenLogProbs;
import io.llmap.score.spi.BatchingScorer;
import io.llmap.text.Text;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A sound scorer with one fault at a time: the contract finds each. */
class LogLikelihoodScorerContractTest {
  private static final int CONTEXT = 48;

  @ParameterizedTest
  @EnumSource
  void theContractFinds(Fault fault) {
    assertThatThrownBy(() -> fault.test.run(new Proved(fault.scorer)))
        .isInstanceOf(AssertionError.class);
  }

  private interface ContractTest {
    void run(LogLikelihoodScorerContract contract) throws Exception;
  }

  private enum Fault {
    TEXT_LEFT_OUT(
        LogLikelihoodScorerContract::everyTextIsScoredOnceWithALogLikelihoodAtMostZeroAndItsBytes,
        listening(
            listener ->
                new Passing(listener) {
                  @Override
                  public void scored(int index, TextScore score) {
                    if (index != 3) {
                      super.scored(index, score);
                    }
                  }
                })),
    TEXT_TWICE(
        LogLikelihoodScorerContract::everyTextIsScoredOnceWithALogLikelihoodAtMostZeroAndItsBytes,
        listening(
            listener ->
                new Passing(listener) {
                  @Override
                  public void scored(int index, TextScore score) {
                    super.scored(index, score);
                    super.scored(index, score);
                  }
                })),
    ANOTHER_TEXTS_INDEX(
        LogLikelihoodScorerContract::everyTextIsScoredOnceWithALogLikelihoodAtMostZeroAndItsBytes,
        listening(
            listener ->
                new Passing(listener) {
                  @Override
                  public void scored(int index, TextScore score) {
                    super.scored(index ^ 1, score);
                  }
                })),
    LIKELIHOOD_IN_PLACE_OF_ITS_LOGARITHM(
        LogLikelihoodScorerContract::everyTextIsScoredOnceWithALogLikelihoodAtMostZeroAndItsBytes,
        scoring((n, s) -> changed(s, Math.exp(s.logLikelihood()), s.tokenLogProbs()))),
    WRONG_BYTES(
        LogLikelihoodScorerContract::everyTextIsScoredOnceWithALogLikelihoodAtMostZeroAndItsBytes,
        scoring((n, s) -> TextScore.of(s.logLikelihood(), s.scoredTokens(), s.bytes() + 1))),
    TOKENS_THAT_DO_NOT_ADD_UP(
        LogLikelihoodScorerContract::tokensAddUpAndStartAtTheContentsBytesInOrder,
        scoring((n, s) -> changed(s, s.logLikelihood() - 1e-6, s.tokenLogProbs()))),
    OFFSETS_BY_ONE(
        LogLikelihoodScorerContract::tokensAddUpAndStartAtTheContentsBytesInOrder,
        scoring(
            (n, s) ->
                changed(
                    s,
                    s.logLikelihood(),
                    s.tokenLogProbs()
                        .map(
                            t ->
                                new TokenLogProbs(
                                    t.logProbs(),
                                    Arrays.stream(t.byteOffsets()).map(o -> o + 1).toArray()))))),
    TOKENS_UNASKED_FOR(
        LogLikelihoodScorerContract::tokensAddUpAndStartAtTheContentsBytesInOrder,
        options -> sound(options.withTokenLogProbs(true))),
    NO_TOKENS(
        LogLikelihoodScorerContract::tokensAddUpAndStartAtTheContentsBytesInOrder,
        options -> sound(options.withTokenLogProbs(false))),
    UNWANTED_TEXTS(
        LogLikelihoodScorerContract::aResumedRunGivesTheSameScores,
        listening(
            listener ->
                new Passing(listener) {
                  @Override
                  public boolean wants(int index) {
                    return true;
                  }
                })),
    SCORE_THAT_DEPENDS_ON_THE_ORDER(
        LogLikelihoodScorerContract::orderBatchAndCompanyDoNotMatter,
        scoring((n, s) -> changed(s, s.logLikelihood() - 0.01 * n, s.tokenLogProbs()))),
    SCORE_THAT_DEPENDS_ON_THE_BUDGET(
        LogLikelihoodScorerContract::orderBatchAndCompanyDoNotMatter,
        options ->
            new Wrapped(
                sound(options),
                scores((n, s) -> plus(s, -1e-3 * Math.log(options.tokenBudget()))))),
    BIT_THAT_DEPENDS_ON_THREADS(
        LogLikelihoodScorerContract::theNumberOfThreadsChangesNoBit,
        options ->
            new Wrapped(sound(options), scores((n, s) -> plus(s, -0x1p-40 * options.threads())))),
    SUM_OF_NO_TOKENS(
        LogLikelihoodScorerContract::aScoreOfNoTokensIsNotHandedOver,
        options ->
            new Wrapped(sound(options), listener -> listener) {
              @Override
              public void score(List<Text> texts, ScoringListener listener) {
                if (options.prefix() == PrefixPolicy.NONE) {
                  listener.scored(0, TextScore.of(0, 0, 1));
                } else {
                  super.score(texts, listener);
                }
              }
            }),
    PROMPT_IGNORED(
        LogLikelihoodScorerContract::contentAfterAPromptIsWorthTheWholeLessThePrompt,
        texts(text -> Text.of(text.id(), text.content()))),
    PROMPT_SCORED(
        LogLikelihoodScorerContract::contentAfterAPromptIsWorthTheWholeLessThePrompt,
        texts(text -> Text.of(text.id(), text.prompt() + text.content()))),
    LONG_TEXT_ACCEPTED(
        LogLikelihoodScorerContract::aTextThatDoesNotFitIsRefusedByNameAndLength,
        options -> sound(options.withOverLength(OverLengthPolicy.TRUNCATE))),
    ERROR_WITHOUT_A_NAME(
        LogLikelihoodScorerContract::aTextThatDoesNotFitIsRefusedByNameAndLength,
        options ->
            new Wrapped(sound(options), listener -> listener) {
              @Override
              public void score(List<Text> texts, ScoringListener listener) {
                try {
                  super.score(texts, listener);
                } catch (ScoringException e) {
                  throw new ScoringException("a text is 49 tokens long, and the context is 48", e);
                }
              }
            }),
    CUT_UNSAID(
        LogLikelihoodScorerContract::aTextThatIsCutSaysSo,
        scoring((n, s) -> changed(s, s.logLikelihood(), s.tokenLogProbs()))),
    LONG_TEXT_CUT_IN_PLACE_OF_WINDOWS(
        LogLikelihoodScorerContract::rollingWindowsScoreEveryTokenOnce,
        options ->
            sound(
                options.overLength().isRolling()
                    ? options.withOverLength(OverLengthPolicy.TRUNCATE)
                    : options)),
    ANOTHER_STRIDE(
        LogLikelihoodScorerContract::rollingWindowsScoreEveryTokenOnce,
        options ->
            sound(
                options.overLength().isRolling()
                    ? options.withOverLength(OverLengthPolicy.rolling(3))
                    : options)),
    DEAF_TO_THE_LISTENER(
        LogLikelihoodScorerContract::aListenerEndsARunAndAnotherRunGoesOn,
        listening(
            listener ->
                new Passing(listener) {
                  @Override
                  public boolean cancelled() {
                    return false;
                  }
                })),
    EXCEPTIONS_SWALLOWED(
        LogLikelihoodScorerContract::anExceptionOfTheListenerReachesTheCaller,
        options ->
            new Wrapped(sound(options), listener -> listener) {
              @Override
              public void score(List<Text> texts, ScoringListener listener) {
                try {
                  super.score(texts, listener);
                } catch (IllegalStateException e) {
                  // The fault.
                }
              }
            }),
    DEAF_TO_INTERRUPTS(
        LogLikelihoodScorerContract::anInterruptEndsARunAndIsKept,
        listening(
            listener ->
                new Passing(listener) {
                  @Override
                  public void scored(int index, TextScore score) {
                    super.scored(index, score);
                    Thread.interrupted();
                  }
                })),
    SCORES_AFTER_CLOSE(
        LogLikelihoodScorerContract::closingTwiceIsNoErrorAndScoringAfterwardsIs,
        options ->
            new Wrapped(sound(options), listener -> listener) {
              @Override
              public void close() {}
            }),
    DEAF_TO_CLOSE(
        LogLikelihoodScorerContract::closingFromAnotherThreadEndsARun,
        options ->
            new Wrapped(sound(options), listener -> listener) {
              @Override
              public void close() {}
            }),
    ANOTHER_SOURCE_EACH_TIME(
        LogLikelihoodScorerContract::theSourceIsTheSameBeforeAndAfterARunAndInAnotherOpening,
        options ->
            new Wrapped(sound(options), listener -> listener) {
              @Override
              public ModelSource source() {
                return new ModelSource("history", "memory", "" + hashCode(), "test");
              }
            }),
    SKETCHES_OF_ANOTHER_SCALE(
        LogLikelihoodScorerContract::sketchesHaveUnitMeanSquareAndAreTheTextsOwn,
        scoring((n, s) -> changed(s, s.logLikelihood(), s.tokenLogProbs().map(Fault::doubled))));

    final ContractTest test;
    final Function<ScorerOptions, LogLikelihoodScorer> scorer;

    Fault(ContractTest test, Function<ScorerOptions, LogLikelihoodScorer> scorer) {
      this.test = test;
      this.scorer = scorer;
    }

    private static LogLikelihoodScorer sound(ScorerOptions options) {
      return new BatchingScorer(
          new ModelSource("history", "memory", "f00d", "test"),
          new BigramLm.Letters(OptionalInt.of(BigramLm.BOS), OptionalInt.empty()),
          new HistoryLm(Integer.MAX_VALUE, CONTEXT),
          options);
    }

    private static Function<ScorerOptions, LogLikelihoodScorer> listening(
        UnaryOperator<ScoringListener> change) {
      return options -> new Wrapped(sound(options), change);
    }

    private static Function<ScorerOptions, LogLikelihoodScorer> scoring(ScoreChange change) {
      return listening(scores(change));
    }

    private static UnaryOperator<ScoringListener> scores(ScoreChange change) {
      return listener ->
          new Passing(listener) {
            @Override
            public void scored(int index, TextScore score) {
              super.scored(index, change.of(index, score));
            }
          };
    }

    private static Function<ScorerOptions, LogLikelihoodScorer> texts(UnaryOperator<Text> change) {
      return options ->
          new Wrapped(sound(options), listener -> listener) {
            @Override
            public void score(List<Text> texts, ScoringListener listener) {
              super.score(texts.stream().map(change).toList(), listener);
            }
          };
    }

    private static TextScore plus(TextScore score, double more) {
      return changed(score, score.logLikelihood() + more, score.tokenLogProbs());
    }

    /** Without a word of truncation. */
    private static TextScore changed(
        TextScore score, double logLikelihood, Optional<TokenLogProbs> tokens) {
      return new TextScore(
          logLikelihood, score.scoredTokens(), score.bytes(), false, score.windows(), tokens);
    }

    private static TokenLogProbs doubled(TokenLogProbs tokens) {
      return new TokenLogProbs(
          tokens.logProbs(),
          tokens.byteOffsets(),
          tokens
              .sketches()
              .map(
                  own -> {
                    float[] twice = own.clone();
                    for (int t = 0; t < twice.length; t++) {
                      twice[t] *= 2;
                    }
                    return twice;
                  }));
    }
  }

  private interface ScoreChange {
    TextScore of(int index, TextScore score);
  }

  private static class Passing implements ScoringListener {
    private final ScoringListener listener;

    Passing(ScoringListener listener) {
      this.listener = listener;
    }

    @Override
    public boolean wants(int index) {
      return listener.wants(index);
    }

    @Override
    public void scored(int index, TextScore score) {
      listener.scored(index, score);
    }

    @Override
    public boolean cancelled() {
      return listener.cancelled();
    }
  }

  private static class Wrapped implements LogLikelihoodScorer {
    private final LogLikelihoodScorer scorer;
    private final UnaryOperator<ScoringListener> change;

    Wrapped(LogLikelihoodScorer scorer, UnaryOperator<ScoringListener> change) {
      this.scorer = scorer;
      this.change = change;
    }

    @Override
    public ModelSource source() {
      return scorer.source();
    }

    @Override
    public void score(List<Text> texts, ScoringListener listener) {
      scorer.score(texts, change.apply(listener));
    }

    @Override
    public void close() {
      scorer.close();
    }
  }

  private static final class Proved extends LogLikelihoodScorerContract {
    private final Function<ScorerOptions, LogLikelihoodScorer> scorer;

    Proved(Function<ScorerOptions, LogLikelihoodScorer> scorer) {
      this.scorer = scorer;
    }

    @Override
    protected LogLikelihoodScorer open(ScorerOptions options) {
      return scorer.apply(options);
    }

    @Override
    protected OptionalInt contextLength() {
      return OptionalInt.of(CONTEXT);
    }

    @Override
    protected Optional<String> alphabet() {
      return Optional.of("abcdefghijklmnopqrstuvwxyz");
    }
  }
}
