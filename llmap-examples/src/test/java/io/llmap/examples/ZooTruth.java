package io.llmap.examples;

import io.llmap.internal.Parallel;
import io.llmap.text.TextSet;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@link TeacherForcedKl} of all pairs of models with one tokenizer over many texts. */
final class ZooTruth {
  private final List<String> names;

  /** [text, limit]; the last limit is the whole text. */
  private final int[][] tokens;

  private final int[][] bytes;

  /** [text, limit, i · K + j]. */
  private final double[][][] sums;

  private ZooTruth(List<String> names, int texts, int limits) {
    this.names = List.copyOf(names);
    this.tokens = new int[texts][limits];
    this.bytes = new int[texts][limits];
    this.sums = new double[texts][limits][];
  }

  /** The zoo's models by tokenizer. */
  static List<List<String>> byTokenizer() {
    Map<Boolean, List<String>> families = new LinkedHashMap<>();
    for (Zoo.Model model : Zoo.load().models()) {
      // docs/zoo.md: tokenizer A belongs to gpt2 and gpt_neox, B to llama and qwen3.
      boolean a = model.name().startsWith("gpt2-") || model.name().startsWith("neox-");
      families.computeIfAbsent(a, key -> new ArrayList<>()).add(model.name());
    }
    return List.copyOf(families.values());
  }

  /**
   * Runs the models, each text alone.
   *
   * @param zoo the folder that {@link Zoo#extract} wrote
   * @param names models with one tokenizer
   * @param limits bytes of beginnings of the texts that are summed, too
   */
  static ZooTruth of(Path zoo, List<String> names, TextSet texts, List<Integer> limits) {
    ZooTruth truth = new ZooTruth(names, texts.size(), limits.size() + 1);
    List<ZooModel> models = new ArrayList<>();
    try {
      for (String name : names) {
        models.add(ZooModel.open(zoo, name));
      }
      Parallel.forEach(
          texts.size(), n -> truth.add(n, TeacherForcedKl.of(models, texts.get(n)), limits));
      return truth;
    } finally {
      models.forEach(ZooModel::close);
    }
  }

  private void add(int n, TeacherForcedKl kl, List<Integer> limits) {
    for (int c = 0; c <= limits.size(); c++) {
      tokens[n][c] = c < limits.size() ? TextPart.tokens(kl.bounds(), limits.get(c)) : kl.tokens();
      bytes[n][c] = kl.bounds()[tokens[n][c]];
      sums[n][c] = kl.sum(tokens[n][c]);
    }
  }

  List<String> names() {
    return names;
  }

  double meanTokens(int limit, int[] selected) {
    return Arrays.stream(selected).map(n -> tokens[n][limit]).average().orElseThrow();
  }

  double meanBytes(int limit, int[] selected) {
    return Arrays.stream(selected).map(n -> bytes[n][limit]).average().orElseThrow();
  }

  /** KL(i, j), nats per text, the mean over some of the texts. */
  double mean(int limit, int[] selected, int i, int j) {
    return Arrays.stream(selected)
        .mapToDouble(n -> sums[n][limit][i * names.size() + j])
        .average()
        .orElseThrow();
  }
}
