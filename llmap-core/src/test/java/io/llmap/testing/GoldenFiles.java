package io.llmap.testing;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/** The reference numbers of numpy, scipy and scikit-learn in {@code io/llmap/golden}. */
public final class GoldenFiles {
  private GoldenFiles() {}

  public static double[][] matrix(String name) {
    return MatrixFiles.readNpy(path(name));
  }

  public static double[] vector(String name) {
    return MatrixFiles.readNpyVector(path(name));
  }

  /** The raw log-likelihoods of 60 models, 6 families of 10, on 400 texts. */
  public static LogLikelihoodMatrix logLikelihoods() {
    double[][] raw = matrix("raw.npy");
    int[] bytes = Arrays.stream(vector("text_bytes.npy")).mapToInt(b -> (int) b).toArray();
    return LogLikelihoodMatrix.of(
        IntStream.range(0, raw.length).mapToObj(i -> "family" + i / 10 + "-" + i % 10).toList(),
        IntStream.range(0, bytes.length).mapToObj(n -> "t" + n).toList(),
        bytes,
        raw);
  }

  /** The number, or numbers, under a key of golden.json. */
  public static double[] numbers(String key) {
    try (InputStream in = Files.newInputStream(path("golden.json"));
        JsonParser json = new JsonFactory().createParser(in)) {
      List<Double> found = new ArrayList<>();
      while (json.nextToken() != null) {
        if (json.currentToken().isNumeric() && key.equals(keyOf(json))) {
          found.add(json.getDoubleValue());
        }
      }
      if (found.isEmpty()) {
        throw new IllegalArgumentException("golden.json has no " + key);
      }
      return found.stream().mapToDouble(Double::doubleValue).toArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String keyOf(JsonParser json) throws IOException {
    return json.getParsingContext().inArray()
        ? json.getParsingContext().getParent().getCurrentName()
        : json.currentName();
  }

  private static Path path(String name) {
    return Path.of(uri(name));
  }

  private static URI uri(String name) {
    try {
      return Objects.requireNonNull(
              GoldenFiles.class.getResource("/io/llmap/golden/" + name), () -> "no golden " + name)
          .toURI();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name, e);
    }
  }
}
