package io.llmap.examples;

import io.llmap.score.OverLengthPolicy;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.ScorerOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** The options of {@code llmap score} that decide how texts are scored. */
final class ScoringSettings {
  @Option(
      names = "--preset",
      paramLabel = "NAME",
      converter = PresetConverter.class,
      description =
          "Start from a named setting: model-map-paper is --prefix tokenizer --over-length truncate.")
  private @Nullable ScorerOptions preset;

  @Option(
      names = "--prefix",
      paramLabel = "POLICY",
      converter = PrefixConverter.class,
      description =
          "What stands before a text: document-start (BOS, else EOS; every token is scored; the"
              + " default), tokenizer (its own special tokens, the first token unscored) or none.")
  private @Nullable PrefixPolicy prefix;

  @Option(
      names = "--over-length",
      paramLabel = "POLICY",
      converter = OverLengthConverter.class,
      description =
          "A text longer than the model's context, prompt included: fail (the default), truncate"
              + " (flagged in its row) or rolling (in several windows, every token scored once; their"
              + " number is in its row).")
  private @Nullable OverLengthPolicy overLength;

  @Option(
      names = "--stride",
      paramLabel = "N",
      description =
          "With --over-length rolling: how many tokens each window after the first scores (default:"
              + " half of the model's context). Fewer give tokens more to go by and take longer.")
  private @Nullable Integer stride;

  @Option(
      names = "--token-log-probs",
      description = "Store the log-probability and byte offset of every token.")
  private boolean tokenLogProbs;

  @Option(
      names = "--sketches",
      description =
          "Store a sketch of the whole distribution over every token, one number, and with it what"
              + " --token-log-probs does: for 'llmap map --estimator sketch'.")
  private boolean sketches;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of a model (default: one a processor).")
  private @Nullable Integer threads;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description =
          "Where models run: cpu (the default), or cuda:0 with ONNX Runtime's GPU build on the class"
              + " path.")
  private @Nullable String device;

  ScorerOptions toOptions(CommandLine command) {
    ScorerOptions options = preset == null ? ScorerOptions.defaults() : preset;
    if (prefix != null) {
      options = options.withPrefix(prefix);
    }
    if (overLength != null) {
      options = options.withOverLength(overLength);
    }
    if (stride != null) {
      if (stride < 1 || !options.overLength().isRolling()) {
        throw new ParameterException(
            command,
            "--stride must be at least 1, with --over-length rolling; got --stride %d, --over-length %s"
                .formatted(stride, options.overLength()));
      }
      options = options.withOverLength(OverLengthPolicy.rolling(stride));
    }
    if (threads != null) {
      if (threads < 1) {
        throw new ParameterException(command, "--threads must be at least 1, got " + threads);
      }
      options = options.withThreads(threads);
    }
    if (device != null) {
      if (device.isBlank()) {
        throw new ParameterException(command, "--device must not be blank; leave it out for cpu");
      }
      options = options.withDevice(device);
    }
    options = options.withTokenLogProbs(tokenLogProbs);
    return sketches ? options.withSketches(true) : options;
  }

  static final class PrefixConverter implements ITypeConverter<PrefixPolicy> {
    @Override
    public PrefixPolicy convert(String value) {
      return Labels.find(PrefixPolicy.values(), value);
    }
  }

  static final class OverLengthConverter implements ITypeConverter<OverLengthPolicy> {
    @Override
    public OverLengthPolicy convert(String value) {
      return Labels.find(
          new OverLengthPolicy[] {
            OverLengthPolicy.FAIL, OverLengthPolicy.TRUNCATE, OverLengthPolicy.ROLLING
          },
          value);
    }
  }

  static final class PresetConverter implements ITypeConverter<ScorerOptions> {
    @Override
    public ScorerOptions convert(String value) {
      if (value.equals("model-map-paper")) {
        return ScorerOptions.modelMapPaper();
      }
      throw new TypeConversionException("\"" + value + "\" is none of [model-map-paper]");
    }
  }
}
