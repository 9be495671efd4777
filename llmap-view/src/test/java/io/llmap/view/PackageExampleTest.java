package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.embed.Embedding;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackageExampleTest {
  @TempDir Path folder;

  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    double[][] points = {{0, 0}, {0.1, 0}, {2, 1}};

    // example
    Embedding embedding =
        Embedding.of(
            List.of("gpt2", "gpt2-int8", "llama"), points, "PCA of centred log-likelihoods");
    MapView view =
        MapView.of(embedding)
            .withGroups(Map.of("gpt2", "GPT-2", "gpt2-int8", "GPT-2", "llama", "Llama"))
            .withHollow("int8", List.of("gpt2-int8"))
            .withTitle("Three models");
    view.writeSvg(folder.resolve("map.svg"));
    view.writePng(folder.resolve("map.png"));
    // end

    PackageExample.assertDocumented(getClass());
    assertThat(folder.resolve("map.svg")).content().contains("gpt2-int8 · GPT-2 · int8");
    assertThat(folder.resolve("map.png")).isNotEmptyFile();
  }
}
