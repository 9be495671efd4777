package io.llmap.tokenizers;

import io.llmap.score.spi.Encoding;
import io.llmap.testing.PackageExample;
import io.llmap.testing.models.TinyModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    Path folder = TinyModel.GPT2.folder();

    // example
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(folder)) {
      Encoding encoding = tokenizer.encode("déjà vu");
      int[] ids = encoding.ids();
      int[] firstBytes = encoding.byteOffsets();
      OptionalInt documentEnd = tokenizer.eosId();
      System.out.println(ids.length + " tokens, the second from byte " + firstBytes[1] + " on");
      System.out.println("a document ends with token " + documentEnd.orElse(-1));
    }
    // end

    PackageExample.assertDocumented(getClass());
  }
}
