package io.llmap.score;

/**
 * Opens models of one kind; found by {@link java.util.ServiceLoader} from {@code
 * META-INF/services/io.llmap.score.ScorerProvider}.
 */
public interface ScorerProvider {
  /**
   * The name in front of the colon of a model specification.
   *
   * @return lower case, such as {@code onnx}
   */
  String name();

  /**
   * Says whether this provider can run here, without loading a model.
   *
   * @return the version, or what is missing
   */
  Availability availability();

  /**
   * Says which model a specification names, without loading it: the identity that a scorer opened
   * with the same arguments has. It is how a run finds out that a model's scores are stored
   * already.
   *
   * @param spec the model; its provider is this one's name
   * @param options how texts are scored
   * @return the model's identity; the cost is reading its files
   * @throws io.llmap.LlmapException.BackendUnavailableException if a file of the model is missing
   *     or unreadable
   */
  ModelSource identify(ModelSpec spec, ScorerOptions options);

  /**
   * Opens a model.
   *
   * @param spec the model; its provider is this one's name
   * @param options how texts are scored
   * @return a scorer, to be closed by the caller
   * @throws io.llmap.LlmapException.BackendUnavailableException if the provider, the device or a
   *     file of the model is missing or unreadable
   */
  LogLikelihoodScorer open(ModelSpec spec, ScorerOptions options);
}
