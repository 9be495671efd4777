package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.text.Text;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Providers are put on the class path of one test by its thread's class loader. */
class ScorersTest {
  @TempDir Path folder;

  private final ClassLoader before = Thread.currentThread().getContextClassLoader();

  @AfterEach
  void restore() {
    Thread.currentThread().setContextClassLoader(before);
  }

  public static final class Working implements ScorerProvider {
    @Override
    public String name() {
      return "working";
    }

    @Override
    public Availability availability() {
      return Availability.yes("1.0");
    }

    @Override
    public ModelSource identify(ModelSpec spec, ScorerOptions options) {
      return new ModelSource(spec.name(), spec.path().toString(), "f", options.device());
    }

    @Override
    public LogLikelihoodScorer open(ModelSpec spec, ScorerOptions options) {
      return new Opened(identify(spec, options));
    }
  }

  private record Opened(ModelSource source) implements LogLikelihoodScorer {
    @Override
    public void score(List<Text> texts, ScoringListener listener) {}
  }

  public static final class Broken implements ScorerProvider {
    @Override
    public String name() {
      return "broken";
    }

    @Override
    public Availability availability() {
      return Availability.no("libmagic.so is missing; install libmagic");
    }

    @Override
    public ModelSource identify(ModelSpec spec, ScorerOptions options) {
      throw new AssertionError("a provider that cannot run was asked");
    }

    @Override
    public LogLikelihoodScorer open(ModelSpec spec, ScorerOptions options) {
      throw new AssertionError("a provider that cannot run was opened");
    }
  }

  private void provide(Class<?>... providers) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.write(
        services.resolve(ScorerProvider.class.getName()),
        List.of(providers).stream().map(Class::getName).toList());
    Thread.currentThread().setContextClassLoader(loader());
  }

  private URLClassLoader loader() throws MalformedURLException {
    return new URLClassLoader(new URL[] {folder.toUri().toURL()}, before);
  }

  @Test
  void providersAreSortedByNameWhetherTheyCanRunOrNot() throws IOException {
    provide(Working.class, Broken.class);

    assertThat(Scorers.providers())
        .extracting(ScorerProvider::name)
        .containsExactly("broken", "working");
  }

  @Test
  void theNamedProviderOpensTheModelWithTheOptions() throws IOException {
    provide(Broken.class, Working.class);

    try (LogLikelihoodScorer scorer =
        Scorers.open(
            ModelSpec.parse("working:some/path#label"),
            ScorerOptions.defaults().withDevice("npu"))) {
      assertThat(scorer.source())
          .isEqualTo(new ModelSource("label", Path.of("some/path").toString(), "f", "npu"));
    }
  }

  @Test
  void anUnknownProviderIsAnsweredWithThoseThatThereAre() throws IOException {
    provide(Working.class, Broken.class);

    assertThatThrownBy(() -> Scorers.open(ModelSpec.parse("onxx:gpt2"), ScorerOptions.defaults()))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage(
            "there is no provider \"onxx\" on the class path; there are: broken (not available:"
                + " libmagic.so is missing; install libmagic), working");
  }

  @Test
  void withoutAnyProviderTheErrorSaysWhatToAdd() {
    assertThatThrownBy(() -> Scorers.open(ModelSpec.parse("onnx:gpt2"), ScorerOptions.defaults()))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage(
            "there is no provider \"onnx\" on the class path; there are: none (add a backend such"
                + " as llmap-backend-onnx)");
  }

  @Test
  void aProviderThatCannotRunIsNotOpened() throws IOException {
    provide(Working.class, Broken.class);

    assertThatThrownBy(() -> Scorers.open(ModelSpec.parse("broken:gpt2"), ScorerOptions.defaults()))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("the provider \"broken\" cannot run: libmagic.so is missing; install libmagic");
  }
}
