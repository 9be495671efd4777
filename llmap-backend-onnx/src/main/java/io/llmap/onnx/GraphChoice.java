package io.llmap.onnx;

import io.llmap.LlmapException.BackendUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which graph of a folder is the model.
 *
 * <p>Exporters put several graphs of one model into a folder or into its subfolder {@code onnx}.
 * Optimum writes {@code model.onnx}, and in older versions {@code decoder_model.onnx}, with {@code
 * decoder_with_past_model.onnx} for the tokens after the first and {@code
 * decoder_model_merged.onnx} for both; other precisions have a suffix: {@code model_fp16.onnx},
 * {@code model_quantized.onnx}, {@code decoder_model_merged_q4.onnx}.
 */
final class GraphChoice {
  private static final String SUFFIX = ".onnx";

  /** The names of graphs that take a whole text, best first. */
  private static final List<String> BASES =
      List.of("model", "decoder_model", "decoder_model_merged");

  private GraphChoice() {}

  /**
   * Chooses.
   *
   * @param folder the folder of the model
   * @param variant a precision such as {@code fp16}, or the name of a graph without {@code .onnx};
   *     empty for the graph without suffix, or the only one
   * @return the graph
   * @throws BackendUnavailableException if there is none, or none of that variant, or several and
   *     no variant; with what there is
   */
  static Path in(Path folder, Optional<String> variant) {
    List<Path> graphs = graphs(folder);
    if (graphs.isEmpty()) {
      String others = otherWeights(folder);
      throw new BackendUnavailableException(
          "there is no model.onnx, nor another .onnx file, in %s or its subfolder onnx%s"
              .formatted(
                  folder,
                  others.isEmpty()
                      ? "; get it, or take the model and " + exporting("MODEL")
                      : ", but " + others + "; " + exporting(folder.toString())));
    }
    List<String> names =
        variant
            .map(v -> Stream.concat(Stream.of(v), BASES.stream().map(b -> b + "_" + v)).toList())
            .orElse(BASES);
    for (String name : names) {
      for (Path graph : graphs) {
        if (name(graph).equals(name)) {
          return graph;
        }
      }
    }
    if (variant.isEmpty() && graphs.size() == 1) {
      return graphs.get(0);
    }
    String there = graphs.stream().map(g -> describe(folder, g)).collect(Collectors.joining(", "));
    throw new BackendUnavailableException(
        variant
            .map(v -> "%s has no variant \"%s\"; there are: %s".formatted(folder, v, there))
            .orElseGet(
                () ->
                    "%s has several graphs and no model.onnx; choose a variant, such as onnx:%s:%s, of: %s"
                        .formatted(folder, folder, variant(graphs.get(0)), there)));
  }

  /** How to make a graph of a model in another format. */
  static String exporting(String model) {
    return "export it: optimum-cli export onnx --task text-generation --model " + model + " OUT";
  }

  /** Sorted by name; the folder's own before its subfolder's. */
  private static List<Path> graphs(Path folder) {
    List<Path> graphs = new ArrayList<>();
    for (Path place : List.of(folder, folder.resolve("onnx"))) {
      graphs.addAll(files(place).filter(file -> file.toString().endsWith(SUFFIX)).toList());
    }
    return graphs;
  }

  private static Stream<Path> files(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Stream.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList().stream();
    } catch (IOException e) {
      throw new BackendUnavailableException(
          "the folder %s cannot be read: %s".formatted(folder, e), e);
    }
  }

  private static String otherWeights(Path folder) {
    return files(folder)
        .map(file -> String.valueOf(file.getFileName()))
        .filter(
            name ->
                name.matches(".*\\.(safetensors|gguf|h5|msgpack|pt|pth|ort)|pytorch_model.*\\.bin"))
        .collect(Collectors.joining(", "));
  }

  private static String describe(Path folder, Path graph) {
    return "%s (%s)".formatted(variant(graph), folder.relativize(graph));
  }

  /** What a user writes to have the graph. */
  private static String variant(Path graph) {
    String name = name(graph);
    return name.startsWith("model_") ? name.substring("model_".length()) : name;
  }

  private static String name(Path graph) {
    String file = String.valueOf(graph.getFileName());
    return file.substring(0, file.length() - SUFFIX.length());
  }
}
