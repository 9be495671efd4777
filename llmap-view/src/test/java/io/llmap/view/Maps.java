package io.llmap.view;

import io.llmap.embed.Embedding;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Maps for tests. */
final class Maps {
  private static final List<String> FAMILIES =
      List.of("gpt2", "llama", "qwen2", "mistral", "bloom", "pythia", "opt", "gemma", "falcon");
  private static final List<String> KINDS =
      List.of("-general", "-general-step0100", "-legal-b", "-legal-b-int8", "-70b-instruct-v0.2");

  private Maps() {}

  /** Gaussian clusters around Gaussian centres; a spread of 0 gives identical points. */
  static MapView clustered(int models, int clusters, double spread, long seed) {
    Random random = new Random(seed);
    double[][] centers = new double[clusters][];
    for (int c = 0; c < clusters; c++) {
      centers[c] = new double[] {random.nextGaussian(), random.nextGaussian()};
    }
    double[][] points = new double[models][];
    List<String> names = new ArrayList<>();
    Map<String, String> groups = new LinkedHashMap<>();
    for (int i = 0; i < models; i++) {
      int c = random.nextInt(clusters);
      points[i] =
          new double[] {
            centers[c][0] + spread * random.nextGaussian(),
            centers[c][1] + spread * random.nextGaussian()
          };
      String family = FAMILIES.get(c % FAMILIES.size());
      String name = family + KINDS.get(i % KINDS.size()) + "-" + i;
      names.add(name);
      groups.put(name, family);
    }
    return MapView.of(Embedding.of(names, points, "test, seed " + seed)).withGroups(groups);
  }

  /** Points without groups, named by their index. */
  static MapView of(double[]... points) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < points.length; i++) {
      names.add("pythia-1b-step" + 1000 * i);
    }
    return MapView.of(Embedding.of(names, points, "test"));
  }

  /** Models with the given names in a row. */
  static MapView named(String... names) {
    double[][] points = new double[names.length][];
    for (int i = 0; i < names.length; i++) {
      points[i] = new double[] {i, i % 2};
    }
    return MapView.of(Embedding.of(List.of(names), points, "test"));
  }
}
