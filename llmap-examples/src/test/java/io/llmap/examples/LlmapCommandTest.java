package io.llmap.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code llmap score}, {@code map} and {@code models}, as a user calls them, clumsy ones included.
 */
class LlmapCommandTest {
  private static final String SMALL = "gpt2-general-small";
  private static final String OTHER = "llama-legal-small";

  @TempDir private static Path shared;
  private static Path zoo;

  @TempDir private Path folder;

  @BeforeAll
  static void unpack() {
    zoo = shared.resolve("zoo with a space");
    Zoo.load().extract(zoo);
  }

  @Test
  void scoreThenMapWritesEveryFile() throws IOException {
    Path texts = texts("{\"id\":\"a\",\"text\":\"The whale.\"}", "{\"text\":\"Call me\"}");
    Path store = folder.resolve("store");
    Command score =
        Command.run(
            "score",
            "--model",
            spec(SMALL),
            "--model",
            spec(OTHER) + "#renamed",
            "--texts",
            texts,
            "--store",
            store,
            "--token-log-probs",
            "--threads",
            "2");
    assertThat(score.exit()).as(score.err()).isZero();
    assertThat(score.out()).contains("2 models on 2 texts: 4 scores computed, 0 were in the store");
    assertThat(files(store)).filteredOn(file -> file.endsWith("scores.jsonl")).hasSize(2);

    Path out = folder.resolve("a new/folder");
    Command map = Command.run("map", "--store", store, "--method", "pca", "--out", out);
    assertThat(map.exit()).as(map.err()).isZero();
    assertThat(files(out))
        .containsExactlyInAnyOrder(
            "distances.csv",
            "map.csv",
            "map.npz",
            "map.png",
            "map.svg",
            "matrix.csv",
            "model-coordinates.csv",
            "neighbours.csv",
            "provenance.json");
    assertThat(out.resolve("provenance.json"))
        .content()
        .contains("\"text-variance\"", "\"clip-threshold-nats\"", "\"name\": \"renamed\"");
    assertThat(Files.readAllLines(out.resolve("distances.csv")))
        .startsWith("model,other,kl_nats_per_text,kl_bits_per_byte,estimator")
        .hasSize(5);

    for (String file : List.of("map.npz", "matrix.csv")) {
      Path again = folder.resolve("again " + file);
      Command fromFile =
          Command.run("map", "--matrix", out.resolve(file), "--method", "pca", "--out", again);
      assertThat(fromFile.exit()).as(fromFile.err()).isZero();
      assertThat(again.resolve("distances.csv"))
          .hasSameTextualContentAs(out.resolve("distances.csv"));
      assertThat(again.resolve("map.svg")).hasSameTextualContentAs(out.resolve("map.svg"));
      assertThat(again.resolve("provenance.json"))
          .content()
          .contains("\"matrix-file\"", "\"matrix-file-sha256\"");
    }
  }

  @Test
  void aSecondRunComputesNothingAndAddedModelsAloneAreScored() throws IOException {
    Path texts = texts("{\"text\":\"The whale.\"}", "{\"text\":\"Call me Ishmael\"}");
    Path store = folder.resolve("store");
    assertThat(score(SMALL, texts, store).exit()).isZero();
    assertThat(score(SMALL, texts, store).out()).contains("0 scores computed, 2 were in the store");
  }

  @Test
  void aStoreCutInsideALineLosesThatRowAlone() throws IOException {
    Path texts =
        texts("{\"text\":\"One two\"}", "{\"text\":\"Three four\"}", "{\"text\":\"Five\"}");
    Path store = folder.resolve("store");
    score(SMALL, texts, store);
    Path rows = rows(store);
    byte[] whole = Files.readAllBytes(rows);
    Files.write(rows, Arrays.copyOf(whole, whole.length - 20));
    Command again = score(SMALL, texts, store);
    assertThat(again.exit()).as(again.err()).isZero();
    assertThat(again.out()).contains("1 scores computed, 2 were in the store");
    assertThat(rows).hasBinaryContent(whole);
  }

  @Test
  void thePaperPresetCutsLongTextsWhereTheDefaultRefuses() throws IOException {
    Path texts = texts("{\"id\":\"long\",\"text\":\"" + "whale ".repeat(600) + "\"}");
    Command refused = score(SMALL, texts, folder.resolve("store"));
    assertFails(refused, 1, "text \"long\"", "the context of model " + SMALL + " is 512");
    Command cut =
        Command.run(
            "score",
            "--model",
            spec(SMALL),
            "--texts",
            texts,
            "--store",
            folder.resolve("store"),
            "--preset",
            "model-map-paper");
    assertThat(cut.exit()).as(cut.err()).isZero();
  }

  @Test
  void longTextsAreScoredInWindowsAndTheirRowsSaySo() throws IOException {
    Path texts = texts("{\"id\":\"long\",\"text\":\"" + "whale ".repeat(600) + "\"}");
    Path store = folder.resolve("store");
    Command rolled =
        Command.run(
            "score",
            "--model",
            spec(SMALL),
            "--texts",
            texts,
            "--store",
            store,
            "--over-length",
            "rolling",
            "--stride",
            "100");
    assertThat(rolled.exit()).as(rolled.err()).isZero();
    assertThat(rows(store)).content().contains("\"truncated\":false,\"windows\":");
    assertThat(rows(store).resolveSibling("provenance.json"))
        .content()
        .contains("\"over-length\": \"rolling:100\"");
    Command alone =
        Command.run(
            "score", "--model", spec(SMALL), "--texts", texts, "--store", store, "--stride", "9");
    assertFails(alone, 2, "--stride 9, --over-length fail");
  }

  @Test
  void aPromptIsReadAndNotScored() throws IOException {
    Path prompted = texts("{\"id\":\"a\",\"prompt\":\"Call me\",\"text\":\" Ishmael.\"}");
    Path store = folder.resolve("store");
    Command score = score(SMALL, prompted, store);
    assertThat(score.exit()).as(score.err()).isZero();
    assertThat(rows(store)).content().contains("\"num-bytes\":9,");
  }

  private static Path rows(Path store) throws IOException {
    try (Stream<Path> all = Files.walk(store)) {
      return all.filter(file -> file.endsWith("scores.jsonl")).findFirst().orElseThrow();
    }
  }

  @Test
  void aOneTokenTextHasAScoreAfterAPrefixOnly() throws IOException {
    Path texts = texts("{\"id\":\"one\",\"text\":\"a\"}");
    assertThat(score(SMALL, texts, folder.resolve("store")).exit()).isZero();
    Command none =
        Command.run(
            "score",
            "--model",
            spec(SMALL),
            "--texts",
            texts,
            "--store",
            folder.resolve("store"),
            "--prefix",
            "none");
    assertFails(none, 1, "\"one\" is 1 token(s) long", "document-start");
  }

  @Test
  void damagedWeightsThatGiveNanLogitsAreAnErrorThatNamesTheModel() throws IOException {
    Path broken = copyOf(SMALL);
    Path onnx = broken.resolve("model.onnx");
    byte[] bytes = Files.readAllBytes(onnx);
    // In half precision 0x7e7e is NaN; the middle of the file is weights.
    Arrays.fill(bytes, bytes.length / 2, bytes.length / 2 + 4000, (byte) 0x7e);
    Files.write(onnx, bytes);
    Path texts = texts("{\"id\":\"x\",\"text\":\"The whale.\"}");
    Command score =
        Command.run(
            "score",
            "--model",
            "onnx:" + broken + "#broken",
            "--texts",
            texts,
            "--store",
            folder.resolve("store"));
    assertFails(score, 1, onnx.toString(), "NaN");
  }

  @Test
  void missingAndCorruptModelFilesAreNamed() throws IOException {
    Path texts = texts("{\"text\":\"The whale.\"}");
    Path store = folder.resolve("store");
    Command absent =
        Command.run("score", "--model", "onnx:no/such", "--texts", texts, "--store", store);
    assertFails(absent, 1, "no/such");
    for (String file : List.of("model.onnx", "tokenizer.json", "config.json")) {
      Path model = copyOf(SMALL);
      Files.writeString(model.resolve(file), "{ not what it was");
      Command corrupt =
          Command.run("score", "--model", "onnx:" + model, "--texts", texts, "--store", store);
      assertFails(corrupt, 1, file);
    }
    for (String file : List.of("model.onnx", "tokenizer.json")) {
      Path model = copyOf(SMALL);
      Files.delete(model.resolve(file));
      Command missing =
          Command.run("score", "--model", "onnx:" + model, "--texts", texts, "--store", store);
      assertFails(missing, 1, file);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"id\":\"a\",\"text\":\"x y\"}\n{\"id\":\"a\",\"text\":\"z\"}|\"a\"",
        "{\"id\":\"a\",\"text\":\"\"}|empty",
        "{\"id\":\"a\",\"text\":\"x y\"}\n{\"id\":\"b\"|line 2",
        "not json|line 1",
        "{\"id\":\"a\"}|text",
        "|no text"
      })
  void badTextsAreRefusedWithTheReason(String fileAndReason) throws IOException {
    int bar = fileAndReason.lastIndexOf('|');
    Path texts = texts(fileAndReason.substring(0, bar));
    assertFails(score(SMALL, texts, folder.resolve("store")), 1, fileAndReason.substring(bar + 1));
  }

  @Test
  void twoPrecisionsOfOneFolderGoOnOneMap() throws IOException {
    Path model = copyOf("gpt2-general-a");
    Files.createDirectory(model.resolve("onnx"));
    Files.copy(
        zoo.resolve("gpt2-general-a-int8/model.onnx"), model.resolve("onnx/model_int8.onnx"));
    Path texts = texts("{\"text\":\"The whale.\"}", "{\"text\":\"Call me Ishmael\"}");
    Path store = folder.resolve("store");
    String spec = "onnx:" + model;
    Command score =
        Command.run(
            "score",
            "--model",
            spec,
            "--model",
            spec + ":int8",
            "--model",
            spec + "/onnx/model_int8.onnx#named",
            "--texts",
            texts,
            "--store",
            store);
    assertThat(score.exit()).as(score.err()).isZero();
    assertThat(score.out()).contains("3 models on 2 texts: 6 scores computed");
    Path out = folder.resolve("out");
    Command map = Command.run("map", "--store", store, "--method", "pca", "--out", out);
    assertThat(map.exit()).as(map.err()).isZero();
    String name = model.getFileName().toString();
    assertThat(out.resolve("distances.csv")).content().contains(name + "," + name + ":int8,");
    List<String> rows = Files.readAllLines(out.resolve("matrix.csv"));
    assertThat(row(rows, name + ":int8")).isEqualTo(row(rows, "named"));
    assertThat(row(rows, name + ":int8")).isNotEqualTo(row(rows, name));
    assertThat(provenances(store))
        .hasSize(3)
        .filteredOn(json -> json.contains(model.resolve("onnx/model_int8.onnx") + "\""))
        .hasSize(2);
    assertFails(
        Command.run("score", "--model", spec + ":q4", "--texts", texts, "--store", store),
        1,
        "has no variant \"q4\"; there are: model (model.onnx), int8 (onnx/model_int8.onnx)");
  }

  private static String row(List<String> lines, String model) {
    String start = model + ",";
    return lines.stream()
        .filter(line -> line.startsWith(start))
        .map(line -> line.substring(start.length()))
        .findFirst()
        .orElseThrow();
  }

  private static List<String> provenances(Path store) throws IOException {
    List<String> contents = new ArrayList<>();
    try (Stream<Path> all = Files.walk(store)) {
      for (Path file : all.filter(path -> path.endsWith("provenance.json")).toList()) {
        contents.add(Files.readString(file));
      }
    }
    return contents;
  }

  @Test
  void aDeviceThatIsNotThereIsAnsweredWithWhatItTakes() throws IOException {
    Path texts = texts("{\"text\":\"The whale.\"}");
    assertFails(
        Command.run(
            "score",
            "--model",
            spec(SMALL),
            "--texts",
            texts,
            "--store",
            folder.resolve("store"),
            "--device",
            "cuda:0"),
        1,
        "\"cuda:0\" cannot be used",
        "onnxruntime_gpu");
  }

  @Test
  void missingTextsAreNamed() {
    assertFails(
        score(SMALL, folder.resolve("nothing.jsonl"), folder.resolve("store")), 1, "nothing.jsonl");
  }

  @Test
  void aStoreWithTwoTextSetsIsNotMixedIntoOneMap() throws IOException {
    Path store = folder.resolve("store");
    score(SMALL, texts("{\"text\":\"The whale.\"}", "{\"text\":\"A\"}"), store);
    score(OTHER, texts("{\"text\":\"Another text.\"}", "{\"text\":\"B\"}"), store);
    assertFails(
        Command.run("map", "--store", store, "--out", folder.resolve("out")), 1, "text set");
  }

  @Test
  void wrongUsageEndsWithTwoAndOneLine() throws IOException {
    Path texts = texts("{\"text\":\"The whale.\"}");
    assertFails(Command.run("score", "--texts", texts), 2, "--model");
    assertFails(Command.run("frobnicate"), 2, "frobnicate");
    assertFails(
        Command.run(
            "score",
            "--model",
            spec(SMALL),
            "--model",
            spec(SMALL),
            "--texts",
            texts,
            "--store",
            folder),
        2,
        "two models are named \"" + SMALL + "\"");
    assertFails(
        Command.run("score", "--model", "justapath", "--texts", texts, "--store", folder),
        2,
        "PROVIDER:PATH");
    assertFails(
        Command.run(
            "score",
            "--model",
            spec(SMALL),
            "--texts",
            texts,
            "--store",
            folder,
            "--prefix",
            "bos"),
        2,
        "\"bos\" is none of [document-start, tokenizer, none]");
    assertFails(
        Command.run(
            "score", "--model", spec(SMALL), "--texts", texts, "--store", folder, "--threads", "0"),
        2,
        "threads");
    assertFails(Command.run("map", "--out", folder), 2, "--store");
    assertFails(Command.run("map", "--store", folder, "--clip", "1.5", "--out", folder), 2, "1.5");
    assertFails(
        Command.run("map", "--store", folder, "--method", "som", "--out", folder),
        2,
        "\"som\" is none of [tsne, umap, pca]");
    assertFails(
        Command.run("map", "--store", folder, "--method", "pca", "--seed", "3", "--out", folder),
        2,
        "--seed is for tsne, umap and --bootstrap");
    assertFails(
        Command.run("map", "--store", folder, "--bootstrap", "1", "--out", folder),
        2,
        "at least 2 replicates, got 1");
    assertFails(
        Command.run("map", "--store", folder, "--estimator", "segments", "--out", folder),
        2,
        "--texts FILE");
    assertFails(
        Command.run("map", "--store", folder, "--texts", texts, "--out", folder),
        2,
        "--texts is for --estimator segments or sketch");
    assertFails(
        Command.run("map", "--store", folder, "--estimator", "sketch", "--out", folder),
        2,
        "--estimator sketch needs sketches and their texts");
    assertFails(
        Command.run("map", "--store", folder, "--estimator", "exact", "--out", folder),
        2,
        "\"exact\" is none of [text-variance, segments, sketch]");
  }

  @Test
  void segmentsAndIntervalsComeFromTheSameScores() throws IOException {
    Path texts =
        texts(
            "{\"id\":\"a\",\"text\":\"" + "The whale is not a fish. ".repeat(12) + "\"}",
            "{\"id\":\"b\",\"text\":\"" + "This licence grants no warranty. ".repeat(9) + "\"}",
            "{\"id\":\"c\",\"text\":\"" + "int main() { return 0; } ".repeat(11) + "\"}");
    Path store = folder.resolve("store");
    for (String model : List.of(SMALL, OTHER, "gpt2-general-a")) {
      Command score =
          Command.run(
              "score",
              "--model",
              spec(model),
              "--texts",
              texts,
              "--store",
              store,
              "--token-log-probs");
      assertThat(score.exit()).as(score.err()).isZero();
    }
    Path out = folder.resolve("out");
    Command map =
        Command.run(
            "map",
            "--store",
            store,
            "--estimator",
            "segments",
            "--texts",
            texts,
            "--method",
            "umap",
            "--bootstrap",
            "20",
            "--out",
            out);
    assertThat(map.exit()).as(map.err()).isZero();
    assertThat(Files.readAllLines(out.resolve("distances.csv")))
        .hasSize(10)
        .first()
        .asString()
        .contains("kl_bits_per_byte_low,kl_bits_per_byte_high");
    assertThat(Files.readAllLines(out.resolve("neighbours.csv")))
        .hasSize(7)
        .allSatisfy(
            line -> assertThat(line).containsAnyOf("estimator", ",20,1,segments (16 tokens)"));
    assertThat(out.resolve("provenance.json")).content().contains("segments (16 tokens)", "UMAP");
  }

  @Test
  void sketchesOfOneTokenizerGiveAMapAndOthersAreRefusedByName() throws IOException {
    Path texts =
        texts(
            "{\"id\":\"a\",\"text\":\"" + "The whale is not a fish. ".repeat(12) + "\"}",
            "{\"id\":\"b\",\"text\":\"" + "int main() { return 0; } ".repeat(11) + "\"}");
    Path store = folder.resolve("store");
    for (String model : List.of("gpt2-general-a", "gpt2-general-a-int8", "gpt2-general-b")) {
      scoreSketches(model, texts, store);
    }
    Path out = folder.resolve("out");
    Command map = mapSketches(store, texts, out);
    assertThat(map.exit()).as(map.err()).isZero();
    assertThat(Files.readAllLines(out.resolve("neighbours.csv")))
        .hasSize(7)
        .anyMatch(line -> line.startsWith("gpt2-general-a,1,gpt2-general-a-int8,"))
        .allSatisfy(line -> assertThat(line).containsAnyOf("estimator", "sketch (every token)"));
    assertThat(out.resolve("provenance.json")).content().contains("sketch (every token)");

    scoreSketches("llama-general", texts, store);
    assertFails(
        mapSketches(store, texts, out),
        1,
        "of text \"a\"",
        "\"llama-general\"",
        "models of one tokenizer");
  }

  private void scoreSketches(String model, Path texts, Path store) {
    Command score =
        Command.run(
            "score", "--model", spec(model), "--texts", texts, "--store", store, "--sketches");
    assertThat(score.exit()).as(score.err()).isZero();
  }

  private static Command mapSketches(Path store, Path texts, Path out) {
    return Command.run(
        "map",
        "--store",
        store,
        "--estimator",
        "sketch",
        "--texts",
        texts,
        "--method",
        "pca",
        "--bootstrap",
        "20",
        "--out",
        out);
  }

  @Test
  void sketchesOfScoresWithoutThemSayHowToGetThem() throws IOException {
    Path texts = texts("{\"text\":\"The whale.\"}", "{\"text\":\"Call me Ishmael\"}");
    Path store = folder.resolve("store");
    score(SMALL, texts, store);
    score(OTHER, texts, store);
    assertFails(mapSketches(store, texts, folder.resolve("out")), 1, "scored without sketches");
  }

  @Test
  void segmentsOfScoresWithoutTokensSayHowToGetThem() throws IOException {
    Path texts = texts("{\"text\":\"The whale.\"}", "{\"text\":\"Call me Ishmael\"}");
    Path store = folder.resolve("store");
    score(SMALL, texts, store);
    score(OTHER, texts, store);
    assertFails(
        Command.run(
            "map",
            "--store",
            store,
            "--estimator",
            "segments",
            "--texts",
            texts,
            "--out",
            folder.resolve("out")),
        1,
        "token log-probabilities",
        "tokenLogProbs");
  }

  @Test
  void anUnknownProviderIsAnsweredWithTheKnownOnes() throws IOException {
    Path texts = texts("{\"text\":\"The whale.\"}");
    assertFails(
        Command.run("score", "--model", "gguf:" + zoo, "--texts", texts, "--store", folder),
        1,
        "no provider \"gguf\"",
        "onnx");
  }

  @Test
  void anEmptyStoreAndAnUnreadableMatrixAreAnswered() throws IOException {
    assertFails(Command.run("map", "--store", folder.resolve("none"), "--out", folder), 1, "none");
    Path npy = Files.writeString(folder.resolve("m.npy"), "not numpy");
    assertFails(Command.run("map", "--matrix", npy, "--out", folder), 2, "--names", "--bytes");
    assertFails(
        Command.run("map", "--matrix", folder.resolve("m.npz"), "--names", npy, "--out", folder),
        2,
        "--names and --bytes are for a .npy matrix");
    Path text = Files.writeString(folder.resolve("m.txt"), "1 2");
    assertFails(Command.run("map", "--matrix", text, "--out", folder), 2, ".npy");
  }

  @Test
  void aNpyMatrixTakesNamesAndBytesFromFiles() throws IOException {
    Path npy = folder.resolve("m.npy");
    io.llmap.matrix.MatrixFiles.writeNpy(
        npy, new double[][] {{-10, -20, -30}, {-11, -19, -33}, {-9, -25, -31}});
    Path names = Files.writeString(folder.resolve("names.txt"), "a\nb\nc\n");
    Path bytes = Files.writeString(folder.resolve("bytes.txt"), "9\n10\n11\n");
    Command map =
        Command.run(
            "map",
            "--matrix",
            npy,
            "--names",
            names,
            "--bytes",
            bytes,
            "--clip",
            "0",
            "--out",
            folder.resolve("out"));
    assertThat(map.exit()).as(map.err()).isZero();
    Path short1 = Files.writeString(folder.resolve("short.txt"), "a\nb\n");
    assertFails(
        Command.run(
            "map",
            "--matrix",
            npy,
            "--names",
            short1,
            "--bytes",
            bytes,
            "--out",
            folder.resolve("out")),
        1,
        "2 names",
        "3 rows");
  }

  @Test
  void everyCommandHasHelp() {
    for (String command : List.of("demo", "score", "map", "models")) {
      Command help = Command.run(command, "--help");
      assertThat(help.exit()).isZero();
      assertThat(help.out()).contains("Usage: llmap " + command);
    }
    assertThat(Command.run("--help").out()).contains("demo", "score", "map", "models");
    assertThat(Command.run("--version").exit()).isZero();
  }

  @Test
  void modelsListsProvidersAndKernels() {
    Command models = Command.run("models");
    assertThat(models.exit()).isZero();
    assertThat(models.out())
        .containsPattern("djl +available: DJL 0\\.36\\.0: PyTorch 2\\.7\\.1 \\(cpu\\)")
        .containsPattern("onnx +available: ONNX Runtime 1\\.28\\.0")
        .containsPattern("vector +available")
        .containsPattern("scalar +available");
  }

  @Test
  void verboseShowsTheStackTrace() throws IOException {
    Command verbose =
        Command.run("map", "--store", folder.resolve("x"), "--out", folder, "--verbose");
    assertThat(verbose.exit()).isEqualTo(1);
    assertThat(verbose.err()).contains("LlmapException").contains("at io.llmap.");
  }

  private static void assertFails(Command command, int exit, String... parts) {
    assertThat(command.err()).contains(parts).doesNotContain("\tat ");
    assertThat(command.exit()).as(command.err()).isEqualTo(exit);
    assertThat(command.err().lines()).hasSize(exit);
  }

  private static String spec(String model) {
    return "onnx:" + zoo.resolve(model);
  }

  private static Command score(String model, Path texts, Path store) {
    return Command.run("score", "--model", spec(model), "--texts", texts, "--store", store);
  }

  private Path texts(String... lines) throws IOException {
    Path file = Files.createTempFile(folder, "texts", ".jsonl");
    return Files.writeString(file, String.join("\n", lines));
  }

  private Path copyOf(String model) throws IOException {
    Path copy = Files.createTempDirectory(folder, "model");
    try (Stream<Path> files = Files.list(zoo.resolve(model))) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    return copy;
  }

  private static List<String> files(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> root.relativize(file).toString())
          .toList();
    }
  }
}
