package io.llmap.score;

import io.llmap.LlmapException.BackendUnavailableException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** Finds the {@link ScorerProvider}s on the class path and opens models through them. */
public final class Scorers {
  private Scorers() {}

  /**
   * Every provider on the class path, whether it can run here or not.
   *
   * @return the providers, sorted by name
   */
  public static List<ScorerProvider> providers() {
    List<ScorerProvider> providers = new ArrayList<>();
    ServiceLoader.load(ScorerProvider.class).forEach(providers::add);
    providers.sort(Comparator.comparing(ScorerProvider::name));
    return providers;
  }

  /**
   * Finds the provider of a name.
   *
   * @param name such as {@code onnx}
   * @return the provider, which can run here
   * @throws BackendUnavailableException if it is unknown or cannot run here, with the list of those
   *     that there are
   */
  public static ScorerProvider provider(String name) {
    for (ScorerProvider provider : providers()) {
      if (provider.name().equals(name)) {
        Availability availability = provider.availability();
        if (!availability.available()) {
          throw new BackendUnavailableException(
              "the provider \"" + name + "\" cannot run: " + availability.detail());
        }
        return provider;
      }
    }
    throw new BackendUnavailableException(
        "there is no provider \"%s\" on the class path; there are: %s"
            .formatted(name, describe(providers())));
  }

  /**
   * Opens a model through the provider that its specification names.
   *
   * @param spec the model
   * @param options how texts are scored
   * @return a scorer, to be closed by the caller
   * @throws BackendUnavailableException if the provider is unknown or cannot run here, or the model
   *     cannot be opened
   */
  public static LogLikelihoodScorer open(ModelSpec spec, ScorerOptions options) {
    return provider(spec.provider()).open(spec, options);
  }

  private static String describe(List<ScorerProvider> providers) {
    if (providers.isEmpty()) {
      return "none (add a backend such as llmap-backend-onnx)";
    }
    return providers.stream()
        .map(
            p ->
                p.name()
                    + (p.availability().available()
                        ? ""
                        : " (not available: " + p.availability().detail() + ")"))
        .collect(Collectors.joining(", "));
  }
}
