package io.llmap.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.testing.PackageExample;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    String document = "A sentence of a long document. ".repeat(90);

    // example
    List<String> chunks = TextChunker.modelMapPaper().chunk(document);
    List<Text> texts = new ArrayList<>();
    chunks.forEach(chunk -> texts.add(Text.of("chunk-" + texts.size(), chunk)));
    TextSet set = TextSet.of(texts);
    System.out.println(set.size() + " texts, fingerprint " + set.fingerprint());
    // end

    assertThat(set.ids()).containsExactly("chunk-0", "chunk-1", "chunk-2");
    PackageExample.assertDocumented(getClass());
  }
}
