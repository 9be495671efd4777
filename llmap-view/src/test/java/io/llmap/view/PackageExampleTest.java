package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackageExampleTest {
  @TempDir Path folder;

  @Test
  void theExampleOfThePackageCompilesAndDrawsItsMap() throws Exception {
    Path source = folder.resolve("Example.java");
    Files.writeString(
        source,
        "import io.llmap.embed.Embedding;\n"
            + "import io.llmap.view.MapView;\n"
            + "import java.nio.file.Path;\n"
            + "import java.util.List;\n"
            + "import java.util.Map;\n"
            + "public class Example {\n"
            + "  public static void draw(double[][] points, Path folder) {\n"
            + example()
            + "  }\n"
            + "}\n");
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-cp",
                classPath,
                "-d",
                folder.toString(),
                source.toString());
    assertThat(status).isZero();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      loader
          .loadClass("Example")
          .getMethod("draw", double[][].class, Path.class)
          .invoke(null, new double[][] {{0, 0}, {0.1, 0}, {2, 1}}, folder);
    }
    assertThat(folder.resolve("map.svg")).content().contains("gpt2-int8 · GPT-2 · int8");
    assertThat(folder.resolve("map.png")).isNotEmptyFile();
  }

  private static String example() throws IOException {
    String text = Files.readString(Path.of("src/main/java/io/llmap/view/package-info.java"));
    Matcher block = Pattern.compile("<pre>\\{@code\n(.*?)\\}</pre>", Pattern.DOTALL).matcher(text);
    assertThat(block.find()).isTrue();
    return block.group(1).replaceAll("(?m)^ \\* ?", "");
  }
}
