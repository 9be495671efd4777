package io.llmap.examples;

import io.llmap.LlmapException;
import io.llmap.ModelMap;
import io.llmap.distance.Bootstrap;
import io.llmap.distance.KlDistances;
import io.llmap.distance.KlEstimator;
import io.llmap.distance.SegmentMatrix;
import io.llmap.distance.SegmentMatrixBuilder;
import io.llmap.distance.SketchMatrix;
import io.llmap.distance.SketchMatrixBuilder;
import io.llmap.embed.ClassicalMds;
import io.llmap.embed.EmbeddingMethod;
import io.llmap.embed.Tsne;
import io.llmap.embed.Umap;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixFiles;
import io.llmap.score.Provenance;
import io.llmap.score.ScoreStore;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llmap map}: from scores, or from a matrix made elsewhere, to distances and a picture. */
@Command(
    name = "map",
    description =
        "Computes distances and a map from a store, or from a matrix file, and writes tables and"
            + " pictures.")
final class MapCommand implements Callable<Integer> {
  /** How points are placed. */
  enum Method {
    TSNE("tsne"),
    UMAP("umap"),
    PCA("pca");

    private final String label;

    Method(String label) {
      this.label = label;
    }

    @Override
    public String toString() {
      return label;
    }
  }

  /** Reads a method's label. */
  static final class MethodConverter implements ITypeConverter<Method> {
    @Override
    public Method convert(String value) {
      return Labels.find(Method.values(), value);
    }
  }

  /** Reads an estimator's label. */
  static final class EstimatorConverter implements ITypeConverter<KlEstimator> {
    @Override
    public KlEstimator convert(String value) {
      return Labels.find(KlEstimator.values(), value);
    }
  }

  /** Exactly one of the two. */
  static final class Input {
    @Option(
        names = "--store",
        required = true,
        paramLabel = "DIR",
        description = "A store that 'llmap score' filled.")
    private @Nullable Path store;

    @Option(
        names = "--matrix",
        required = true,
        paramLabel = "FILE",
        description =
            "Log-likelihoods, models × texts: .npz or .csv, as this command writes them, or .npy.")
    private @Nullable Path matrix;
  }

  @Spec private CommandSpec spec;

  @ArgGroup(multiplicity = "1")
  private Input input;

  @Option(
      names = "--names",
      paramLabel = "FILE",
      description = "With a .npy matrix: the models' names, one a line.")
  private @Nullable Path names;

  @Option(
      names = "--bytes",
      paramLabel = "FILE",
      description = "With a .npy matrix: the texts' lengths in UTF-8 bytes, .npy or one a line.")
  private @Nullable Path bytes;

  @Option(
      names = "--method",
      defaultValue = "tsne",
      paramLabel = "NAME",
      converter = MethodConverter.class,
      description = "tsne, umap or pca (default: ${DEFAULT-VALUE}).")
  private Method method;

  @Option(
      names = "--estimator",
      defaultValue = "text-variance",
      paramLabel = "NAME",
      converter = EstimatorConverter.class,
      description =
          "How KL is estimated: text-variance, the paper's; sketch, which has the right size for"
              + " models of one tokenizer and needs a store filled with --sketches; or segments, which"
              + " has it for near models on texts that both know, of any tokenizers, and needs one"
              + " filled with --token-log-probs. Both need --texts (default: ${DEFAULT-VALUE}).")
  private KlEstimator estimator;

  @Option(
      names = "--texts",
      paramLabel = "FILE",
      description = "With --estimator segments or sketch: the texts that were scored.")
  private @Nullable Path texts;

  @Option(
      names = "--bootstrap",
      paramLabel = "R",
      description =
          "Resample the texts R times and write 95 %% intervals of the distances, and how stable"
              + " neighbours are, with the tables.")
  private @Nullable Integer replicates;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Start t-SNE from random points instead of from classical MDS; seed UMAP and the"
              + " bootstrap with N instead of 1.")
  private @Nullable Long seed;

  @Option(
      names = "--clip",
      defaultValue = "0.02",
      paramLabel = "Q",
      description =
          "Raise the lowest fraction Q of all log-likelihoods to their quantile (default:"
              + " ${DEFAULT-VALUE}; 0 for none).")
  private double clip;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Where files are written.")
  private Path out;

  @Override
  public Integer call() {
    if (!(clip >= 0 && clip < 1)) {
      throw new ParameterException(
          spec.commandLine(), "--clip is a fraction from 0 up to, not including, 1; got " + clip);
    }
    if (seed != null && method == Method.PCA && replicates == null) {
      throw new ParameterException(
          spec.commandLine(), "--seed is for tsne, umap and --bootstrap; pca has nothing random");
    }
    if (replicates != null && replicates < 2) {
      throw new ParameterException(
          spec.commandLine(), "--bootstrap needs at least 2 replicates, got " + replicates);
    }
    boolean byTokens = estimator != KlEstimator.TEXT_VARIANCE;
    if (byTokens && (input.store == null || texts == null)) {
      throw new ParameterException(
          spec.commandLine(),
          "--estimator %s needs %s and their texts: --store DIR and --texts FILE"
              .formatted(
                  estimator,
                  estimator == KlEstimator.SKETCH ? "sketches" : "token log-probabilities"));
    }
    if (!byTokens && texts != null) {
      throw new ParameterException(
          spec.commandLine(), "--texts is for --estimator segments or sketch");
    }
    MapOutput output;
    if (input.store != null) {
      ScoreStore store = ScoreStore.at(input.store);
      List<Provenance> runs = store.runs();
      if (runs.isEmpty()) {
        throw new LlmapException(input.store + " holds no scores; fill it with 'llmap score'");
      }
      output = ofStore(store, runs);
    } else {
      Path file = Objects.requireNonNull(input.matrix);
      ModelMap map = builder(readMatrix(file, spec.commandLine())).build();
      output = withIntervals(MapOutput.ofFile(map, file), textBootstrap(map));
    }
    output.writeTo(out);
    PrintWriter console = spec.commandLine().getOut();
    console.printf("%s; files are in %s%n", output.summary(), out.toAbsolutePath().normalize());
    console.flush();
    return 0;
  }

  private MapOutput ofStore(ScoreStore store, List<Provenance> runs) {
    ModelMap.Builder builder = builder(store.matrix(runs));
    if (texts == null) {
      ModelMap map = builder.build();
      return withIntervals(MapOutput.ofRuns(map, runs), textBootstrap(map));
    }
    TextSet textSet = TextSet.readJsonl(texts);
    if (estimator == KlEstimator.SKETCH) {
      SketchMatrixBuilder sketches = SketchMatrix.builder(textSet);
      runs.forEach(run -> sketches.add(store, run));
      SketchMatrix matrix = sketches.build();
      ModelMap map = builder.distances(KlDistances.of(matrix)).build();
      return withIntervals(MapOutput.ofRuns(map, runs), r -> Bootstrap.of(matrix, r, seedOrOne()));
    }
    SegmentMatrixBuilder segments = SegmentMatrix.builder(textSet);
    runs.forEach(run -> segments.add(store, run));
    SegmentMatrix matrix = segments.build();
    ModelMap map = builder.distances(KlDistances.of(matrix)).build();
    return withIntervals(MapOutput.ofRuns(map, runs), r -> Bootstrap.of(matrix, r, seedOrOne()));
  }

  private IntFunction<Bootstrap> textBootstrap(ModelMap map) {
    return r -> Bootstrap.of(map.coordinates(), r, seedOrOne());
  }

  private MapOutput withIntervals(MapOutput output, IntFunction<Bootstrap> bootstrap) {
    return replicates == null ? output : output.withIntervals(bootstrap.apply(replicates));
  }

  private long seedOrOne() {
    return seed == null ? 1 : seed;
  }

  private ModelMap.Builder builder(LogLikelihoodMatrix matrix) {
    return ModelMap.builder(matrix).clip(clip).embedding(embeddingMethod());
  }

  private LogLikelihoodMatrix readMatrix(Path file, CommandLine command) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    boolean npy = name.endsWith(".npy");
    if (!npy && (names != null || bytes != null)) {
      throw new ParameterException(
          command, "--names and --bytes are for a .npy matrix; " + file + " has its own");
    }
    if (name.endsWith(".npz")) {
      return MatrixFiles.readNpz(file);
    }
    if (name.endsWith(".csv")) {
      return MatrixFiles.readCsv(file);
    }
    if (!npy) {
      throw new ParameterException(
          command, "--matrix takes a .npy, .npz or .csv file, got " + file);
    }
    if (names == null || bytes == null) {
      throw new ParameterException(
          command, "a .npy matrix holds numbers alone: add --names FILE and --bytes FILE");
    }
    double[][] values = MatrixFiles.readNpy(file);
    int[] lengths = readLengths(bytes);
    List<String> ids = IntStream.range(0, lengths.length).mapToObj(Integer::toString).toList();
    return LogLikelihoodMatrix.of(readLines(names), ids, lengths, values);
  }

  private static int[] readLengths(Path file) {
    if (file.toString().endsWith(".npy")) {
      return Arrays.stream(MatrixFiles.readNpyVector(file)).mapToInt(b -> (int) b).toArray();
    }
    try {
      return readLines(file).stream().mapToInt(line -> Integer.parseInt(line.strip())).toArray();
    } catch (NumberFormatException e) {
      throw new LlmapException(
          file + " must hold one length in bytes a line: " + e.getMessage(), e);
    }
  }

  private static List<String> readLines(Path file) {
    try {
      return Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new LlmapException("cannot read " + file + ": " + e, e);
    }
  }

  private EmbeddingMethod embeddingMethod() {
    return switch (method) {
      case TSNE -> seed == null ? Tsne.defaults() : Tsne.defaults().withRandomStart(seed);
      case UMAP -> Umap.defaults().withSeed(seedOrOne());
      // The scores of a PCA of Q are the classical MDS of Q's Euclidean distances.
      case PCA -> new ClassicalMds(2);
    };
  }
}
