package io.llmap.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.testing.models.TinyModel;
import java.io.IOException;
import java.io.InputStream;
import java.net.Proxy;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In a JVM of its own: what matters is the first use in a process. */
class NetworkTest {
  @TempDir Path cache;

  @Test
  void theFirstUseOpensNoConnectionAndExtractsIntoTheCacheFolder() throws Exception {
    assertThat(run("llmap")).containsExactly("tokens 1", "offline true");
    try (Stream<Path> extracted = Files.walk(cache)) {
      assertThat(extracted.filter(Files::isRegularFile))
          .singleElement()
          .extracting(file -> file.getFileName().toString())
          .isEqualTo(System.mapLibraryName("tokenizers"));
    }
  }

  @Test
  void withoutTheOfflineSettingTheTrapOfThisTestCloses() throws Exception {
    assertThat(run("bare")).anyMatch(line -> line.startsWith("connection to http://169.254"));
  }

  private List<String> run(String mode) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-DDJL_CACHE_DIR=" + cache,
                "-cp",
                System.getProperty("java.class.path"),
                FirstUse.class.getName(),
                mode,
                TinyModel.GPT2.folder().toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (InputStream out = process.getInputStream()) {
      List<String> lines = new String(out.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      assertThat(process.waitFor()).isZero();
      return lines;
    }
  }

  /** Reports every connection that is tried, and lets it fail. */
  static final class FirstUse {
    private FirstUse() {}

    public static void main(String[] args) throws IOException {
      URL.setURLStreamHandlerFactory(protocol -> protocol.startsWith("http") ? new Trap() : null);
      Path folder = Path.of(args[1]);
      if (args[0].equals("bare")) {
        ai.djl.huggingface.tokenizers.HuggingFaceTokenizer.newInstance(folder).close();
        return;
      }
      try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(folder)) {
        System.out.println("tokens " + tokenizer.encode("e").ids().length);
      }
      System.out.println("offline " + System.getProperty("ai.djl.offline"));
    }
  }

  private static final class Trap extends URLStreamHandler {
    @Override
    protected int getDefaultPort() {
      return 80;
    }

    @Override
    protected URLConnection openConnection(URL url) throws IOException {
      System.out.println("connection to " + url);
      throw new IOException("no network in this test");
    }

    @Override
    protected URLConnection openConnection(URL url, Proxy proxy) throws IOException {
      return openConnection(url);
    }
  }
}
