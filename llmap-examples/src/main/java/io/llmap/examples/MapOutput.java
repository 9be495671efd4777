package io.llmap.examples;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.llmap.LlmapException;
import io.llmap.ModelMap;
import io.llmap.distance.Bootstrap;
import io.llmap.distance.BootstrapSummary;
import io.llmap.distance.DistanceFiles;
import io.llmap.distance.KlEstimator;
import io.llmap.distance.KlUnit;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.MatrixFiles;
import io.llmap.score.Provenance;
import io.llmap.view.MapView;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Everything that a map consists of, as files in one folder. */
final class MapOutput {
  private static final int NEIGHBOURS = 10;
  private static final List<String> AXES = List.of("x", "y");

  private final ModelMap map;
  private final List<Provenance> runs;
  private final Optional<Path> matrixFile;
  private final MapView view;
  private final Optional<BootstrapSummary> intervals;

  private MapOutput(
      ModelMap map,
      List<Provenance> runs,
      Optional<Path> matrixFile,
      MapView view,
      Optional<BootstrapSummary> intervals) {
    this.map = map;
    this.runs = runs;
    this.matrixFile = matrixFile;
    this.view = view;
    this.intervals = intervals;
  }

  /**
   * Prepares the files of a map of stored scores.
   *
   * @param map the map
   * @param runs where its scores come from
   */
  static MapOutput ofRuns(ModelMap map, List<Provenance> runs) {
    return new MapOutput(map, runs, Optional.empty(), view(map), Optional.empty());
  }

  /**
   * Prepares the files of a map of a matrix that was made elsewhere.
   *
   * @param map the map
   * @param file where its matrix was read from
   */
  static MapOutput ofFile(ModelMap map, Path file) {
    return new MapOutput(map, List.of(), Optional.of(file), view(map), Optional.empty());
  }

  /** The models grouped by the first part of their names, where that puts any together. */
  private static MapView view(ModelMap map) {
    Map<String, String> families = new LinkedHashMap<>();
    for (String name : map.matrix().names()) {
      families.put(name, name.split("[-_./ ]", 2)[0]);
    }
    MapView view =
        MapView.of(map.embedding())
            .withTitle("%d language models".formatted(map.matrix().models()))
            .withCaption(caption(map));
    boolean telling = families.values().stream().distinct().count() < families.size();
    return telling ? view.withGroups(families) : view;
  }

  private static String caption(ModelMap map) {
    String drawn =
        "%s; distances √KL by %s, %d texts"
            .formatted(
                map.embedding().method(), map.distances().description(), map.matrix().texts());
    if (map.distances().estimator() != KlEstimator.TEXT_VARIANCE) {
      return drawn;
    }
    return String.format(
        Locale.ROOT,
        "%s, lowest %s %% clipped",
        drawn,
        Double.toString(100 * map.coordinates().clipping().quantile()).replaceFirst("\\.0$", ""));
  }

  /** The size of the map, for a terminal. */
  String summary() {
    return "%d models on %d texts".formatted(map.matrix().models(), map.matrix().texts());
  }

  /** Returns a copy with another picture. */
  MapOutput withView(UnaryOperator<MapView> change) {
    return new MapOutput(map, runs, matrixFile, change.apply(view), intervals);
  }

  /** Returns a copy whose tables have 95 % intervals and the stability of neighbours. */
  MapOutput withIntervals(Bootstrap bootstrap) {
    BootstrapSummary summary = bootstrap.summarize(0.95, NEIGHBOURS);
    return new MapOutput(map, runs, matrixFile, view, Optional.of(summary));
  }

  /**
   * Writes all files, each complete or not at all.
   *
   * @param folder created if it does not exist
   */
  void writeTo(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new LlmapException("cannot create the folder " + folder + ": " + e.getMessage(), e);
    }
    CenteredMatrix q = map.coordinates();
    double[][] coordinates = new double[q.models()][];
    for (int i = 0; i < coordinates.length; i++) {
      coordinates[i] = q.row(i);
    }
    String provenance = provenance();
    Map<String, double[][]> arrays = new LinkedHashMap<>();
    arrays.put("model_coordinates", coordinates);
    arrays.put("kl_nats_per_text", map.distances().in(KlUnit.NATS_PER_TEXT).toArray());
    arrays.put("kl_bits_per_byte", map.distances().in(KlUnit.BITS_PER_BYTE).toArray());
    arrays.put("map_points", map.embedding().toArray());
    MatrixFiles.writeNpz(folder.resolve("map.npz"), map.matrix(), arrays, provenance);
    MatrixFiles.writeCsv(folder.resolve("matrix.csv"), map.matrix());
    MatrixFiles.writeTable(
        folder.resolve("model-coordinates.csv"), q.names(), map.matrix().textIds(), coordinates);
    Path distances = folder.resolve("distances.csv");
    Path neighbours = folder.resolve("neighbours.csv");
    if (intervals.isPresent()) {
      DistanceFiles.writeCsv(distances, intervals.get());
      DistanceFiles.writeNeighboursCsv(neighbours, intervals.get());
    } else {
      DistanceFiles.writeCsv(distances, map.distances());
      DistanceFiles.writeNeighboursCsv(neighbours, map.distances(), NEIGHBOURS);
    }
    MatrixFiles.writeTable(
        folder.resolve("map.csv"), map.embedding().names(), AXES, map.embedding().toArray());
    writeProvenance(folder.resolve("provenance.json"), provenance);
    view.writeSvg(folder.resolve("map.svg"));
    view.writePng(folder.resolve("map.png"));
  }

  private static void writeProvenance(Path file, String json) {
    Path temporary = file.resolveSibling("provenance.json.tmp");
    try {
      Files.writeString(temporary, json);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new LlmapException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }

  /** What the numbers in the folder are, as JSON. */
  private String provenance() {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      String version = MapOutput.class.getPackage().getImplementationVersion();
      json.writeStringField("llmap", version == null ? "unpackaged" : version);
      json.writeNumberField("models", map.matrix().models());
      json.writeNumberField("texts", map.matrix().texts());
      json.writeNumberField("mean-bytes-per-text", map.matrix().meanBytes());
      json.writeNumberField("clip-quantile", map.coordinates().clipping().quantile());
      json.writeStringField(
          "clip-threshold-nats", Double.toString(map.coordinates().clipping().threshold()));
      json.writeStringField("kl-estimator", map.distances().description());
      json.writeStringField("map-method", map.embedding().method());
      if (matrixFile.isPresent()) {
        json.writeStringField("matrix-file", matrixFile.get().toString());
        json.writeStringField("matrix-file-sha256", sha256(matrixFile.get()));
      }
      json.writeArrayFieldStart("runs");
      for (Provenance run : runs) {
        json.writeRawValue(run.toJson());
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new LlmapException("cannot describe the map: " + e.getMessage(), e);
    }
    return out + "\n";
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
